// From a scripted reply to the message the API would answer.
//
// A script says only what matters to its test; ids, signatures, counters and defaults are filled in here. A reply that
// the API could never give for this request is refused as a mistake of the script.

import { prefixesOf, signThinking } from './binding.mjs';
import { signCompaction } from './compaction.mjs';
import { BETA } from './headers.mjs';
import { thinks } from './models.mjs';
import { isThinking } from './prompt.mjs';
import { Rejection } from './rejection.mjs';
import { conformance } from './schema.mjs';
import { blockTokens } from './tokens.mjs';

const DEFAULT_TEXT = 'Scripted answer. Ünïcödé, 日本語 and 🧠 included.';

function impossible(message) {
  throw new Rejection(500, `fake: impossible scripted reply: ${message}`, { kind: 'script', rule: 'reply' });
}

/**
 * @param {object} reply From a script or the stand-in.
 * @param {object} request `{body, model, betas, next, usage, applied, transformations, diagnostics, newId}`; see `server.mjs`.
 * @returns {{message: object, cutInputs: Map<number, string>}} `cutInputs` holds the truncated JSON text of tool inputs
 *   by block index: it appears in streams, while a JSON answer carries `{}`.
 */
export function buildMessage(reply, request) {
  const { body, model, newId } = request;
  const cutInputs = new Map();
  let content = givenContent(reply).map((block) => complete(block, request));
  const stopReason = reply.stop_reason ?? impliedStopReason(reply, content);
  if (!reply.impossible) checkPossible(content, stopReason, request);

  const outputTokens = content.reduce((sum, block) => sum + blockTokens(withSignature(block), model), 0);
  const thinkingTokens = content.filter(isThinking).reduce((sum, block) => sum + blockTokens(withSignature(block), model), 0);
  if (reply.cutAfter !== undefined) cutLast(content, reply.cutAfter, cutInputs);
  content = signThinking(content.map((block) => displayed(block, body, model)), body, model, request.next);

  const usage = {
    ...request.usage,
    output_tokens: outputTokens,
    output_tokens_details: { thinking_tokens: thinkingTokens },
    server_tool_use: null,
    service_tier: 'standard',
    inference_geo: 'global',
    speed: null,
    ...reply.usage,
  };
  const message = {
    id: newId('msg_'),
    type: 'message',
    role: 'assistant',
    model: model.id,
    content,
    stop_reason: stopReason,
    stop_sequence: reply.stop_sequence ?? null,
    stop_details: stopReason === 'refusal' ? refusalDetails(reply.refusal) : null,
    container: null,
    diagnostics: request.diagnostics ?? null,
    context_management: request.applied ? { applied_edits: request.applied } : null,
    usage: stopReason === 'compaction' ? compactionUsage(usage) : usage,
  };
  if (request.betas.has(BETA.thinkingBinding)) message.input_transformations = request.transformations;
  return { message, cutInputs };
}

function givenContent(reply) {
  if (typeof reply.content === 'string') return [{ type: 'text', text: reply.content }];
  if (reply.content) return structuredClone(reply.content);
  return reply.refusal ? [] : [{ type: 'text', text: DEFAULT_TEXT }];
}

function impliedStopReason(reply, content) {
  if (reply.refusal) return 'refusal';
  if (reply.pauseTurn) return 'pause_turn';
  if (reply.cutAfter !== undefined) return 'max_tokens';
  if (content.some((block) => block.type === 'tool_use')) return 'tool_use';
  return content.length > 0 && content.every((block) => block.type === 'compaction') ? 'compaction' : 'end_turn';
}

const refusalDetails = (refusal) => ({ type: 'refusal', category: null, explanation: null, ...(typeof refusal === 'object' && refusal) });

function complete(block, { body, newId }) {
  if (block.type === 'text') return { type: 'text', text: block.text, citations: block.citations ?? null };
  if (block.type === 'tool_use') {
    return { type: 'tool_use', id: block.id ?? newId('toolu_'), name: block.name, input: block.input ?? {}, caller: { type: 'direct' } };
  }
  if (block.type === 'compaction' && block.encrypted_content === undefined && block.signature === undefined && block.content !== null) {
    return { ...block, signature: signCompaction(block.content, prefixesOf(body.messages)) };
  }
  return block;
}

const withSignature = (block) => (block.type === 'thinking' ? { ...block, signature: block.signature ?? '' } : block);

/** Thinking text is left out unless asked for; on models before the 5 generation it is shown. */
function displayed(block, body, model) {
  if (block.type !== 'thinking') return block;
  const display = body.thinking?.display ?? (model.generation >= 50 ? 'omitted' : 'summarized');
  return display === 'omitted' ? { ...block, thinking: '' } : block;
}

function cutLast(content, characters, cutInputs) {
  const last = content.at(-1);
  if (last?.type === 'text') {
    content[content.length - 1] = { ...last, text: [...last.text].slice(0, characters).join('') };
  } else if (last?.type === 'tool_use') {
    cutInputs.set(content.length - 1, JSON.stringify(last.input).slice(0, characters));
    content[content.length - 1] = { ...last, input: {} };
  } else {
    impossible('cutAfter needs a last block of type text or tool_use');
  }
}

/** Top-level counters leave a compaction out; `iterations` is what is billed. */
function compactionUsage(usage) {
  const counted = ['input_tokens', 'output_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens'];
  const iteration = { type: 'compaction', ...Object.fromEntries(counted.map((name) => [name, usage[name]])), cache_creation: usage.cache_creation };
  return { ...usage, ...Object.fromEntries(counted.map((name) => [name, 0])), iterations: [iteration] };
}

function checkPossible(content, stopReason, { body, model }) {
  const calls = content.filter((block) => block.type === 'tool_use');
  if ((stopReason === 'tool_use') !== calls.length > 0 && stopReason !== 'max_tokens' && stopReason !== 'refusal') {
    impossible(`stop_reason ${stopReason} with ${calls.length} tool_use blocks`);
  }
  for (const call of calls) {
    const tool = (body.tools ?? []).find((candidate) => candidate.name === call.name);
    if (!tool) impossible(`the request defines no tool '${call.name}'`);
    const error = tool.strict && tool.input_schema && stopReason === 'tool_use' ? conformance(tool.input_schema, call.input) : null;
    if (error) impossible(`input of the strict tool '${call.name}': ${error}`);
  }
  const turnedOff = body.thinking ? body.thinking.type === 'disabled' : !thinks(model, undefined);
  if (turnedOff && content.some(isThinking)) impossible('thinking is off in this request');
  if ((stopReason === 'compaction') !== Boolean(body.compaction) && !content.some((block) => block.encrypted_content !== undefined)) {
    impossible(body.compaction ? 'a request for compaction is answered by one compaction block' : 'the request asks for no compaction');
  }
  const schema = body.output_config?.format?.schema;
  if (schema && stopReason === 'end_turn') checkAnswer(schema, content);
}

function checkAnswer(schema, content) {
  const text = content.filter((block) => block.type === 'text').map((block) => block.text).join('');
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    impossible('the request asks for JSON and the text is not JSON');
  }
  const error = conformance(schema, value);
  if (error) impossible(`the answer does not conform to the requested schema: ${error}`);
}
