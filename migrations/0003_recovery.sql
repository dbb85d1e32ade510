-- Those who forgot their login ID or their password, and those whose registration an operator reset.

-- Mailed links: one a member and kind, a newer one replaces the older.
create table recovery (
    id          text primary key,
    kind        text not null,                       -- login_id | password
    member_id   text not null references member (id),
    token_hash  text not null unique,                -- SHA-256 of the mailed token
    browser     text not null,                       -- SHA-256 of the browser binding that asked
    interaction text,                                -- the parked authorization request to go back to
    locale      text not null,
    misses      bigint not null default 0,           -- wrong birth dates at the link
    created_at  bigint not null,
    expires_at  bigint not null,
    used_at     bigint,
    unique (member_id, kind)
);
create index recovery_by_expiry on recovery (expires_at);
create index if not exists member_by_email on member (email_key);

-- One-time codes that the office hands over for an activation.
create table activation_code (
    person_id  text primary key references roster_person (id),
    code_hash  text not null,                        -- keyed hash
    misses     bigint not null default 0,            -- wrong codes with the right birth date
    created_at bigint not null,
    expires_at bigint not null
);
