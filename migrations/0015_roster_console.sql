-- Imports of the roster that are checked first, run in the background and can be undone.

-- What an import that was cut off left behind; from now on leases tell who is at work.
delete from roster_staging;
update roster_import set state = 'refused' where state = 'staging';

-- state is now: uploading | staging (being checked) | ready | applying | applied | refused | discarded
-- | undoing | undone
alter table roster_import add column stored boolean not null default false;  -- the file is in roster_file
alter table roster_import add column locale text;                            -- of who uploaded it
alter table roster_import add column file_bytes bigint not null default 0;
alter table roster_import add column read_bytes bigint not null default 0;
alter table roster_import add column read_rows bigint not null default 0;
alter table roster_import add column preview text;                           -- sealed JSON: what the check found
alter table roster_import add column problem text;                           -- JSON: why the file as a whole is refused
alter table roster_import add column reason text;
alter table roster_import add column decided_by text;                        -- who had it applied or discarded
alter table roster_import add column undone_by text;
alter table roster_import add column undo_reason text;
alter table roster_import add column undone_at bigint;
alter table roster_import add column undone text;                            -- JSON: what the undo did
alter table roster_import add column undoable boolean not null default false;
alter table roster_import add column attempts bigint not null default 0;     -- number of the lease
alter table roster_import add column leased_until bigint not null default 0;

-- One of an insurer at a time.
create unique index roster_import_one on roster_import (insurer)
    where state in ('staging', 'applying', 'undoing');
create index roster_import_by_time on roster_import (started_at, id);

-- Files: what was uploaded, until it is checked, and the rows that were refused, for who mends them.
create table roster_file (
    import_id text not null,
    kind      text not null,                         -- upload | refused
    part      bigint not null,                       -- from 0
    sealed    text not null,                         -- encrypted under the master key
    primary key (import_id, kind, part)
);

-- Persons that the last import of an insurer touched, as they were before it.
create table roster_before (
    import_id       text not null,
    person_id       text not null,
    what            text not null,                   -- replaced | carried | changed | lost
    moved_to        text,                            -- the identity that carried ones were given
    identity        text not null,
    person_key      text,
    category        text not null,
    symbol          text not null,
    number          text not null,
    branch          text,
    kana            text not null,
    kana_folded     text not null,
    birth_date      text not null,
    valid_from      text,
    valid_until     text,
    email           text,
    lost_at         bigint,
    temporary_since bigint not null,
    former_login    text,
    former_symbol   text,
    former_number   text,
    primary key (import_id, person_id)
);
