// Context editing: the checks of `context_management` and the simulator of what the server clears.
//
// Clearing happens on the server's view of one request; the client keeps its full history. `apply` therefore returns new
// messages and never touches the given ones.

import { BETA } from './headers.mjs';
import { refuse } from './rejection.mjs';
import { anything, boolean, byType, fields, integerFrom, listOf, nonEmptyString, nullable, shape, string } from './shape.mjs';
import { blockTokens } from './tokens.mjs';

const DEFAULT_TRIGGER_TOKENS = 100_000;
const DEFAULT_KEPT_TOOL_USES = 3;
const MIN_COMPACTION_TRIGGER_TOKENS = 50_000;
const PLACEHOLDER = '[Old tool result content cleared]';

const tokens = (low) => shape({ type: anything, value: integerFrom(low) });
const keepThinking = (value, path) => {
  if (value === 'all') return;
  byType({ all: shape({ type: anything }), thinking_turns: tokens(1) })(value, path);
};
const clearInputs = (value, path) => {
  if (typeof value === 'boolean') boolean(value, path);
  else listOf(nonEmptyString)(value, path);
};
const edit = byType({
  clear_thinking_20251015: shape({ type: anything }, { keep: keepThinking }),
  clear_tool_uses_20250919: shape({ type: anything }, {
    trigger: byType({ input_tokens: tokens(1), tool_uses: tokens(1) }),
    keep: byType({ tool_uses: tokens(0) }),
    clear_at_least: nullable(byType({ input_tokens: tokens(1) })),
    exclude_tools: nullable(listOf(nonEmptyString)),
    clear_tool_inputs: nullable(clearInputs),
  }),
  compact_20260112: shape({ type: anything }, {
    trigger: nullable(byType({ input_tokens: tokens(MIN_COMPACTION_TRIGGER_TOKENS) })),
    instructions: nullable(string),
    pause_after_compaction: boolean,
  }),
});

/** Checks `context_management`; each kind of edit needs its own beta. */
export function checkContextManagement(value, { betas, model }) {
  fields(value, 'context_management', {}, { edits: listOf(edit) });
  const edits = value.edits ?? [];
  edits.forEach(({ type }, index) => {
    const path = `context_management.edits.${index}`;
    const beta = type === 'compact_20260112' ? BETA.thresholdCompaction : BETA.contextManagement;
    if (!betas.has(beta)) refuse(`${path}: '${type}' needs the beta ${beta}`);
    if (edits.findIndex((other) => other.type === type) !== index) refuse(`${path}: '${type}' appears more than once`);
    if (type === 'clear_thinking_20251015' && index > 0) refuse(`${path}: 'clear_thinking_20251015' must be the first edit`);
    if (type === 'compact_20260112' && model.compaction !== 'threshold') refuse(`${path}: '${type}' is not supported on ${model.id}`);
  });
}

const sum = (messages, model) =>
  messages.reduce((total, { content }) => total + (Array.isArray(content) ? content.reduce((n, block) => n + blockTokens(block, model), 0) : 0), 0);

/**
 * Applies the edits to the messages a model would see.
 * @returns {{messages: object[], applied: object[]}} `applied` is the response's `applied_edits`.
 */
export function applyContextEdits(contextManagement, messages, { model, inputTokens }) {
  const applied = [];
  let current = messages;
  for (const rule of contextManagement?.edits ?? []) {
    const before = sum(current, model);
    const tokensNow = inputTokens - (sum(messages, model) - before);
    const step =
      rule.type === 'clear_thinking_20251015' ? clearThinking(rule, current, model)
      : rule.type === 'clear_tool_uses_20250919' ? clearToolUses(rule, current, tokensNow)
      : null;
    if (!step) continue;
    const saved = before - sum(step.messages, model);
    if (rule.clear_at_least && saved < rule.clear_at_least.value) continue;
    current = step.messages;
    applied.push({ type: rule.type, ...step.counts, cleared_input_tokens: saved });
  }
  return { messages: current, applied };
}

const isThinking = (block) => block.type === 'thinking' || block.type === 'redacted_thinking';

function clearThinking({ keep }, messages, model) {
  const wanted = keep ?? (model.keepsThinking === 'all' ? 'all' : { type: 'thinking_turns', value: 1 });
  if (wanted === 'all' || wanted.type === 'all') return null;
  const turns = thinkingTurns(messages);
  const cleared = turns.slice(0, Math.max(0, turns.length - wanted.value)).flat();
  if (cleared.length === 0) return null;
  return {
    messages: messages.map((message, index) =>
      cleared.includes(index) ? { ...message, content: message.content.filter((block) => !isThinking(block)) } : message),
    counts: { cleared_thinking_turns: turns.length - wanted.value },
  };
}

/** Indexes of assistant messages with thinking, grouped by turn: a tool loop between two user inputs is one turn. */
function thinkingTurns(messages) {
  const turns = [[]];
  messages.forEach(({ role, content }, index) => {
    const isToolAnswer = Array.isArray(content) && content.some((block) => block.type === 'tool_result');
    if (role === 'user' && !isToolAnswer) turns.push([]);
    if (role === 'assistant' && Array.isArray(content) && content.some(isThinking)) turns.at(-1).push(index);
  });
  return turns.filter((turn) => turn.length > 0);
}

function clearToolUses(rule, messages, inputTokens) {
  const uses = messages.flatMap(({ content }) => (Array.isArray(content) ? content.filter((block) => block.type === 'tool_use') : []));
  const trigger = rule.trigger ?? { type: 'input_tokens', value: DEFAULT_TRIGGER_TOKENS };
  if ((trigger.type === 'tool_uses' ? uses.length : inputTokens) <= trigger.value) return null;

  const kept = rule.keep?.value ?? DEFAULT_KEPT_TOOL_USES;
  const candidates = uses.filter((use) => !rule.exclude_tools?.includes(use.name));
  const hasResult = (id) => messages.some(({ content }) =>
    Array.isArray(content) && content.some((block) => block.type === 'tool_result' && block.tool_use_id === id));
  const cleared = candidates.slice(0, Math.max(0, candidates.length - kept)).filter((use) => hasResult(use.id));
  if (cleared.length === 0) return null;
  const ids = new Set(cleared.map((use) => use.id));
  const clearsInput = (name) => rule.clear_tool_inputs === true || (Array.isArray(rule.clear_tool_inputs) && rule.clear_tool_inputs.includes(name));
  const edited = (block) => {
    if (block.type === 'tool_result' && ids.has(block.tool_use_id)) return { ...block, content: PLACEHOLDER };
    if (block.type === 'tool_use' && ids.has(block.id) && clearsInput(block.name)) return { ...block, input: {} };
    return block;
  };
  return {
    messages: messages.map((message) => (Array.isArray(message.content) ? { ...message, content: message.content.map(edited) } : message)),
    counts: { cleared_tool_uses: cleared.length },
  };
}
