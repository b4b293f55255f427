// POST /events validates, lets BullMQ add a job, and answers 202 once that has returned; the failed jobs are told at
// /dead-letters. 503 is answered where ioredis says that it sent nothing, 504 where nobody knows.
import { createServer } from 'node:http';
import { accept, Refused } from './event.js';

const MAX_BYTES = 1_000_000;
// Milliseconds that an idle connection is kept: fewer than a client may pause would break its next request.
const KEEP_ALIVE_MS = 120_000;
// ioredis, when the connection is away and `enableOfflineQueue` is false.
const NOT_SENT = /^Stream isn't writeable and enableOfflineQueue/;
// What is told of an exception's message, which may hold the event's content: a SQLSTATE, or BullMQ's own sentence.
const TOLD = /^(?:[0-9A-Z]{5}|job stalled more than allowable limit)$/;

export function serve({ queue, enqueue }) {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://intake');
    if (request.method === 'POST' && url.pathname === '/events') return answer(response, ...(await take(request, enqueue)));
    if (url.pathname === '/health') return answer(response, 200, { healthScore: 100 });
    if (url.pathname === '/dead-letters') return tell(response, queue, url.searchParams);
    return answer(response, 404, { error: 'no such path' });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(Number(process.env.HTTP_PORT), '127.0.0.1');
  process.on('SIGTERM', () => {
    server.close(() => process.exit(0)); // what is under way is answered first
    server.closeIdleConnections();
    setTimeout(() => process.exit(0), 5000).unref();
  });
}

async function take(request, enqueue) {
  try {
    const event = accept(await read(request));
    await enqueue(event);
    return [202, { eventId: event.eventId }];
  } catch (error) {
    if (error instanceof Refused) return [error.status, { field: error.field, error: error.why }];
    if (NOT_SENT.test(error.message)) return [503, { error: 'the queue is not reachable' }, { 'Retry-After': '1' }];
    console.error('not known whether an event was enqueued:', error.code ?? error.name);
    return [504, { error: 'the queue did not say whether it has the event' }];
  }
}

async function read(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= MAX_BYTES) chunks.push(chunk); // the rest is read and dropped, so that the answer can be heard
  }
  if (size > MAX_BYTES) throw new Refused('event', `expected at most ${MAX_BYTES} bytes`, 413);
  return Buffer.concat(chunks);
}

function answer(response, status, body, headers = {}) {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

// Guide, Jobs, Getters: the failed jobs, oldest first, one a line.
async function tell(response, queue, asked) {
  try {
    const [offset, limit] = [Number(asked.get('offset') ?? 0), Number(asked.get('limit') ?? 1000)];
    const total = await queue.getFailedCount();
    const jobs = limit ? await queue.getJobs(['failed'], offset, offset + limit - 1, true) : [];
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson', 'Total-Count': `${total}` });
    response.end(jobs.filter(Boolean).map((job) => `${letter(job)}\n`).join(''));
  } catch (error) {
    answer(response, 503, { error: error.code ?? error.name });
  }
}

// BullMQ keeps the time of a job's last failure, and of the first only where that is the same.
export function letter(job) {
  const history = (job.stacktrace ?? []).map((trace) => ({ error: kind(trace) }));
  const at = new Date(job.finishedOn).toISOString();
  const told = {
    event_id: job.data.eventId,
    cause: history.at(-1)?.error ?? kind(job.failedReason),
    attempts: job.attemptsMade,
    first_failed_at: job.attemptsMade === 1 ? at : null,
    last_failed_at: at,
    history,
  };
  return `{"event":${job.data.text.replace(/[\r\n]/g, ' ')},${JSON.stringify(told).slice(1)}`;
}

// Of a trace or a reason: the kind of error, and as much of its message as may be told.
function kind(text) {
  const line = (text ?? '').split('\n', 1)[0];
  if (TOLD.test(line)) return line;
  const [, name, said] = /^([\w$.]*[Ee]rror)(?: \[\w+\])?(?:: (.*))?$/.exec(line) ?? [null, 'Error', ''];
  return TOLD.test(said) ? `${name} ${said}` : name;
}
