// BullMQ as its quick start shows (Guide, Queues and Workers), with node-postgres's pool as that one's shows.
import { Queue, Worker } from 'bullmq';
import pg from 'pg';
import { DEFAULTS } from './store.js';

const connection = { url: process.env.REDIS_URL };

export function open() {
  const queue = new Queue('events', { connection });
  return { queue, enqueue: (event) => queue.add('record', event) };
}

export function work() {
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
  pool.on('error', (error) => console.error('an idle connection broke:', error.code ?? error.message));
  const worker = new Worker(
    'events',
    async (job) => {
      await pool.query(DEFAULTS, [job.data.eventId, job.data.text]);
    },
    { connection },
  );
  worker.on('failed', (job, error) => console.error(`job ${job?.id} failed: ${error.code ?? error.message}`));
}
