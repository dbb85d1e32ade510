-- One schema for SQLite and PostgreSQL. Identifiers are text, instants are milliseconds since the
-- epoch in bigint, calendar dates are ISO text, lists and settings are JSON in text.

-- Who is eligible: one row a person of an insurer's roster (適用台帳).
create table roster_person (
    id                    text primary key,
    insurer               text not null,             -- portal code of the insurer
    identity              text not null,             -- what makes the person the same in the next file
    person_key            text,
    category              text not null,             -- insured | dependent | voluntary
    symbol                text not null,
    number                text not null,
    branch                text,
    kana                  text not null,             -- full-width katakana
    kana_folded           text not null,             -- the form that matching compares
    birth_date            text not null,
    valid_from            text,                      -- first day of eligibility, null: always was
    valid_until           text,                      -- last day of eligibility, null: open
    email                 text,
    lost_at               bigint,                    -- vanished from a full roster
    temporary_since       bigint not null,           -- when the temporary password was issued
    temporary_failures    bigint not null default 0, -- wrong guesses of it
    temporary_kana_misses bigint not null default 0, -- right birth date, wrong name
    temporary_void_at     bigint,                    -- the operator must reissue
    created_at            bigint not null,
    updated_at            bigint not null,
    unique (insurer, identity)
);
create index roster_person_by_number on roster_person (insurer, symbol, number, category);

create table roster_import (
    id          text primary key,
    insurer     text not null,
    file_name   text not null,
    actor       text not null,
    complete    boolean not null,                    -- a full roster: who is not in it loses eligibility
    state       text not null,                       -- staging | applied | refused
    added       bigint not null default 0,
    changed     bigint not null default 0,
    unchanged   bigint not null default 0,
    lost        bigint not null default 0,
    refused     bigint not null default 0,
    started_at  bigint not null,
    finished_at bigint
);

-- Rows of an import before it is applied; empty again afterwards.
create table roster_staging (
    import_id   text not null,
    line        bigint not null,
    identity    text not null,
    person_key  text,
    category    text not null,
    symbol      text not null,
    number      text not null,
    branch      text,
    kana        text not null,
    kana_folded text not null,
    birth_date  text not null,
    valid_from  text,
    valid_until text,
    email       text,
    primary key (import_id, identity)
);

-- An account bound to one person of the roster. Its id is the subject and never changes.
create table member (
    id                  text primary key,
    insurer             text not null,
    person_id           text not null unique references roster_person (id),
    state               text not null,               -- active | reset | frozen | closed
    email               text,
    email_key           text,                        -- lower-cased, for uniqueness and for e-mail login IDs
    email_verified_at   bigint,
    kana                text,
    password_hash       text,
    password_changed_at bigint,
    sessions_valid_from bigint not null default 0,   -- sessions and grants from before are void
    locale              text not null,
    activated_by        text,                        -- id of the registration that activated it
    activated_at        bigint,
    created_at          bigint not null,
    updated_at          bigint not null
);
create unique index member_email on member (insurer, email_key);
create index member_by_email on member (email_key);  -- e-mail login IDs, of whichever insurer

-- First-time registrations whose mailed link is out; one a person, a newer one replaces the older.
create table registration (
    id            text primary key,
    person_id     text not null unique references roster_person (id),
    person_mark   text not null,                     -- keyed hash of the person as matched; a change ends it
    insurer       text not null,
    token_hash    text not null unique,              -- SHA-256 of the mailed token
    browser       text not null,                     -- SHA-256 of the browser binding it was started in
    interaction   text not null,                     -- the parked authorization request
    client_id     text,
    email         text not null,
    email_key     text not null,
    kana          text not null,
    password_hash text not null,
    preferences   text not null,                     -- JSON
    receipts      text not null,                     -- JSON: documents accepted, with version, hash and time
    locale        text not null,
    misses        bigint not null default 0,         -- wrong passwords at the link
    sends         bigint not null default 1,
    created_at    bigint not null,
    sent_at       bigint not null,
    expires_at    bigint not null
);

