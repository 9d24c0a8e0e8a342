// Prompt cache: which part of a prompt was written before and can be read.
//
// Entries are digests of the prompt up to a breakpoint. A read looks back from each breakpoint over at most
// `LOOK_BACK` positions, the breakpoint itself being the first. Time comes from the fake's clock.

import { isCacheable, lastCacheable, ttlOf } from './breakpoints.mjs';
import { digest, promptTokens } from './prompt.mjs';

const LOOK_BACK = 20;
const TTL_MS = { '5m': 5 * 60_000, '1h': 60 * 60_000 };

export class PromptCache {
  #entries = new Map();

  clear() {
    this.#entries.clear();
  }

  /**
   * What a request reads and would write.
   * @param {object} body The request.
   * @param {object[]} prompt From `flatPrompt`, after context editing.
   * @param {object} model Row of the model table.
   * @param {number} startMs When the request arrived.
   * @returns {{usage: object, commit: () => void}} `commit` makes the writes visible; call it when the response begins,
   *   so that parallel first requests do not hit each other.
   */
  plan(body, prompt, model, startMs) {
    const positions = prefixDigests(body, prompt, model);
    const breakpoints = findBreakpoints(body, prompt);
    const read = this.#longestRead(breakpoints, positions, startMs);
    const readTokens = read === null ? 0 : positions[read].tokens;

    const writes = breakpoints.filter(({ index }) => positions[index].tokens >= model.minCacheableTokens);
    const created = { '1h': 0, '5m': 0 };
    let covered = readTokens;
    for (const { index, ttl } of writes) {
      if (positions[index].tokens <= covered) continue;
      created[ttl] += positions[index].tokens - covered;
      covered = positions[index].tokens;
    }
    const total = promptTokens(prompt);
    return {
      usage: {
        input_tokens: total - covered,
        cache_creation_input_tokens: created['5m'] + created['1h'],
        cache_read_input_tokens: readTokens,
        cache_creation: { ephemeral_5m_input_tokens: created['5m'], ephemeral_1h_input_tokens: created['1h'] },
      },
      commit: () => {
        if (read !== null) this.#refresh(positions[read].key, startMs);
        for (const { index, ttl } of writes) this.#write(positions[index].key, ttl, startMs);
      },
    };
  }

  #longestRead(breakpoints, positions, nowMs) {
    let best = null;
    for (const { index } of breakpoints) {
      for (let back = 0; back < LOOK_BACK && index - back >= 0; back += 1) {
        const entry = this.#entries.get(positions[index - back].key);
        if (!entry || entry.expiresMs <= nowMs) continue;
        if (best === null || index - back > best) best = index - back;
        break;
      }
    }
    return best;
  }

  #refresh(key, nowMs) {
    const entry = this.#entries.get(key);
    if (entry) entry.expiresMs = Math.max(entry.expiresMs, nowMs + entry.ttlMs);
  }

  #write(key, ttl, nowMs) {
    const ttlMs = Math.max(TTL_MS[ttl], this.#live(key, nowMs)?.ttlMs ?? 0);
    this.#entries.set(key, { ttlMs, expiresMs: nowMs + ttlMs });
  }

  #live(key, nowMs) {
    const entry = this.#entries.get(key);
    return entry && entry.expiresMs > nowMs ? entry : undefined;
  }
}

/** For each prompt position the digest and the tokens of everything up to and including it. */
function prefixDigests(body, prompt, model) {
  const messagesMode = JSON.stringify([
    body.tool_choice ?? null,
    body.thinking ? { ...body.thinking, block_binding: undefined, display: undefined } : null,
    body.output_config?.effort ?? null,
    prompt.some(({ block }) => block.type === 'image'),
  ]);
  let key = digest(JSON.stringify([model.id, body.output_config?.format ?? null]));
  let tokens = 0;
  let section = 'tools';
  return prompt.map((entry) => {
    if (entry.section !== section) {
      if (section === 'tools') key = digest(`${key}:${body.speed ?? 'standard'}`);
      if (entry.section === 'messages') key = digest(`${key}:${messagesMode}`);
      section = entry.section;
    }
    key = digest(`${key}\n${entry.text}`);
    tokens += entry.tokens;
    return { key, tokens };
  });
}

function findBreakpoints(body, prompt) {
  const automatic = body.cache_control && !lastCacheable(body)?.cache_control ? lastCacheableIndex(prompt) : -1;
  return prompt.flatMap((entry, index) => {
    const mark = entry.mark ?? (index === automatic ? body.cache_control : undefined);
    return mark ? [{ index, ttl: ttlOf(mark) }] : [];
  });
}

/** Where automatic caching puts its mark: the last block that may carry one, not counting `clear_at` messages. */
const lastCacheableIndex = (prompt) => prompt.findLastIndex((entry) => entry.section === 'messages' && !entry.transient && isCacheable(entry.block));

/** What a later request is compared with to explain a miss. Messages that clear themselves are no part of a prefix. */
export function fingerprint(prompt, model) {
  const lasting = prompt.filter((entry) => !entry.transient);
  const texts = (section) => lasting.filter((entry) => entry.section === section).map((entry) => entry.text);
  return { model: model.id, tools: digest(texts('tools').join('\n')), system: digest(texts('system').join('\n')), messages: texts('messages'), prompt: lasting };
}

/** The response's `diagnostics`: why the prefix of an earlier request could not be reused; `null` if it could. */
export function diagnose(previous, current) {
  if (!previous) return { cache_miss_reason: { type: 'previous_message_not_found' } };
  const missed = (section) => previous.prompt.filter((entry) => section.includes(entry.section));
  const reason = (type, sections) => ({ cache_miss_reason: { type, cache_missed_input_tokens: promptTokens(missed(sections)) } });
  if (previous.model !== current.model) return reason('model_changed', ['tools', 'system', 'messages']);
  if (previous.tools !== current.tools) return reason('tools_changed', ['tools', 'system', 'messages']);
  if (previous.system !== current.system) return reason('system_changed', ['system', 'messages']);
  const common = previous.messages.findIndex((text, index) => text !== current.messages[index]);
  if (common === -1) return { cache_miss_reason: null };
  const tokens = promptTokens(missed(['messages']).slice(common));
  return { cache_miss_reason: { type: 'messages_changed', cache_missed_input_tokens: tokens } };
}
