-- Who works in the operators' console: one role each, for one insurer or for all.
create table operator (
    id                  text primary key,
    email               text not null,
    email_key           text not null unique,        -- lower-cased: what is signed in with
    name                text not null,
    role                text not null,               -- administrator | office | client_manager | auditor
    insurer             text,                        -- portal code; null: every insurer
    locale              text not null,
    password_hash       text,
    totp_sealed         text,                        -- secret of the second factor, under the master key
    totp_step           bigint not null default 0,   -- time step of the newest code that was used (RFC 6238 §5.2)
    sessions_valid_from bigint not null default 0,   -- sessions from before are void
    setup_hash          text unique,                 -- SHA-256 of the one-time link that sets up the factors
    setup_expires_at    bigint,
    disabled_at         bigint,
    signed_in_at        bigint,
    created_at          bigint not null,
    updated_at          bigint not null
);

-- What opens in place of a code of the second factor, each once.
create table operator_recovery_code (
    operator_id text not null references operator (id),
    code_hash   text not null,                       -- keyed hash
    used_at     bigint,
    created_at  bigint not null,
    primary key (operator_id, code_hash)
);

-- The chain of the audit: a task numbers the lines and gives each a keyed hash over itself and the hash of
-- the line before. Acts only insert their lines, so they never wait for each other.
alter table audit add column seq bigint;             -- null: not linked yet
alter table audit add column hash text;
create unique index audit_by_seq on audit (seq);
create index audit_unlinked on audit (at, id) where seq is null;
create index audit_by_action on audit (action, at, id);
create index audit_by_actor on audit (actor, at, id);
create index audit_by_insurer on audit (insurer, at, id);

-- The end of the chain: one row.
create table audit_tip (
    id   text primary key,
    seq  bigint not null,
    hash text not null
);
insert into audit_tip (id, seq, hash) values ('audit', 0, '');

-- Lines of the audit by calendar day in Japan, counted as they are linked.
create table audit_daily (
    day     text not null,
    insurer text not null,                           -- empty: concerns none
    action  text not null,
    count   bigint not null,
    primary key (day, insurer, action)
);
