// pg-boss as its manual says for work that must not be lost; each setting names its chapter.
import PgBoss from 'pg-boss';
import pg from 'pg';
import { HARDENED } from './store.js';

// Seconds for which a dead worker may hold jobs, and of the first pause between tries.
const LEASE_S = Math.max(1, Math.round(Number(process.env.LEASE_S ?? 10)));
const BASE_S = Math.max(1, Math.round(Number(process.env.RETRY_BASE_S ?? 1)));
// node-postgres, Client: a query and a connect that do not end.
const LIMITS = { connectionTimeoutMillis: 3000, query_timeout: 5000 };

async function start() {
  const boss = new PgBoss({
    connectionString: process.env.DATABASE_URL,
    ...LIMITS,
    // Constructor, Maintenance options: expired jobs are looked for every minute otherwise
    maintenanceIntervalSeconds: 1,
  });
  boss.on('error', (error) => console.error('pg-boss:', error.code ?? error.name));
  await boss.start();
  return boss;
}

export async function open() {
  const boss = await start();
  const options = {
    // send, Retry options: an outage may be longer than any count, and pauses grow
    retryLimit: 1_000_000,
    retryDelay: BASE_S,
    // send, Expiration: a job of a worker that is gone fails, and is tried again; after 15 minutes otherwise
    expireInSeconds: LEASE_S,
  };
  return { enqueue: (event) => boss.send('events', { eventId: event.eventId, text: event.text }, options) };
}

export async function work() {
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 20, ...LIMITS });
  pool.on('error', (error) => console.error('an idle connection broke:', error.code ?? error.message));
  const boss = await start();
  // work: several workers of a batch each, so that a poll costs less than an event
  const options = { batchSize: 20, pollingIntervalSeconds: 0.5 };
  for (let n = 0; n < 4; n += 1) {
    await boss.work('events', options, async (jobs) => {
      await Promise.all(jobs.map((job) => pool.query(HARDENED, [job.data.eventId, job.data.text])));
    });
  }
  // stop: jobs in progress end first; and what is thrown outside of a job does not end the process
  process.on('SIGTERM', async () => {
    await boss.stop({ graceful: true, wait: true, timeout: 5000 });
    process.exit(0);
  });
  process.on('unhandledRejection', (error) => console.error('unhandled:', error?.code ?? error?.name));
}
