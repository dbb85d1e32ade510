-- Which state of a client it is: a change is written only over the state that it was made from.
alter table client add column version bigint not null default 1;
create index client_by_age on client (created_at, id);
