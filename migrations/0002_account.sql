-- What members change on their own accounts.

-- A change of address whose mailed link is out; one a member, a newer one replaces the older.
create table email_change (
    member_id  text primary key references member (id),
    token_hash text not null unique,              -- SHA-256 of the mailed token
    email      text not null,
    email_key  text not null,
    locale     text not null,
    created_at bigint not null,
    expires_at bigint not null
);

-- Every change of 配信設定, appended and never changed: the proof behind table preference.
create table preference_change (
    member_id  text not null references member (id),
    topic      text not null,
    seq        bigint not null,                   -- 1, 2, 3… for each topic of a member
    wanted     boolean not null,
    wording    text not null,
    changed_at bigint not null,
    primary key (member_id, topic, seq)
);
insert into preference_change (member_id, topic, seq, wanted, wording, changed_at)
    select member_id, topic, 1, wanted, wording, changed_at from preference;

-- Members who asked the office to delete their account.
create table deletion_request (
    member_id    text primary key references member (id),
    requested_at bigint not null
);

-- When the consent began; granted_at moves with every scope that is added. What was granted before a
-- withdrawal does not come back with the next consent.
alter table consent add column first_granted_at bigint not null default 0;
update consent set first_granted_at = granted_at;
