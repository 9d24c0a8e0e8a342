// From a checked request to everything the answer needs: what the model would see, and what it costs.

import { checkBinding } from './binding.mjs';
import { diagnose, fingerprint } from './cache.mjs';
import { applyContextEdits } from './context.mjs';
import { flatPrompt, promptTokens, seenMessages } from './prompt.mjs';
import { refuse } from './rejection.mjs';

/**
 * @param {object} body Checked request.
 * @param {object} model Row of the model table.
 * @param {{newAccount: boolean}} account
 * @returns {object} `messages` and `prompt` (flat) as seen by the model, `inputTokens`, `originalInputTokens` (before context
 *   editing), `applied` (edits, or `null` if none were asked for), `transformations` and `next` for thinking.
 */
export function readPrompt(body, model, account) {
  const { dropped, transformations, next } = checkBinding(body, model, account);
  const messages = seenMessages(body.messages, model).map((message) => ({
    ...message,
    content: message.content.filter((block) => !dropped.has(block)),
  }));
  const flat = (list) => flatPrompt({ tools: body.tools, system: body.system, messages: list }, model);
  const originalInputTokens = promptTokens(flat(messages));
  const edits = applyContextEdits(body.context_management, messages, { model, inputTokens: originalInputTokens });
  const prompt = flat(edits.messages);
  const inputTokens = promptTokens(prompt);
  if (inputTokens > model.contextTokens) refuse(`prompt is too long: ${inputTokens} tokens > ${model.contextTokens} maximum`);
  return { messages: edits.messages, prompt, inputTokens, originalInputTokens, applied: body.context_management ? edits.applied : null, transformations, next };
}

/** The answer of `count_tokens`. */
export function countedTokens(body, { inputTokens, originalInputTokens }) {
  return {
    input_tokens: inputTokens,
    ...(body.context_management && { context_management: { original_input_tokens: originalInputTokens } }),
  };
}

/** The response's `diagnostics`, or `null` if the request did not ask. */
export function diagnosticsFor(body, model, prompt, issued) {
  if (!body.diagnostics) return null;
  const previousId = body.diagnostics.previous_message_id ?? null;
  if (previousId === null) return { cache_miss_reason: null };
  return diagnose(issued.fingerprintOf(previousId), fingerprint(prompt, model));
}
