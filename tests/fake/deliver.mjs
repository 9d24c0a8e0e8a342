// Writing an answer to the socket: as JSON or as a stream, whole or with a scripted fault.
//
// Every function resolves to the request's outcome: `answered`, `cut` (the fake dropped the connection on purpose) or
// `aborted` (the client went away first).

import { setImmediate } from 'node:timers/promises';
import { ERROR_TYPES, errorBody } from './rejection.mjs';
import { chunked, eventBytes, messageEvents } from './sse.mjs';

const STATUS_OF_TYPE = Object.fromEntries(Object.entries(ERROR_TYPES).reverse().map(([status, type]) => [type, Number(status)]));

const gone = new WeakMap();

/** Resolves when the client closes the connection before the answer is complete. One listener per answer. */
function clientGone(res) {
  if (!gone.has(res)) {
    gone.set(res, new Promise((resolve) => (res.destroyed ? resolve('aborted') : res.once('close', () => resolve('aborted')))));
  }
  return gone.get(res);
}

/** Waits for something, or for the client to leave. True if the client is still there. */
async function stays(res, wanted) {
  return (await Promise.race([Promise.resolve(wanted).then(() => 'here'), clientGone(res)])) === 'here' && !res.destroyed;
}

/** Answers nothing until the client gives up. */
export const hang = (res) => clientGone(res);

export async function sendJson(res, status, headers, value) {
  return send(res, status, { ...headers, 'content-type': 'application/json' }, Buffer.from(JSON.stringify(value)));
}

async function send(res, status, headers, bytes) {
  if (res.destroyed) return 'aborted';
  res.writeHead(status, { ...headers, 'content-length': bytes.length });
  const sent = new Promise((resolve) => res.end(bytes, () => resolve('answered')));
  return Promise.race([sent, clientGone(res)]);
}

/** Sends a scripted error. 413 may come from the network in front of the API and is then not JSON. */
export function sendFault(res, headers, fault, requestId) {
  const all = { ...headers, ...fault.headers };
  if (fault.nonJson) {
    return send(res, fault.status, { ...all, 'content-type': 'text/html' }, Buffer.from(`<html><title>${fault.status}</title></html>`));
  }
  const message = fault.message ?? `Scripted ${ERROR_TYPES[fault.status]}.`;
  return sendJson(res, fault.status, all, errorBody({ type: ERROR_TYPES[fault.status], message, details: fault.details }, requestId));
}

/** Sends a message as JSON, with the faults that make sense without a stream. */
export async function sendMessage(res, headers, message, reply, requestId, begins) {
  if (reply.midStreamError) {
    return sendFault(res, headers, { status: STATUS_OF_TYPE[reply.midStreamError.type], ...reply.midStreamError }, requestId);
  }
  begins();
  if (!reply.cut && !reply.malformedSse) return sendJson(res, 200, headers, message);
  const bytes = Buffer.from(JSON.stringify(message));
  const half = bytes.subarray(0, Math.floor(bytes.length / 2));
  if (reply.malformedSse) return send(res, 200, { ...headers, 'content-type': 'application/json' }, half);
  res.writeHead(200, { ...headers, 'content-type': 'application/json', 'content-length': bytes.length });
  return cutAfter(res, [half]);
}

/**
 * Streams a message.
 * @param {object} plan `{message, cutInputs, reply, random, waitFor, requestId, begins}`; `begins` is called with the
 *   first byte.
 */
export async function streamMessage(res, headers, { message, cutInputs, reply, random, waitFor, requestId, begins }) {
  const events = messageEvents(message, { random, cutInputs, pings: reply.pings, unknownEvent: reply.unknownEvent });
  const broken = breakEvents(events, reply, requestId);
  const frames = broken.map((event) => eventBytes(event, reply.framing));
  if (reply.framing?.bom) frames.unshift(Buffer.from('\uFEFF'));

  if (res.destroyed) return 'aborted';
  res.writeHead(200, { ...headers, 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  begins();
  if (reply.cut) return cutAfter(res, chunked(Buffer.concat(frames), random));
  const pause = reply.pauseAfter?.n ?? frames.length;
  if (!(await write(res, chunked(Buffer.concat(frames.slice(0, pause)), random)))) return 'aborted';
  if (reply.pauseAfter) {
    if (!(await stays(res, waitFor(reply.pauseAfter.gate)))) return 'aborted';
    if (!(await write(res, chunked(Buffer.concat(frames.slice(pause)), random)))) return 'aborted';
  }
  const ended = new Promise((resolve) => res.end(() => resolve('answered')));
  return Promise.race([ended, clientGone(res)]);
}

/** Waits at a gate before the first byte. */
export const waitsAt = (res, wanted) => stays(res, wanted);

/** Applies a fault that changes what is streamed: a cut, an error event, or data that is not JSON. */
function breakEvents(events, { cut, n, midStreamError, malformedSse }, requestId) {
  const inTheMiddle = n ?? Math.max(2, Math.floor(events.length / 2));
  if (cut) return events.slice(0, n ?? inTheMiddle);
  if (midStreamError) {
    const { type, message = `Scripted ${type}.`, details } = midStreamError;
    return [...events.slice(0, midStreamError.n ?? inTheMiddle), { event: 'error', data: errorBody({ type, message, details }, requestId) }];
  }
  if (malformedSse) {
    const kept = events.slice(0, inTheMiddle);
    return [...kept, { event: 'content_block_delta', data: '{"type":"content_block_delta","index":0,"delta":{"type":"text_del' }];
  }
  return events;
}

/** Writes chunk by chunk, each on its own turn of the event loop. False if the client left. */
async function write(res, chunks) {
  for (const chunk of chunks) {
    if (res.destroyed) return false;
    // A write to a connection that closes meanwhile may never call back.
    const written = new Promise((resolve) => res.write(chunk, (error) => resolve(error ? 'failed' : 'written')));
    if ((await Promise.race([written, clientGone(res)])) !== 'written') return false;
    await setImmediate();
  }
  return !res.destroyed;
}

/** Writes, then drops the connection without the end of the body. */
async function cutAfter(res, chunks) {
  if (!(await write(res, chunks))) return 'aborted';
  res.socket.destroySoon();
  return 'cut';
}
