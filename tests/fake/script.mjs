// Scripted answers: an ordered list of entries, each with a matcher and a reply or a fault.

import { ERROR_TYPES } from './rejection.mjs';

/** Everything a reply may say; an unknown name is a typing mistake that would silently test nothing. */
const REPLY_FIELDS = new Set([
  // the message
  'content', 'stop_reason', 'stop_sequence', 'usage', 'refusal', 'pauseTurn', 'cutAfter', 'impossible',
  // an error instead of a message
  'status', 'type', 'message', 'details', 'headers', 'nonJson',
  // how it is delivered
  'cut', 'n', 'midStreamError', 'malformedSse', 'unknownEvent', 'pings', 'slowFirstByte', 'pauseAfter', 'hang', 'framing',
]);
const ENTRY_FIELDS = new Set(['match', 'reply', 'times', 'path', 'name']);
const MATCH_FIELDS = new Set(['bodyIncludes', 'model', 'stream']);

/** A hand-operated gate: whatever waits for `promise` goes on at `release()`. No timers. */
export function gate() {
  let release;
  const promise = new Promise((resolve) => {
    release = resolve;
  });
  return { promise, release };
}

export class Script {
  #entries = [];
  #gates = new Map();

  /** Appends entries; throws a `TypeError` for one that says something unknown or contradictory. */
  add(entries) {
    const list = [entries].flat();
    list.forEach(checkEntry);
    for (const entry of list) this.#entries.push({ entry, left: entry.times ?? 1 });
  }

  clear() {
    this.#entries = [];
    for (const { release } of this.#gates.values()) release();
    this.#gates.clear();
  }

  /** The reply of the first unused entry that accepts the request, used up; `undefined` without one. */
  take(request) {
    const found = this.#entries.find(({ entry, left }) => left > 0 && (entry.path ?? '/v1/messages') === request.path && accepts(entry.match, request));
    if (!found) return undefined;
    found.left -= 1;
    const reply = typeof found.entry.reply === 'function' ? found.entry.reply(request) : found.entry.reply;
    checkReply(reply);
    return reply;
  }

  /** Names (or positions) of entries that were not used up; a finished test expects none. */
  unused() {
    return this.#entries.flatMap(({ entry, left }, index) => (left > 0 && left !== Infinity ? [entry.name ?? `entry ${index}`] : []));
  }

  /** What a `slowFirstByte` or `pauseAfter.gate` waits for: a promise, a gate, or the name of a gate kept here. */
  waitFor(wanted) {
    if (typeof wanted !== 'string') return wanted.promise ?? wanted;
    if (!this.#gates.has(wanted)) this.#gates.set(wanted, gate());
    return this.#gates.get(wanted).promise;
  }

  /** Opens a gate by name, also before anything waits at it. */
  release(name) {
    this.waitFor(name);
    this.#gates.get(name).release();
  }
}

function accepts(match, request) {
  if (match === undefined) return true;
  if (typeof match === 'function') return Boolean(match(request));
  return (
    (match.bodyIncludes === undefined || JSON.stringify(request.body ?? null).includes(JSON.stringify(match.bodyIncludes).slice(1, -1))) &&
    (match.model === undefined || request.body?.model === match.model) &&
    (match.stream === undefined || Boolean(request.body?.stream) === match.stream)
  );
}

function known(value, names, what) {
  for (const name of Object.keys(value)) if (!names.has(name)) throw new TypeError(`fake: unknown field '${name}' in ${what}`);
}

function checkEntry(entry) {
  if (typeof entry !== 'object' || entry === null) throw new TypeError('fake: a script entry is an object');
  known(entry, ENTRY_FIELDS, 'a script entry');
  if (entry.match !== undefined && typeof entry.match !== 'function') known(entry.match, MATCH_FIELDS, 'a matcher');
  if (entry.reply === undefined) throw new TypeError('fake: a script entry needs a reply');
  if (entry.times !== undefined && !(entry.times > 0)) throw new TypeError('fake: times must be positive');
  if (typeof entry.reply !== 'function') checkReply(entry.reply);
}

function checkReply(reply) {
  if (typeof reply !== 'object' || reply === null) throw new TypeError('fake: a reply is an object');
  known(reply, REPLY_FIELDS, 'a reply');
  const { status, type } = reply;
  if (status !== undefined && !(status in ERROR_TYPES)) throw new TypeError(`fake: the API has no error status ${status}`);
  if (status !== undefined && type !== undefined && ERROR_TYPES[status] !== type) {
    throw new TypeError(`fake: status ${status} has the type ${ERROR_TYPES[status]}, not ${type}`);
  }
  if (status !== undefined && reply.content !== undefined) throw new TypeError('fake: an error carries no content');
  if (reply.cut !== undefined && reply.cut !== 'after-events') throw new TypeError("fake: cut is 'after-events'");
  if (reply.midStreamError && !Object.values(ERROR_TYPES).includes(reply.midStreamError.type)) {
    throw new TypeError(`fake: unknown error type ${reply.midStreamError.type}`);
  }
}
