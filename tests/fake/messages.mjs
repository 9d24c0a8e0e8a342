// The `messages` array: content blocks, alternation, tool results and `role: "system"` messages.

import { BETA } from './headers.mjs';
import { refuse } from './rejection.mjs';
import { cacheControl, noCacheControl } from './breakpoints.mjs';
import { anything, boolean, byType, fields, isObject, listOf, matching, nonEmptyString, nullable, object, oneOf, shape, string } from './shape.mjs';
import { toolName } from './tools.mjs';

const MAX_MESSAGES = 100_000;
/** Known Base64 image types. */
const IMAGE_TYPES = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'];

const marked = { cache_control: nullable(cacheControl) };
const blockId = matching(/^[a-zA-Z0-9_-]+$/);

const base64 = (...mediaTypes) => shape({ type: anything, media_type: oneOf(...mediaTypes), data: matching(/^[A-Za-z0-9+/]+={0,2}$/) });
const byUrl = shape({ type: anything, url: matching(/^https?:\/\//) });
const byFile = shape({ type: anything, file_id: nonEmptyString });
const citations = shape({}, { enabled: boolean });

export const text = (block, path) => {
  fields(block, path, { type: anything, text: string }, { ...marked, citations: nullable(listOf(object)) });
  if (block.text.length === 0) refuse(`${path}.text: text content blocks must be non-empty`);
  if (block.text.trim().length === 0) refuse(`${path}.text: text content blocks must contain non-whitespace text`);
};
const image = shape(
  { type: anything, source: byType({ base64: base64(...IMAGE_TYPES), url: byUrl, file: byFile }) },
  { ...marked, transformations: nullable(object) },
);
const plainText = shape({ type: anything, media_type: oneOf('text/plain'), data: nonEmptyString });
const document = shape(
  {
    type: anything,
    source: byType({ base64: base64('application/pdf'), url: byUrl, file: byFile, text: plainText, content: shape({ type: anything, content: anything }) }),
  },
  { ...marked, citations: nullable(citations), context: nullable(string), title: nullable(string) },
);
const searchResult = shape(
  { type: anything, source: string, title: string, content: listOf(byType({ text })) },
  { ...marked, citations },
);
const toolResult = (block, path) => {
  fields(
    block,
    path,
    { type: anything, tool_use_id: blockId },
    {
      ...marked,
      is_error: boolean,
      content: (content, contentPath) => {
        if (typeof content !== 'string') listOf(byType({ text, image, document, search_result: searchResult }))(content, contentPath);
      },
    },
  );
};
const toolUse = shape({ type: anything, id: blockId, name: toolName, input: object }, { ...marked, caller: byType({ direct: shape({ type: anything }) }) });
const thinking = shape(
  { type: anything, thinking: string, signature: nonEmptyString },
  { cache_control: noCacheControl('thinking blocks') },
);
const redactedThinking = shape({ type: anything, data: nonEmptyString }, { cache_control: noCacheControl('redacted_thinking blocks') });
const compaction = shape(
  { type: anything, content: nullable(string) },
  { ...marked, signature: nullable(nonEmptyString), encrypted_content: nullable(string), tool_changes: nullable(listOf(object)) },
);

const USER_BLOCKS = { text, image, document, search_result: searchResult, tool_result: toolResult };
const ASSISTANT_BLOCKS = { text, thinking, redacted_thinking: redactedThinking, tool_use: toolUse, compaction };

/** `system` of the request: a string or text blocks. */
export function checkSystem(system, path) {
  if (typeof system === 'string') return;
  listOf(byType({ text }))(system, path);
}

const blocksOf = (message) =>
  typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : message.content ?? [];

/**
 * Checks `messages`.
 * @param {object} context `model` (row), `betas` (Set) and `issued`, what this fake answered earlier: a block type the
 *   contract does not list is accepted back only exactly as it was sent. `summarizes`: the request asks for a summary, so that
 *   an assistant message at the end is not continued.
 */
export function checkMessages(messages, context) {
  if (!Array.isArray(messages)) refuse('messages: Input should be a valid list');
  if (messages.length === 0) refuse('messages: at least one message is required');
  if (messages.length > MAX_MESSAGES) refuse(`messages: at most ${MAX_MESSAGES} messages are supported`);
  messages.forEach((message, index) => checkMessage(message, `messages.${index}`, context));
  checkOrder(messages, context);
  checkToolResults(messages);
}

function checkMessage(message, path, context) {
  object(message, path);
  if (message.role === 'system') return checkSystemMessage(message, path, context);
  fields(message, path, { role: oneOf('user', 'assistant'), content: anything });
  if (typeof message.content !== 'string' && !Array.isArray(message.content)) refuse(`${path}.content: Input should be a valid string or list`);
  if (message.content.length === 0) refuse(`${path}: ${message.role} messages must have non-empty content`);
  if (typeof message.content === 'string') {
    if (message.content.trim() === '') refuse(`${path}: text content blocks must contain non-whitespace text`);
    return undefined;
  }
  const known = byType(message.role === 'user' ? USER_BLOCKS : ASSISTANT_BLOCKS);
  listOf((block, blockPath) => {
    const own = message.role === 'assistant' && isObject(block) && context.issued.hasForeign(block);
    if (!own) known(block, blockPath);
    if (block.type === 'compaction') checkCompactionBeta(blockPath, context.betas);
  })(message.content, `${path}.content`);
  return undefined;
}

function checkCompactionBeta(path, betas) {
  if (!betas.has(BETA.thresholdCompaction) && !betas.has(BETA.onDemandCompaction)) {
    refuse(`${path}: Input tag 'compaction' found using 'type' does not match any of the expected tags without its beta header`);
  }
}

/** Top-level fields that exist only with a beta read as unknown without it. */
export function needsBeta(path, beta, betas) {
  if (!betas.has(beta)) refuse(`${path}: Extra inputs are not permitted`);
}

function checkSystemMessage(message, path, { model, betas }) {
  if (model.systemMessage === 'no') {
    refuse(`${path}.role: role 'system' is not supported on ${model.id}. Use the top-level \`system\` parameter.`);
  }
  fields(message, path, { role: anything }, {
    content: anything,
    clear_at: nullable(oneOf('next_user_message', 'never')),
    output_config: nullable(shape({}, { effort: nullable(effort) })),
  });
  if ('clear_at' in message) needsBeta(`${path}.clear_at`, BETA.clearAt, betas);
  if ('output_config' in message) needsBeta(`${path}.output_config`, BETA.messageOutputConfig, betas);
  const { content } = message;
  if (content === undefined) {
    if (!message.output_config?.effort) refuse(`${path}: system messages must have content or output_config`);
  } else if (typeof content === 'string' ? content.trim() === '' : Array.isArray(content) && content.length === 0) {
    refuse(`${path}: system messages must have non-empty content`);
  } else if (typeof content !== 'string') {
    listOf(byType({ text }))(content, `${path}.content`);
  }
  if (message.clear_at === 'next_user_message') {
    if (!model.clearAt) refuse(`${path}.clear_at: clear_at is not supported on ${model.id}`);
    if (message.output_config) refuse(`${path}: clear_at cannot be combined with output_config`);
    if (Array.isArray(content) && content.some((block) => block.cache_control)) {
      refuse(`${path}: cache_control cannot be set on clear_at messages`);
    }
  }
}

export const effort = oneOf('low', 'medium', 'high', 'xhigh', 'max');

/** Ends in a block that only a server tool makes: the one kind of assistant message that may be continued. */
const endsInServerTool = (message) => {
  const last = blocksOf(message).at(-1);
  return last !== undefined && (last.type === 'server_tool_use' || (last.type !== 'tool_result' && last.type.endsWith('_tool_result')));
};

function checkOrder(messages, { model, issued, summarizes }) {
  const first = messages[0];
  if (first.role === 'system') refuse("messages.0: role 'system' cannot be the first message");
  if (first.role === 'assistant' && blocksOf(first)[0].type !== 'compaction') {
    refuse('messages: first message must use the "user" role');
  }
  messages.forEach((message, index) => {
    if (message.role === 'system') checkSystemPlace(messages, index);
  });
  const last = messages.at(-1);
  if (last.role !== 'assistant' || summarizes) return;
  const continues = endsInServerTool(last) || issued.wasPaused(last.content);
  const isSummaryOnly = blocksOf(last).every((block) => block.type === 'compaction');
  if (!continues && (isSummaryOnly || !model.prefill)) {
    refuse('This model does not support assistant message prefill. The conversation must end with a user message.');
  }
  if (!continues && blocksOf(last).at(-1).type === 'text' && /\s$/.test(blocksOf(last).at(-1).text)) {
    refuse('messages: final assistant content cannot end with trailing whitespace');
  }
}

function checkSystemPlace(messages, index) {
  const before = messages[index - 1];
  const after = messages[index + 1];
  if (!(before.role === 'user' || (before.role === 'assistant' && endsInServerTool(before)))) {
    refuse(`messages.${index}: role 'system' must directly follow a 'user' message or an assistant message ending in a server tool result`);
  }
  if (after !== undefined && after.role !== 'assistant') {
    refuse(`messages.${index}: role 'system' must be the last message or be followed by an 'assistant' message`);
  }
}

/** Merges what the API merges: consecutive assistant messages. Each entry keeps the index of its last message. */
function* assistantTurns(messages) {
  for (let index = 0; index < messages.length; index += 1) {
    if (messages[index].role !== 'assistant') continue;
    const blocks = [...blocksOf(messages[index])];
    while (messages[index + 1]?.role === 'assistant') blocks.push(...blocksOf(messages[(index += 1)]));
    yield { index, blocks };
  }
}

function checkToolResults(messages) {
  const seen = new Set();
  const answered = new Map();
  for (const { index, blocks } of assistantTurns(messages)) {
    const ids = blocks.filter((block) => block.type === 'tool_use').map((block) => block.id);
    for (const id of ids) {
      if (seen.has(id)) refuse('messages: `tool_use` ids must be unique');
      seen.add(id);
    }
    answered.set(index + 1, ids);
    if (ids.length > 0) checkAnswers(messages[index + 1], index, ids);
  }
  messages.forEach((message, index) => {
    if (message.role === 'user') checkResultsOf(message, index, answered.get(index) ?? []);
  });
}

function checkAnswers(next, index, ids) {
  const results = next?.role === 'user' ? blocksOf(next).filter((block) => block.type === 'tool_result') : [];
  const missing = ids.filter((id) => !results.some((block) => block.tool_use_id === id));
  if (missing.length > 0) {
    refuse(
      `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(', ')}. ` +
        'Each `tool_use` block must have a corresponding `tool_result` block in the next message.',
    );
  }
}

function checkResultsOf(message, index, ids) {
  const blocks = blocksOf(message);
  const results = blocks.filter((block) => block.type === 'tool_result');
  const path = `messages.${index}.content`;
  results.forEach((block, position) => {
    if (!ids.includes(block.tool_use_id)) {
      refuse(
        `${path}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${block.tool_use_id}. ` +
          'Each `tool_result` block must have a corresponding `tool_use` block in the previous message.',
      );
    }
    if (blocks[position] !== block) refuse(`${path}: \`tool_result\` blocks must come first in the message after \`tool_use\``);
    if (results.findIndex((other) => other.tool_use_id === block.tool_use_id) !== position) {
      refuse(`${path}: each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${block.tool_use_id}`);
    }
  });
}
