-- What makes visible that stored events were changed or deleted behind the reference's back.
-- Stop the workers of an older version first: what they store from here on would be missing from the heads.

lock table audit_log in share row exclusive mode;

-- What each lane has stored: how many rows, and the sum of a number that each row's id and hash give. In the same
-- transaction as the rows. Lane −1: what no lane stored, or retention took away. Lane −2: rows of the integrity log.
create table audit_head (
    lane integer primary key,
    rows bigint not null,
    sum numeric not null
);
insert into audit_head select -1, count(*), coalesce(sum(hashbyteaextended(hash, id)), 0) from audit_log;
insert into audit_head select -2, count(*), 0 from audit_integrity_log;

-- A dead id whose letter is gone was dropped, or has lost it.
alter table audit_event_key add dropped boolean not null default false;
update audit_event_key key set dropped = true
where dead and not exists (select from audit_dead_letter letter where letter.event_id = key.event_id);
-- A letter that is no event of ours has the hash of its bytes.
update audit_event_key key set hash = sha256(event)
from audit_dead_letter letter where letter.event_id = key.event_id and key.hash = '';

-- Whoever connects as the owner cannot change a stored event by accident, nor by injection, unless it first grants
-- itself the right. The column is no part of an event: the lock of a foreign key asks for some column.
do $$
declare
    relation regclass;
begin
    for relation in select 'audit_log'::regclass union all select inhrelid from pg_inherits
        where inhparent = 'audit_log'::regclass
    loop
        execute format('revoke update, delete, truncate on %s from current_user', relation);
        execute format('grant update (archived_at) on %s to current_user', relation);
    end loop;
end $$;
