// pg-boss as its introduction shows, with node-postgres's pool as that one's shows. A worker polls every 2 s for one job,
// and a job that fails is tried again twice at once (API, send: retryLimit, retryDelay).
import PgBoss from 'pg-boss';
import pg from 'pg';
import { DEFAULTS } from './store.js';

async function start() {
  const boss = new PgBoss(process.env.DATABASE_URL);
  boss.on('error', (error) => console.error('pg-boss:', error.code ?? error.name));
  await boss.start();
  return boss;
}

export async function open() {
  const boss = await start();
  return { enqueue: (event) => boss.send('events', { eventId: event.eventId, text: event.text }) };
}

export async function work() {
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
  pool.on('error', (error) => console.error('an idle connection broke:', error.code ?? error.message));
  const boss = await start();
  await boss.work('events', async ([job]) => {
    await pool.query(DEFAULTS, [job.data.eventId, job.data.text]);
  });
}
