// What a job does in PostgreSQL: one event, one transaction. The same tables as those of alternatives/common, but that
// the event is kept as `json`, the text that was sent: JavaScript's numbers lose integers beyond 2^53 and 1e400.
import pg from 'pg';

const SCHEMA = `
create table if not exists event_key (event_id uuid primary key);
create table if not exists event_log (
    position bigint generated always as identity,
    event_id uuid not null,
    event json not null
)`;

// As a quick start would: nothing keeps an event out that is there already, so a job that runs twice shows.
export const DEFAULTS = 'insert into event_log (event_id, event) values ($1, $2)';

// As the manual asks (Patterns, Idempotent jobs): the key decides, in the same transaction.
export const HARDENED = `
with new as (insert into event_key values ($1) on conflict do nothing returning event_id)
insert into event_log (event_id, event) select event_id, $2 from new`;

export async function migrate() {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
  await client.query(SCHEMA);
  await client.end();
}
