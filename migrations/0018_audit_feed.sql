-- How far the audit was sent on to a log outside; see src/operators/feed.rs.
create table audit_feed (
    id           text primary key,                    -- 'audit', the only row
    seq          bigint not null,                     -- number of the last line that was sent on
    holder       text not null,                       -- node that sends
    leased_until bigint not null                      -- until when no other node does
);
insert into audit_feed (id, seq, holder, leased_until) values ('audit', 0, '', 0);
