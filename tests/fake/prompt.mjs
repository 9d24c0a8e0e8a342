// The prompt a request amounts to: one ordered list of blocks, in the form caching, binding and counting work on.

import { createHash } from 'node:crypto';
import { afterCompaction } from './compaction.mjs';
import { blockTokens } from './tokens.mjs';

export const digest = (text) => createHash('sha256').update(text).digest('base64url');

/** A message's content as blocks: a string is one text block. */
export const contentBlocks = ({ content }) =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content ?? [];

export const isThinking = (block) => block.type === 'thinking' || block.type === 'redacted_thinking';

/**
 * A block without what does not reach the model: cache marks, and response fields that only repeat a default. Key order
 * inside `input` stays as it came, because it is part of the prompt.
 */
export function canonicalBlock(block) {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: block.text };
    case 'tool_use':
      return { type: 'tool_use', id: block.id, name: block.name, input: block.input };
    case 'tool_result':
      return {
        type: 'tool_result',
        tool_use_id: block.tool_use_id,
        content: contentBlocks(block).map(canonicalBlock),
        is_error: block.is_error === true,
      };
    default: {
      const { cache_control: _, ...rest } = block;
      return rest;
    }
  }
}

const systemBlocks = (system) => (typeof system === 'string' ? (system === '' ? [] : [{ type: 'text', text: system }]) : system ?? []);

/** Digest of `system` and `tools`, the two parts that are frozen for a session. */
export const frozenDigest = (body) =>
  digest(JSON.stringify([(body.tools ?? []).map(canonicalBlock), systemBlocks(body.system).map(canonicalBlock)]));

/**
 * Messages as the model sees them: after compaction, without `system` messages it ignores and without `clear_at`
 * messages that a later user message has cleared. Contents are block lists; the given blocks are kept by identity.
 */
export function seenMessages(messages, model) {
  const list = afterCompaction(messages);
  const lastUser = list.findLastIndex((message) => message.role === 'user');
  return list
    .filter((message, index) => {
      if (message.role !== 'system') return true;
      if (model.systemMessage === 'ignored') return false;
      return message.clear_at !== 'next_user_message' || index > lastUser;
    })
    .map((message) => ({ ...message, content: contentBlocks(message) }));
}

/**
 * The flat prompt: `{section, role, block, transient, mark, text, tokens}` in prefix order (tools, system, messages), where
 * `text` is the block's canonical form and `transient` marks a message that the next user message clears.
 */
export function flatPrompt({ tools, system, messages }, model) {
  const entry = (section, role, block, transient = false) => ({
    section,
    role,
    block,
    transient,
    mark: block.cache_control ?? innerMark(block),
    text: `${section}:${role}:${JSON.stringify(canonicalBlock(block))}`,
    tokens: blockTokens(block, model),
  });
  return [
    ...(tools ?? []).map((tool) => entry('tools', '', tool)),
    ...systemBlocks(system).map((block) => entry('system', '', block)),
    ...messages.flatMap((message) => message.content.map((block) => entry('messages', message.role, block, message.clear_at === 'next_user_message'))),
  ];
}

/** A mark inside a tool result caches up to that result. */
function innerMark(block) {
  return Array.isArray(block.content) ? block.content.findLast((inner) => inner.cache_control)?.cache_control : undefined;
}

/** Estimated prompt tokens of a flat prompt. */
export const promptTokens = (prompt) => prompt.reduce((total, { tokens }) => total + tokens, 0);
