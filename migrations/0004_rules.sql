-- Changes of category, reports of registrations by somebody else, and counts that must not be outrun.

-- Whose category changed goes on with the login ID from before until the new one is set up.
alter table roster_person add column former_login text;   -- number | email
alter table roster_person add column former_symbol text;  -- of a former number
alter table roster_person add column former_number text;
create index roster_person_by_former_number on roster_person (insurer, former_symbol, former_number);

-- Somebody said 「身に覚えのない登録」: nobody registers as this person until the office has looked.
alter table roster_person add column stopped_at bigint;

-- Links of the notices that an activation began or ended.
create table activation_notice (
    token_hash text primary key,                     -- SHA-256 of the mailed token
    person_id  text not null references roster_person (id),
    created_at bigint not null,
    expires_at bigint not null,
    used_at    bigint
);
create index activation_notice_by_expiry on activation_notice (expires_at);

-- Mails with the link of a registration, to count those of a person.
create table registration_mail (
    id        text primary key,
    person_id text not null,
    sent_at   bigint not null
);
create index registration_mail_by_person on registration_mail (person_id, sent_at);

-- Failed sign-ins, counted by member (or nobody), client address and hour.
create table sign_in_failure (
    insurer   text not null,                         -- empty where the login ID stands for nobody
    member_id text not null,                         -- likewise
    address   text not null,                         -- keyed hash
    hour      bigint not null,                       -- hours since the epoch
    id        text not null,
    count     bigint not null,
    last_at   bigint not null,
    primary key (insurer, member_id, address, hour)
);
create index sign_in_failure_by_member on sign_in_failure (member_id, last_at);
create index sign_in_failure_by_age on sign_in_failure (last_at);
