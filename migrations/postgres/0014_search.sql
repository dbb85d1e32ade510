-- What operators look for. SQLite and PostgreSQL say this differently: see the index of the beginnings of names.

-- The person of the roster that a line is about, as its detail says: also before there is a member.
alter table audit add column person_id text;
update audit set person_id = detail::json ->> 'person' where detail like '%"person":"%';
create index audit_by_person on audit (person_id, at, id);

-- Octet by octet, whatever the collation of the database, or a beginning would be no range of the index.
create index roster_person_by_kana on roster_person (insurer, kana_folded collate "C", id);
create index member_by_email_start on member (insurer, email_key collate "C");
