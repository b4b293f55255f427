// A processor of your own events to start from: `intake` accepts them over HTTP and queues them, `work` stores them.
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import express from 'express';
import { Redis } from 'ioredis';
import pg from 'pg';

const SCHEMA = JSON.parse(readFileSync('event.schema.json', 'utf8')); // beside target.toml, where commands run
const Validator = /draft-0\d/.test(SCHEMA.$schema) ? Ajv : Ajv2020;
const satisfies = new Validator({ strict: false, validateFormats: false }).compile(SCHEMA);
const ID = ['id']; // where the id is in an event
const INSERT = `
  insert into events (event_id, event) select id, event::json from unnest($1::text[], $2::text[]) as new (id, event)
  on conflict do nothing`;

// The id of a valid event. Throws an Error that names the member.
function accepted(body) {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  const event = JSON.parse(text, wellFormed);
  if (!satisfies(event)) throw new Error(`${satisfies.errors[0].instancePath} violates ${satisfies.errors[0].keyword}`);
  return String(ID.reduce((value, name) => value[name], event));
}

// Refuse a lone surrogate, which UTF-8 cannot hold.
function wellFormed(name, value) {
  if (!name.isWellFormed() || (typeof value === 'string' && !value.isWellFormed())) throw new Error('a lone surrogate');
  return value;
}

// Fail at once while Redis is unavailable, and never send a command again by itself: it may have been carried out.
function connected() {
  const queue = new Redis(process.env.REDIS_URL, {
    commandTimeout: 2000,
    connectTimeout: 2000,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 200,
  });
  return queue.on('error', () => {}); // the command that fails reports it
}

// Serve until SIGTERM; open requests end first.
function intake() {
  const queue = connected();
  const app = express();
  // 202 once Redis has the event; 400 names the mistake in it; 504 means that the outcome is unknown
  app.post('/events', express.raw({ type: () => true, limit: '2mb' }), async (request, response) => {
    let id;
    try {
      id = accepted(request.body);
    } catch (error) {
      return response.status(400).json({ error: error.message });
    }
    try {
      await queue.xadd('events', '*', 'id', id, 'event', request.body);
    } catch (error) {
      return response.status(504).json({ error: error.name });
    }
    return response.status(202).json({ id });
  });
  app.get('/health', (_, response) => response.json({})); // any response means that the process is up
  const server = app.listen(Number(process.env.HTTP_PORT), '127.0.0.1');
  server.keepAliveTimeout = 75_000;
  process.on('SIGTERM', () => {
    server.close(() => process.exit());
    server.closeIdleConnections();
    setTimeout(() => process.exit(), 5000).unref();
  });
}

// Store, then delete from the queue: a crash in between stores again, and the primary key prevents duplicates.
async function store(queue, database) {
  const batch = await queue.xrange('events', '-', '+', 'COUNT', 200); // from the head, which preserves order
  if (!batch.length) return pause(50);
  const fields = batch.map(([, fields]) => fields); // 'id', its value, 'event', its value
  await database.query(INSERT, [fields.map(([, id]) => id), fields.map(([, , , event]) => event)]);
  return queue.xdel('events', ...batch.map(([number]) => number));
}

// Store until killed and retry after errors. SIGTERM is safe at any time: no event is held in memory alone.
async function work() {
  const queue = connected();
  for (;;) {
    const database = new pg.Client({
      connectionString: process.env.DATABASE_URL,
      connectionTimeoutMillis: 3000,
      query_timeout: 5000,
    });
    database.on('error', () => {}); // the next query reports it
    try {
      await database.connect();
      for (;;) await store(queue, database);
    } catch (error) {
      console.log(error.code ?? error.name); // an event's content stays out of the log
      database.end().catch(() => {});
      await pause(500);
    }
  }
}

// Create the table, once. `json` stores the text unchanged; `jsonb` would not (-0.0, 1e400, NUL).
async function setup() {
  const database = new pg.Client({ connectionString: process.env.DATABASE_URL });
  await database.connect();
  await database.query(`create table events (
    event_id text primary key, event json not null, position bigint generated always as identity)`);
  await database.end();
}

await { intake, work, setup }[process.argv[2]]();
