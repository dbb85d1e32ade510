-- What operators look for. SQLite and PostgreSQL say this differently: see the index of the beginnings of names.

-- The person of the roster that a line is about, as its detail says: also before there is a member.
alter table audit add column person_id text;
update audit set person_id = json_extract(detail, '$.person') where detail like '%"person":"%';
create index audit_by_person on audit (person_id, at, id);

-- SQLite compares octet by octet unless told otherwise; member_email serves the beginnings of addresses.
create index roster_person_by_kana on roster_person (insurer, kana_folded, id);
