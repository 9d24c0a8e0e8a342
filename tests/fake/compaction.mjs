// Compaction: the request for an on-demand summary, and what a compaction block does to later requests.
//
// The signature of an on-demand block carries a digest of its content, so that an edited or foreign block is refused as
// the API refuses it. No text is summarised here: the summary is scripted.

import { createHash } from 'node:crypto';
import { BETA } from './headers.mjs';
import { refuse } from './rejection.mjs';
import { fields, nullable, oneOf, string } from './shape.mjs';

/** Smallest `max_tokens` of an on-demand summary. */
const MIN_SUMMARY_TOKENS = 4096;
const PREFIX = 'cmp1.';

const digest = (content) => createHash('sha256').update(content).digest('base64url');

/** The signature this fake gives an on-demand compaction block. */
export const signCompaction = (content) => `${PREFIX}${digest(content)}`;

const blocksOf = (message) => (Array.isArray(message.content) ? message.content : []);
const isOnDemand = (block) => block.type === 'compaction' && typeof block.signature === 'string';

function fail(code, message) {
  refuse(message, { rule: 'compaction', details: { error_code: code } });
}

/** Checks `compaction` of the request and any on-demand block that `messages` carries. */
export function checkCompactionRequest(body, { model, betas, forced }) {
  checkBlocks(body.messages, betas);
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
  const last = body.messages.at(-1);
  if (blocksOf(last).some((block) => block.type === 'tool_use')) {
    fail('compaction_incomplete_turn', 'compaction: a tool_use block has no tool_result yet');
  }
  const summarisable = body.messages.flatMap((message) => (Array.isArray(message.content) ? message.content : [message]));
  if (summarisable.every((block) => block.type === 'compaction')) {
    fail('compaction_nothing_to_summarize', 'compaction: there is nothing to summarize');
  }
}

function checkBlocks(messages, betas) {
  const found = [];
  messages.forEach((message, i) => blocksOf(message).forEach((block, j) => isOnDemand(block) && found.push({ block, i, j })));
  if (found.length === 0) return;
  const path = `messages.${found[0].i}.content.${found[0].j}`;
  if (!betas.has(BETA.onDemandCompaction)) refuse(`${path}: compaction blocks with a signature need the beta ${BETA.onDemandCompaction}`);
  if (found.length > 1) fail('compaction_block_ambiguous', 'messages: more than one compaction block');
  if (found[0].i !== 0 || found[0].j !== 0) {
    fail('compaction_block_misplaced', `${path}: the compaction block must be the first block of messages`);
  }
  const { signature, content } = found[0].block;
  if (!signature.startsWith(PREFIX)) fail('compaction_block_signature_invalid', `${path}.signature: invalid`);
  if (signature !== signCompaction(content ?? '')) fail('compaction_block_content_mismatch', `${path}.content: does not match its signature`);
}

/** The messages a model sees: everything before the last compaction block that has content is gone. */
export function afterCompaction(messages) {
  for (let i = messages.length - 1; i >= 0; i -= 1) {
    const j = blocksOf(messages[i]).findLastIndex((block) => block.type === 'compaction' && block.content !== null);
    if (j >= 0) return [{ ...messages[i], content: messages[i].content.slice(j) }, ...messages.slice(i + 1)];
  }
  return messages;
}