-- Texts that members accept; a published version never changes.
create table document (
    insurer      text not null,
    kind         text not null,                      -- privacy | terms
    version      text not null,
    locale       text not null,
    title        text not null,
    body         text not null,
    hash         text not null,                      -- SHA-256 of title and body
    published_at bigint not null,
    primary key (insurer, kind, version, locale)
);

-- Proof that a member accepted a document.
create table receipt (
    id          text primary key,
    member_id   text not null references member (id),
    kind        text not null,
    version     text not null,
    locale      text not null,
    hash        text not null,
    accepted_at bigint not null
);
create index receipt_by_member on receipt (member_id, kind, accepted_at);

-- 配信設定: what a member wants to be sent, with the wording that was agreed to.
create table preference (
    member_id  text not null references member (id),
    topic      text not null,
    wanted     boolean not null,
    wording    text not null,
    changed_at bigint not null,
    primary key (member_id, topic)
);

create table client (
    id          text primary key,                    -- client_id
    metadata    text not null,                       -- JSON, the names of OIDC Registration §2 where it has one
    secrets     text not null,                       -- JSON: SHA-256 of each valid secret
    disabled_at bigint,
    created_at  bigint not null,
    updated_at  bigint not null
);

-- Which scopes a member lets a client have.
create table consent (
    member_id  text not null references member (id),
    client_id  text not null references client (id),
    scope      text not null,
    granted_at bigint not null,
    primary key (member_id, client_id)
);

-- Pairwise subject identifiers (OIDC Core §8.1): random, kept for ever.
create table pairwise_subject (
    sector     text not null,
    member_id  text not null references member (id),
    sub        text not null unique,
    created_at bigint not null,
    primary key (sector, member_id)
);

create table signing_key (
    kid          text primary key,
    alg          text not null,
    state        text not null,                      -- next | active | retired
    private_key  text not null,                      -- JWK, encrypted under the master key
    public_key   text not null,                      -- JWK
    created_at   bigint not null,
    activated_at bigint,
    retired_at   bigint
);
-- One key signs and one waits, however many nodes start or rotate at once.
create unique index signing_key_one on signing_key (alg, state) where state <> 'retired';

-- Mails to send. The sealed content is erased when the mail is out.
create table outbox (
    id              text primary key,
    kind            text not null,
    sealed          text,                            -- address and content, encrypted under the master key
    state           text not null,                   -- queued | sent | failed
    attempts        bigint not null default 0,
    last_error      text,
    next_attempt_at bigint not null,
    leased_until    bigint not null default 0,
    give_up_at      bigint not null,
    created_at      bigint not null,
    finished_at     bigint
);
create index outbox_due on outbox (state, next_attempt_at);

-- What happened, appended and never changed.
create table audit (
    id        text primary key,
    at        bigint not null,
    actor     text not null,                         -- member:ID, client:ID, operator:NAME or system
    action    text not null,
    insurer   text,
    member_id text,
    client_id text,
    detail    text not null                          -- JSON without personal data
);
create index audit_by_member on audit (member_id, at);
create index audit_by_time on audit (at);

-- The embedded engine of the ephemeral records (src/ephemeral/sql.rs).
create table ephemeral_record (
    key        text primary key,
    value      text not null,
    expires_at bigint not null
);
create index ephemeral_record_expiry on ephemeral_record (expires_at);

create table ephemeral_count (
    key        text primary key,
    count      bigint not null,
    expires_at bigint not null
);
create index ephemeral_count_expiry on ephemeral_count (expires_at);

create table ephemeral_tag (
    tag        text not null,
    member     text not null,
    expires_at bigint not null,
    primary key (tag, member)
);
create index ephemeral_tag_expiry on ephemeral_tag (expires_at);
