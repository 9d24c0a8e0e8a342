// `cache_control` marks: their shape, number, order and where they may stand.

import { refuse } from './rejection.mjs';
import { fields, oneOf } from './shape.mjs';

/** A request may name at most four points up to which the prompt is cached. */
const MAX_BREAKPOINTS = 4;

export const cacheControl = (value, path) => fields(value, path, { type: oneOf('ephemeral') }, { ttl: oneOf('5m', '1h') });

export const ttlOf = (mark) => mark.ttl ?? '5m';

/** All marks of a request in prompt order: tools, system, messages. */
function* marks(body) {
  for (const tool of body.tools ?? []) if (tool.cache_control) yield tool.cache_control;
  if (Array.isArray(body.system)) for (const block of body.system) if (block.cache_control) yield block.cache_control;
  for (const message of body.messages) {
    if (Array.isArray(message.content)) for (const block of message.content) yield* marksOfBlock(block);
  }
}

function* marksOfBlock(block) {
  if (Array.isArray(block.content)) for (const inner of block.content) if (inner.cache_control) yield inner.cache_control;
  if (block.cache_control) yield block.cache_control;
}

/** Whether a mark may stand on this block; automatic caching skips the others. */
export const isCacheable = (block) =>
  block.type !== 'thinking' && block.type !== 'redacted_thinking' && !(block.type === 'text' && block.text === '');

/** The last block automatic caching marks, or `undefined`. `clear_at` messages are skipped. */
export function lastCacheable(body) {
  for (const message of [...body.messages].reverse()) {
    if (message.clear_at && message.clear_at !== 'never') continue;
    const content = Array.isArray(message.content) ? message.content : [{ type: 'text', text: message.content ?? '' }];
    const block = [...content].reverse().find(isCacheable);
    if (block) return block;
  }
  return undefined;
}

/** Checks the marks of a request whose blocks are already known to be well formed. */
export function checkBreakpoints(body) {
  const found = [...marks(body)];
  if (found.length > MAX_BREAKPOINTS) {
    refuse(`A maximum of ${MAX_BREAKPOINTS} blocks with cache_control may be provided. Found ${found.length}.`);
  }
  if (body.cache_control) {
    if (found.length === MAX_BREAKPOINTS) {
      refuse(`cache_control: automatic caching needs one of the ${MAX_BREAKPOINTS} cache breakpoints. Found ${MAX_BREAKPOINTS} explicit ones.`);
    }
    const last = lastCacheable(body)?.cache_control;
    if (last && ttlOf(last) !== ttlOf(body.cache_control)) {
      refuse('cache_control: the last block has a cache_control with another ttl.');
    }
    if (!last) found.push(body.cache_control);
  }
  let short = false;
  for (const mark of found) {
    if (ttlOf(mark) === '5m') short = true;
    else if (short) refuse("cache_control: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block.");
  }
}

/** The check for a block type that cannot carry a mark. */
export const noCacheControl = (what) => (_, path) => refuse(`${path}: cache_control cannot be set for ${what}`);
