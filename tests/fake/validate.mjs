// The body of `POST /v1/messages` and `/v1/messages/count_tokens`: fields, models and what excludes what.

import { checkBreakpoints, cacheControl } from './breakpoints.mjs';
import { checkCompactionRequest, checkFinished } from './compaction.mjs';
import { checkContextManagement } from './context.mjs';
import { BETA } from './headers.mjs';
import { checkMessages, checkSystem, effort, needsBeta } from './messages.mjs';
import { findModel, thinks } from './models.mjs';
import { Rejection, refuse } from './rejection.mjs';
import { checkSchema, newSchemaBudget } from './schema.mjs';
import { anything, boolean, byType, fields, integer, integerFrom, listOf, nonEmptyString, nullable, number, object, oneOf, shape, string } from './shape.mjs';
import { checkToolChoice, checkTools, isForced } from './tools.mjs';

/** Smallest thinking budget, in tokens. */
const MIN_THINKING_BUDGET_TOKENS = 1024;
const MAX_USER_ID_CHARACTERS = 256;

const stopSequence = (value, path) => {
  string(value, path);
  if (value.trim() === '') refuse(`${path}: each stop sequence must contain non-whitespace`);
};
const userId = (value, path) => {
  string(value, path);
  if (value.length > MAX_USER_ID_CHARACTERS) refuse(`${path}: String should have at most ${MAX_USER_ID_CHARACTERS} characters`);
};
const outputConfig = shape({}, {
  effort: nullable(effort),
  format: nullable(byType({ json_schema: shape({ type: anything, schema: object }) })),
});

/** Deep checks of messages, tools and the like follow once the model is known. */
const COUNTED = {
  system: anything,
  tools: anything,
  tool_choice: anything,
  thinking: anything,
  output_config: outputConfig,
  cache_control: nullable(cacheControl),
  context_management: anything,
};
const CREATED = {
  ...COUNTED,
  stream: boolean,
  stop_sequences: listOf(stopSequence),
  metadata: shape({}, { user_id: nullable(userId) }),
  diagnostics: nullable(shape({}, { previous_message_id: nullable(nonEmptyString) })),
  service_tier: oneOf('auto', 'standard_only'),
  inference_geo: nullable(string),
  speed: nullable(oneOf('standard', 'fast')),
  temperature: number,
  top_p: number,
  top_k: integer,
  compaction: anything,
};

/** Server-held conversation state is what this product promises not to use, so it is told apart from a mere mistake. */
function checkThread(body) {
  if (body.thread === undefined || body.thread === null) return;
  throw new Rejection(400, 'thread: this request cannot be threaded', {
    kind: 'privacy',
    rule: 'thread',
    details: { error_code: 'thread_unsupported_request', unsupported: [] },
  });
}

/**
 * Checks a request body and returns its model row.
 * @param {object} body Parsed JSON.
 * @param {{counting: boolean, betas: Set<string>, issued: import('./issued.mjs').Issued}} context
 */
export function checkBody(body, { counting, betas, issued }) {
  checkThread(body);
  const required = { model: nonEmptyString, messages: anything, ...(!counting && { max_tokens: integerFrom(0) }) };
  checkBetaFields(body, betas);
  fields(body, '', required, counting ? COUNTED : CREATED);
  const model = findModel(body.model);
  if (!model) throw new Rejection(404, `model: ${body.model}`);

  const budget = newSchemaBudget();
  if (body.system !== undefined) checkSystem(body.system, 'system');
  if (body.tools !== undefined) checkTools(body.tools, 'tools', budget);
  checkFinished(body, issued);
  checkMessages(body.messages, { model, betas, issued, summarizes: Boolean(body.compaction) });
  checkThinking(body, model, betas);
  checkSampling(body, model);
  if (body.tool_choice !== undefined) checkToolChoice(body.tool_choice, { tools: body.tools, model, thinking: body.thinking });
  checkOutputConfig(body, model, budget);
  checkBreakpoints(body);
  if (body.context_management) checkContextManagement(body.context_management, { betas, model });
  if (!counting) checkMaxTokens(body, model);
  checkCompactionRequest(body, { model, betas, forced: isForced(body.tool_choice) });
  return model;
}

