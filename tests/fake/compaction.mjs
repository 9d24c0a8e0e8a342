// Compaction: the request for an on-demand summary, and what a compaction block does to later requests.
//
// The signature of an on-demand block carries a digest of its content, so that an edited or foreign block is refused as
// the API refuses it, and what the messages that it summarizes amount to, so that thinking in the messages that are kept
// behind it can be checked as if they were still there. No text is summarised here: the summary is scripted.

import { createHash } from 'node:crypto';
import { BETA } from './headers.mjs';
import { refuse } from './rejection.mjs';
import { fields, nullable, oneOf, string } from './shape.mjs';

/** Smallest `max_tokens` of an on-demand summary. */
const MIN_SUMMARY_TOKENS = 4096;
const PREFIX = 'cmp1.';

const digest = (content) => createHash('sha256').update(content).digest('base64url');

/**
 * The signature this fake gives an on-demand compaction block.
 * @param {string[]} prefixes What thinking behind the summarized messages may be bound to.
 */
export const signCompaction = (content, prefixes) =>
  PREFIX + Buffer.from(JSON.stringify({ c: digest(content), p: prefixes })).toString('base64url');

function decode(signature) {
  if (!signature.startsWith(PREFIX)) return null;
  try {
    const token = JSON.parse(Buffer.from(signature.slice(PREFIX.length), 'base64url').toString('utf8'));
    return Array.isArray(token?.p) ? token : null;
  } catch {
    return null;
  }
}

/** What thinking behind a signed compaction block may be bound to, of the messages that it stands for; `[]` for any other block. */
export const summarizedPrefixes = (block) => (block && isOnDemand(block) ? (decode(block.signature)?.p ?? []) : []);

const blocksOf = (message) => (Array.isArray(message.content) ? message.content : []);
const isOnDemand = (block) => block.type === 'compaction' && typeof block.signature === 'string';

function fail(code, message) {
  refuse(message, { rule: 'compaction', details: { error_code: code } });
}

/** What is summarized may end with an answer, but not in the middle of one. */
export function checkFinished({ compaction, messages }, issued) {
  const last = Array.isArray(messages) ? messages.at(-1) : undefined;
  if (!compaction || last?.role !== 'assistant') return;
  if (blocksOf(last).some((block) => block.type === 'tool_use') || issued.wasPaused(last.content)) {
    fail('compaction_incomplete_turn', 'compaction: the last assistant turn is not finished');
  }
}

/** Checks `compaction` of the request and any on-demand block that `messages` carries. */
export function checkCompactionRequest(body, { model, betas, forced }) {
  checkBlocks(body, betas);
  const { compaction } = body;
  if (compaction === undefined || compaction === null) return;
  fields(compaction, 'compaction', { type: oneOf('summarize') }, { instructions: nullable(string) });
  if (model.compaction === 'no') refuse(`compaction: not supported on ${model.id}`);
  if (body.max_tokens < MIN_SUMMARY_TOKENS) refuse(`max_tokens: must be at least ${MIN_SUMMARY_TOKENS} with compaction`);
  const excluded = [
    [body.context_management, 'context_management'],
    [body.stop_sequences?.length, 'stop_sequences'],
    [body.output_config?.format, 'output_config.format'],
    [forced, 'a forced tool_choice'],
  ].find(([used]) => used);
  if (excluded) refuse(`compaction: cannot be combined with ${excluded[1]}`);
  const summarisable = body.messages.flatMap((message) => (Array.isArray(message.content) ? message.content : [message]));
  if (summarisable.every((block) => block.type === 'compaction')) {
    fail('compaction_nothing_to_summarize', 'compaction: there is nothing to summarize');
  }
}

function checkBlocks({ messages, context_management }, betas) {
  const found = [];
  let filled = 0;
  messages.forEach((message, i) => blocksOf(message).forEach((block, j) => {
    if (isOnDemand(block)) found.push({ block, i, j });
    if (block.type === 'compaction' && block.content) filled += 1;
  }));
  if (found.length === 0) return;
  const path = `messages.${found[0].i}.content.${found[0].j}`;
  if (!betas.has(BETA.onDemandCompaction)) refuse(`${path}: compaction blocks with a signature need the beta ${BETA.onDemandCompaction}`);
  if (filled > 1) fail('compaction_block_ambiguous', 'messages: more than one compaction block');
  if (found[0].i !== 0 || found[0].j !== 0) {
    fail('compaction_block_misplaced', `${path}: the compaction block must be the first block of messages`);
  }
  const { signature, content } = found[0].block;
  const token = decode(signature);
  if (!token) fail('compaction_signature_invalid', `${path}.signature: invalid`);
  if (token.c !== digest(content ?? '')) fail('compaction_content_mismatch', `${path}.content: does not match its signature`);
  if (context_management?.edits?.some(({ type }) => type.startsWith('compact_'))) {
    refuse('context_management: a compaction edit cannot be combined with a compaction block with a signature', { rule: 'compaction' });
  }
}

/** The messages a model sees: everything before the last compaction block that has content is gone. */
export function afterCompaction(messages) {
  for (let i = messages.length - 1; i >= 0; i -= 1) {
    const j = blocksOf(messages[i]).findLastIndex((block) => block.type === 'compaction' && block.content !== null);
    if (j >= 0) return [{ ...messages[i], content: messages[i].content.slice(j) }, ...messages.slice(i + 1)];
  }
  return messages;
}
