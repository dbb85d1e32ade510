-- Messages to relying parties. The sealed content is erased when the message is out.
create table delivery (
    id              text primary key,
    kind            text not null,                   -- logout | sessions
    target          text not null,                   -- whom it is for: client_id, or a member's id
    sealed          text,                            -- what it is made of, encrypted under the master key
    state           text not null,                   -- queued | sent | failed
    attempts        bigint not null default 0,
    last_error      text,
    next_attempt_at bigint not null,
    leased_until    bigint not null default 0,
    give_up_at      bigint not null,
    created_at      bigint not null,
    finished_at     bigint
);
create index delivery_due on delivery (state, next_attempt_at);