function checkBetaFields(body, betas) {
  object(body, 'body');
  if ('context_management' in body && !betas.has(BETA.contextManagement) && !betas.has(BETA.thresholdCompaction)) {
    refuse('context_management: Extra inputs are not permitted');
  }
  if ('compaction' in body) needsBeta('compaction', BETA.onDemandCompaction, betas);
}

function checkMaxTokens(body, model) {
  if (body.max_tokens > model.maxOutputTokens) {
    refuse(`max_tokens: ${body.max_tokens} > ${model.maxOutputTokens}, which is the maximum allowed number of output tokens for ${model.id}`);
  }
  if (body.max_tokens > 0) return;
  const excluded = [
    [body.stream, 'stream'],
    [body.output_config?.format, 'output_config.format'],
    [isForced(body.tool_choice), 'a forced tool_choice'],
    [body.thinking?.type === 'enabled', 'thinking of type enabled'],
  ].find(([used]) => used);
  if (excluded) refuse(`max_tokens: 0 cannot be combined with ${excluded[1]}`);
}

const display = { display: nullable(oneOf('summarized', 'omitted', 'updates')) };
const binding = { block_binding: nullable(shape({}, { prefix_mismatch_behavior: nullable(oneOf('error', 'drop_block')) })) };
const thinkingConfig = byType({
  adaptive: shape({ type: anything }, { ...display, ...binding }),
  enabled: shape({ type: anything, budget_tokens: integerFrom(MIN_THINKING_BUDGET_TOKENS) }, { ...display, ...binding }),
  disabled: shape({ type: anything }),
  between_tools: shape({ type: anything }),
});

function checkThinking(body, model, betas) {
  const { thinking } = body;
  if (thinking === undefined) return;
  thinkingConfig(thinking, 'thinking');
  if ('block_binding' in thinking) needsBeta('thinking.block_binding', BETA.thinkingBinding, betas);
  if (!model.thinking.includes(thinking.type)) {
    refuse(`thinking.type: "${thinking.type}" is not supported on ${model.id}. Supported: ${model.thinking.join(', ')}.`);
  }
  if (thinking.type === 'enabled' && body.max_tokens !== undefined && thinking.budget_tokens >= body.max_tokens) {
    refuse('max_tokens: must be greater than thinking.budget_tokens');
  }
  const level = body.output_config?.effort;
  if (model.id === 'claude-haiku-5-5' && thinking.type === 'disabled' && (level === 'xhigh' || level === 'max')) {
    refuse(`thinking.type: "disabled" is not supported at effort ${level} on ${model.id}`);
  }
}

function checkSampling(body, model) {
  for (const name of ['temperature', 'top_p', 'top_k']) {
    if (body[name] === undefined) continue;
    if (!model.sampling && !(name !== 'top_k' && body[name] === 1)) {
      refuse(`${name}: sampling parameters other than the default are not supported on ${model.id}`);
    }
    if (name !== 'top_k' && (body[name] < 0 || body[name] > 1)) refuse(`${name}: range: 0..1`);
    if (name === 'top_k' && body.top_k < 0) refuse('top_k: Input should be greater than or equal to 0');
  }
  if (thinks(model, body.thinking) && body.temperature !== undefined && body.temperature !== 1) {
    refuse('`temperature` may only be set to 1 when thinking is enabled.');
  }
}

function checkOutputConfig(body, model, budget) {
  const config = body.output_config;
  if (!config) return;
  if (config.effort && !model.effort) refuse(`output_config.effort: This model does not support the effort parameter.`);
  if (!config.format) return;
  checkSchema(config.format.schema, 'output_config.format.schema', budget);
  if (body.messages.at(-1).role === 'assistant') refuse('output_config.format: incompatible with assistant message prefill');
  const citing = body.messages.some((message) => Array.isArray(message.content) && message.content.some((block) => block.citations?.enabled));
  if (citing) refuse('output_config.format: incompatible with citations');
}

/**
 * Half surrogates do not survive as UTF-8; the API refuses the body. A client makes them by cutting text in the middle
 * of a character.
 */
export function checkWellFormed(value) {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) refuse('The request body is not valid JSON: no low surrogate in string');
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) {
      checkWellFormed(name);
      checkWellFormed(inner);
    }
  }
}
