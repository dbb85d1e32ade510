-- The operators' desk: whom a mail was for, addresses that bounce, and systems that are told of what happens.

-- Whom a mail is for, without the address: its masked form for people, a keyed hash to find it again.
alter table outbox add column insurer text;           -- portal code; null: the service itself
alter table outbox add column recipient text;         -- masked
alter table outbox add column recipient_mac text;     -- keyed hash
create index outbox_by_age on outbox (created_at, id);
create index outbox_by_state on outbox (state, created_at, id);
create index outbox_by_recipient on outbox (recipient_mac, state);

-- Addresses that the office learnt do not exist (any more): nothing is sent there.
create table bounce (
    recipient_mac text primary key,
    id            text not null unique,
    insurer       text,                               -- as of the mail that came back
    recipient     text not null,                      -- masked
    kind          text not null,                      -- kind of the mail that came back
    created_at    bigint not null
);
create index bounce_by_age on bounce (created_at, id);

create index delivery_by_age on delivery (created_at, id);
create index delivery_by_state on delivery (state, created_at, id);
create index delivery_by_target on delivery (target, created_at, id);

-- Systems that are told of what happens (webhooks).
create table webhook (
    id          text primary key,
    name        text not null,
    url         text not null,
    events      text not null,                        -- names of events, a space before and after each
    insurer     text,                                 -- null: of every insurer
    client_id   text,                                 -- members are named as this client knows them
    secrets     text not null,                        -- JSON: sealed, the newest last
    disabled_at bigint,
    created_at  bigint not null,
    updated_at  bigint not null
);

-- What happened and is told to at least one of them: identifiers alone, never names, numbers or addresses.
create table webhook_event (
    id        text primary key,
    type      text not null,
    insurer   text,
    member_id text,
    client_id text,
    at        bigint not null
);
create index webhook_event_by_age on webhook_event (at);

-- When the loss of the eligibility was noticed and told; null while there is nothing to tell.
alter table member add column eligibility_lost_at bigint;
