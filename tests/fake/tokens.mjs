// A deterministic token estimate.
//
// It is not a tokenizer: it counts characters at the model family's documented average, so that counters add up, grow
// with the text and differ between tokenizer generations. No test may depend on a figure matching the real API.

/** Flat cost of one image or document whose size cannot be read off its text. No source; a plausible round figure. */
const MEDIA_TOKENS = 1500;
/** Cost of a block's frame (role, type). No source. */
const FRAME_TOKENS = 3;

/** Tokens of a piece of text, for a row of the model table. */
export function textTokens(text, model) {
  let characters = 0;
  for (const _ of text) characters += 1;
  return Math.ceil(characters / model.charactersPerToken);
}

/** Tokens of one content block, tool definition or other plain value of the prompt. */
export function blockTokens(block, model) {
  return FRAME_TOKENS + payloadTokens(block, model);
}

function payloadTokens(block, model) {
  switch (block.type) {
    case 'text':
      return textTokens(block.text, model);
    case 'thinking':
      return textTokens(block.thinking + block.signature, model);
    case 'image':
      return MEDIA_TOKENS;
    case 'document':
      return typeof block.source?.data === 'string' && block.source.type === 'text'
        ? textTokens(block.source.data, model)
        : MEDIA_TOKENS;
    case 'tool_result': {
      const content = block.content ?? '';
      return typeof content === 'string'
        ? textTokens(content, model)
        : content.reduce((sum, inner) => sum + blockTokens(inner, model), 0);
    }
    default:
      return textTokens(JSON.stringify({ ...block, cache_control: undefined }), model);
  }
}
