// An event of the contract: validated, and kept as the text that was sent.
import { randomUUID } from 'node:crypto';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const RFC3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.\d+)?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;
const EARLIEST = Date.UTC(2000, 0, 1);
const AHEAD_MS = 86_400_000;
const TEXT = ['principalId', 'organizationId', 'targetResourceType', 'targetResourceId', 'outcomeDescription',
  'correlationId', 'retentionPolicy', 'eventVersion'];
const ONE_OF = {
  status: ['attempt', 'success', 'failure'],
  dataClassification: ['PUBLIC', 'INTERNAL', 'CONFIDENTIAL', 'PHI'],
};

export class Refused extends Error {
  constructor(field, why, status = 422) {
    super(`${field}: ${why}`);
    Object.assign(this, { field, why, status });
  }
}

// The event's id and its text. Throws Refused for what the contract does not take.
export function accept(body, now = Date.now()) {
  const { event, text } = parsed(body);
  for (const name of ['timestamp', 'action', 'status']) {
    if (typeof event[name] !== 'string') throw new Refused(name, 'required, as text');
  }
  if (event.action === '') throw new Refused('action', 'expected text that is not empty');
  for (const name of TEXT) {
    if (event[name] != null && typeof event[name] !== 'string') throw new Refused(name, 'expected text');
  }
  for (const [name, values] of Object.entries(ONE_OF)) {
    if (event[name] != null && !values.includes(event[name])) throw new Refused(name, `expected ${values.join('|')}`);
  }
  if (event.ttl != null && !Number.isSafeInteger(event.ttl)) throw new Refused('ttl', 'expected whole seconds');
  checkInstant(event.timestamp, now);
  return identified(event, text);
}

function parsed(body) {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    const event = JSON.parse(text, wellFormed);
    if (event !== null && typeof event === 'object' && !Array.isArray(event)) return { event, text };
  } catch (error) {
    if (error instanceof Refused) throw error;
  }
  throw new Refused('event', 'expected one JSON object in UTF-8', 400);
}

function wellFormed(name, value) {
  if (!name.isWellFormed() || (typeof value === 'string' && !value.isWellFormed())) {
    throw new Refused(name.toWellFormed(), 'expected text without lone surrogates');
  }
  return value;
}

// The id is the idempotency key, in lower case; one that is missing is assigned.
function identified(event, text) {
  if (event.eventId == null) {
    const eventId = randomUUID();
    return { eventId, text: JSON.stringify({ ...event, eventId }) };
  }
  if (typeof event.eventId !== 'string' || !UUID.test(event.eventId)) throw new Refused('eventId', 'expected a UUID');
  return { eventId: event.eventId.toLowerCase(), text };
}

function checkInstant(sent, now) {
  const found = RFC3339.exec(sent);
  if (!found) throw new Refused('timestamp', 'expected an RFC 3339 instant with its offset');
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number);
  const local = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  if (local.getUTCMonth() !== month - 1 || local.getUTCDate() !== day) {
    throw new Refused('timestamp', 'expected a day that exists');
  }
  const offset = found[7] ? (found[7] === '+' ? 1 : -1) * (Number(found[8]) * 60 + Number(found[9])) : 0;
  const instant = local.getTime() - offset * 60_000;
  if (instant < EARLIEST || instant > now + AHEAD_MS) {
    throw new Refused('timestamp', 'expected an instant from 2000-01-01 to 24 hours from now');
  }
}
