// Thinking binding: a `thinking` block is valid only after the exact conversation it was made in.
//
// The signature is a readable token with the digests the check needs, so the fake verifies it without any memory, even
// after a restart: `m` model, `f` digest of system + tools, `p` digest of the messages before the block, `t` digest of
// the delivered thinking text, `n` the block's place in the sequence of thinking blocks.

import { summarizedPrefixes } from './compaction.mjs';
import { findModel } from './models.mjs';
import { refuse } from './rejection.mjs';
import { canonicalBlock, contentBlocks, digest, frozenDigest, isThinking } from './prompt.mjs';

const PREFIX = 'EqFake1.';

const encode = (token) => PREFIX + Buffer.from(JSON.stringify(token)).toString('base64url');

function decode(signature) {
  if (!signature.startsWith(PREFIX)) return null;
  try {
    const token = JSON.parse(Buffer.from(signature.slice(PREFIX.length), 'base64url').toString('utf8'));
    return typeof token === 'object' && token !== null ? token : null;
  } catch {
    return null;
  }
}

/**
 * The running digests of messages, without thinking and cache marks. Merged messages give the same digest.
 *
 * The first is of the messages as they are. Behind a signed compaction block there are others, of the messages with those in its place
 * that it summarizes: what was kept of the conversation was thought behind them.
 */
class Prefix {
  #states = [digest('')];
  push(role, block) {
    if (isThinking(block)) return;
    const line = digest(`${role}:${JSON.stringify(canonicalBlock(block))}`);
    this.#states = [...this.#states.map((state) => digest(`${state}\n${line}`)), ...summarizedPrefixes(block)];
  }
  pushMessage(message) {
    for (const block of contentBlocks(message)) this.push(message.role, block);
  }
  get digest() {
    return this.#states[0];
  }
  get all() {
    return this.#states;
  }
}

/** What thinking behind these messages may be bound to, for the signature of a summary of them. */
export function prefixesOf(messages) {
  const prefix = new Prefix();
  messages.forEach((message) => prefix.pushMessage(message));
  return prefix.all;
}

const tokenOf = (block) => decode(block.type === 'thinking' ? block.signature : block.data);
const textDigest = (block) => digest(block.type === 'thinking' ? block.thinking : '');

/** Whether a model checks the prefix for this request. */
function isBound(model, body, newAccount) {
  if (model.binds === 'always') return true;
  return model.binds === 'new_accounts' && (newAccount || Boolean(body.thinking?.block_binding?.prefix_mismatch_behavior));
}

/**
 * Checks every thinking block of a request.
 * @returns {{dropped: Set<object>, transformations: object[], next: number}} Blocks the model will not see, what the
 *   response reports about them, and the sequence number of the next thinking block.
 */
export function checkBinding(body, model, { newAccount }) {
  const drops = body.thinking?.block_binding?.prefix_mismatch_behavior === 'drop_block';
  const bound = isBound(model, body, newAccount);
  // A block of threshold compaction says nothing of what it stands for.
  const compacted = contentBlocks(body.messages[0]).some((block) => block.type === 'compaction' && !block.signature);
  const frozen = frozenDigest(body);
  const prefix = new Prefix();
  const dropped = new Set();
  const transformations = [];
  let next = null;

  const drop = (block, path, reason) => {
    dropped.add(block);
    transformations.push({ type: 'thinking_dropped', path, reason });
  };
  body.messages.forEach((message, i) => {
    let turnBroken = false;
    contentBlocks(message).forEach((block, j) => {
      const path = `messages.${i}.content.${j}`;
      if (!isThinking(block)) {
        turnBroken = false;
        prefix.push(message.role, block);
        return;
      }
      const token = tokenOf(block);
      if (!token || token.t !== textDigest(block)) refuse(`${path}: Invalid \`signature\` in \`thinking\` block.`, { rule: 'signature' });
      if ((findModel(token.m)?.generation ?? Infinity) > model.generation) {
        drop(block, path, 'model_binding_mismatch');
        return;
      }
      const samePlace = token.f === frozen && (compacted || prefix.all.includes(token.p));
      const inSequence = next === null || token.n === next;
      if (bound && (turnBroken || !samePlace || !inSequence)) {
        if (!drops) refuse(mismatch(path), { rule: 'thinking_binding' });
        turnBroken = true;
        drop(block, path, 'prefix_binding_mismatch');
        return;
      }
      next = token.n + 1;
    });
  });
  return { dropped, transformations, next: next ?? 0 };
}

const mismatch = (path) =>
  `${path}: Invalid \`signature\` in \`thinking\` block. The block is bound to a different conversation. ` +
  'Remove the block, or set `thinking.block_binding.prefix_mismatch_behavior` to "drop_block".';

/** Fills the signatures of a reply's thinking blocks; `next` comes from `checkBinding` of its request. */
export function signThinking(content, body, model, next) {
  const prefix = new Prefix();
  body.messages.forEach((message) => prefix.pushMessage(message));
  const frozen = frozenDigest(body);
  let sequence = next;
  return content.map((block) => {
    if (!isThinking(block)) {
      prefix.push('assistant', block);
      return block;
    }
    const given = block.type === 'thinking' ? block.signature : block.data;
    const signature = given ?? encode({ m: model.id, f: frozen, p: prefix.digest, t: textDigest(block), n: sequence });
    sequence += 1;
    return block.type === 'thinking' ? { ...block, signature } : { ...block, data: signature };
  });
}
