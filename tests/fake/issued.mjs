// What this fake has answered, so that it can tell whether a client sends it back as it was.

import { canonicalBlock, contentBlocks } from './prompt.mjs';

/** Types the contract describes; all others are accepted back only if they were issued. */
const DESCRIBED = new Set(['text', 'image', 'document', 'search_result', 'thinking', 'redacted_thinking', 'tool_use', 'tool_result', 'compaction']);

const same = (content) => JSON.stringify(contentBlocks({ content }).map(canonicalBlock));

export class Issued {
  #foreign = new Set();
  #paused = new Set();
  #toolUses = new Map();
  #fingerprints = new Map();

  clear() {
    for (const store of [this.#foreign, this.#paused, this.#toolUses, this.#fingerprints]) store.clear();
  }

  /** Remembers an answered message and the prompt it answered. */
  record(message, fingerprint) {
    this.#fingerprints.set(message.id, fingerprint);
    if (message.stop_reason === 'pause_turn') this.#paused.add(same(message.content));
    for (const block of message.content) {
      if (!DESCRIBED.has(block.type)) this.#foreign.add(JSON.stringify(canonicalBlock(block)));
      if (block.type === 'tool_use') this.#toolUses.set(block.id, JSON.stringify(canonicalBlock(block)));
    }
  }

  /** Whether a block of an undescribed type is one this fake has sent. */
  hasForeign(block) {
    return !DESCRIBED.has(block.type) && this.#foreign.has(JSON.stringify(canonicalBlock(block)));
  }

  /** Whether an assistant message's content is an answer that stopped with `pause_turn` and may be continued. */
  wasPaused(content) {
    return this.#paused.has(same(content));
  }

  /** The prompt of an earlier answer, for cache diagnostics. */
  fingerprintOf(messageId) {
    return this.#fingerprints.get(messageId);
  }

  /**
   * Tool calls that came back changed: other name, other input or other key order. The API answers them all the same on
   * models that do not bind thinking, so they are recorded and not refused.
   */
  changedToolUses(messages) {
    return messages
      .flatMap(contentBlocks)
      .filter((block) => block.type === 'tool_use' && this.#toolUses.has(block.id))
      .filter((block) => this.#toolUses.get(block.id) !== JSON.stringify(canonicalBlock(block)))
      .map((block) => ({ kind: 'fidelity', rule: 'tool_use', message: `tool_use ${block.id} came back changed.` }));
  }
}
