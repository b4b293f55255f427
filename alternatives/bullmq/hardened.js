// BullMQ as its manual (docs.bullmq.io) says for work that must not be lost; each setting names its chapter.
import { Queue, UnrecoverableError, Worker } from 'bullmq';
import pg from 'pg';
import { HARDENED } from './store.js';

export function open() {
  const queue = new Queue('events', {
    connection: {
      url: process.env.REDIS_URL,
      // Patterns, Failing fast when Redis is down: an HTTP call is not kept waiting for a connection
      enableOfflineQueue: false,
      // Guide, Connections, Queue: "maybe 1 so that the user gets an error quickly and can retry later"
      maxRetriesPerRequest: 1,
    },
    defaultJobOptions: {
      // Guide, Retrying failing jobs: attempts, exponential backoff and jitter, as its example has them
      attempts: 8,
      backoff: { type: 'exponential', delay: 1000, jitter: 0.5 },
      // Guide, Queues, Auto-removal of jobs: "a handful of completed jobs", and every failed one
      removeOnComplete: 1000,
      removeOnFail: false,
    },
  });
  // Guide, Going to production, Log errors
  queue.on('error', (error) => console.error('queue:', error.message));
  // Guide, Jobs, Job Ids: a job with an existing id is ignored
  return { queue, enqueue: (event) => queue.add('record', event, { jobId: event.eventId }) };
}

export function work() {
  const pool = new pg.Pool({
    connectionString: process.env.DATABASE_URL,
    max: 20,
    // Patterns, Timeout jobs: BullMQ has no time-out of its own, so the processor brings one
    connectionTimeoutMillis: 3000,
    query_timeout: 5000,
  });
  pool.on('error', (error) => console.error('an idle connection broke:', error.code ?? error.message));
  const worker = new Worker(
    'events',
    async (job) => {
      try {
        await pool.query(HARDENED, [job.data.eventId, job.data.text]);
      } catch (error) {
        // Patterns, Stop retrying jobs: data that PostgreSQL refuses does not get better. Its message may quote the event
        if (/^2[23]/.test(error.code)) throw new UnrecoverableError(error.code);
        throw error;
      }
    },
    {
      connection: { url: process.env.REDIS_URL }, // maxRetriesPerRequest: null is a worker's own default
      // Guide, Workers, Concurrency
      concurrency: 20,
      // Guide, Workers, Stalled jobs: who held a job and is gone loses it within 15 s, by default 30 to 60
      lockDuration: 10_000,
      stalledInterval: 5_000,
      // Guide, Jobs, Stalled: "you can increase this number": a second stall must not fail a job for good
      maxStalledCount: 10,
    },
  );
  // Guide, Workers: "attach an error listener to your worker"
  worker.on('error', (error) => console.error('worker:', error.message));
  worker.on('failed', (job, error) => console.error(`job ${job?.id} failed: ${error.code ?? error.message}`));
  // Guide, Going to production, Gracefully shut-down workers
  const stop = async () => {
    await worker.close();
    await pool.end();
    process.exit(0);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  // Guide, Going to production, Unhandled exceptions and rejections
  process.on('uncaughtException', (error) => console.error('uncaught:', error.code ?? error.message));
  process.on('unhandledRejection', (error) => console.error('unhandled:', error?.code ?? error));
}
