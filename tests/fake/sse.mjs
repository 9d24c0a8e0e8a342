// Server-sent events: from a message to events, from events to bytes, from bytes to awkward chunks.

/** Largest piece of text or JSON in one delta, in characters. */
const MAX_DELTA_CHARACTERS = 24;
/** Largest chunk of bytes written at once; no source, small enough that most lines are split. */
const MAX_CHUNK_BYTES = 96;

/**
 * The events of one answer.
 * @param {object} message Complete message.
 * @param {{random: object, cutInputs?: Map<number, string>, pings?: boolean, unknownEvent?: boolean}} options
 * @returns {{event: string, data: object}[]}
 */
export function messageEvents(message, { random, cutInputs = new Map(), pings = false, unknownEvent = false }) {
  const events = [];
  const emit = (data) => {
    events.push({ event: data.type, data });
    if (pings) events.push({ event: 'ping', data: { type: 'ping' } });
  };
  const { context_management: contextManagement, stop_details: stopDetails } = message;
  emit({
    type: 'message_start',
    message: { ...message, content: [], stop_reason: null, stop_sequence: null, stop_details: null, usage: { ...message.usage, output_tokens: 1 } },
  });
  if (unknownEvent) emit({ type: 'future_event', payload: { of: 'a later version' } });
  message.content.forEach((block, index) => {
    const { start, deltas } = blockEvents(block, random, cutInputs.get(index));
    emit({ type: 'content_block_start', index, content_block: start });
    if (unknownEvent) emit({ type: 'content_block_delta', index, delta: { type: 'future_delta', payload: 'of a later version' } });
    for (const delta of deltas) emit({ type: 'content_block_delta', index, delta });
    emit({ type: 'content_block_stop', index });
  });
  const { input_tokens, output_tokens, cache_creation_input_tokens, cache_read_input_tokens, output_tokens_details, iterations } = message.usage;
  emit({
    type: 'message_delta',
    delta: { stop_reason: message.stop_reason, stop_sequence: message.stop_sequence, stop_details: stopDetails, container: null },
    usage: {
      input_tokens, output_tokens, cache_creation_input_tokens, cache_read_input_tokens, output_tokens_details,
      server_tool_use: null, ...(iterations && { iterations }),
    },
    context_management: contextManagement,
  });
  emit({ type: 'message_stop' });
  return events;
}

/** What a block looks like when it starts, and the deltas that complete it. */
function blockEvents(block, random, cutInput) {
  switch (block.type) {
    case 'text':
      return {
        start: { ...block, text: '', citations: block.citations && [] },
        deltas: [
          ...pieces(block.text, random).map((text) => ({ type: 'text_delta', text })),
          ...(block.citations ?? []).map((citation) => ({ type: 'citations_delta', citation })),
        ],
      };
    case 'tool_use': {
      const json = cutInput ?? (Object.keys(block.input).length === 0 ? '' : JSON.stringify(block.input));
      const deltas = ['', ...pieces(json, random)].map((partial_json) => ({ type: 'input_json_delta', partial_json }));
      return { start: { ...block, input: {} }, deltas };
    }
    case 'thinking':
      return {
        start: { ...block, thinking: '', signature: '' },
        deltas: [
          ...pieces(block.thinking, random).map((thinking) => ({ type: 'thinking_delta', thinking })),
          { type: 'signature_delta', signature: block.signature },
        ],
      };
    case 'compaction':
      if (block.signature) return { start: block, deltas: [] };
      return {
        start: { ...block, content: null, encrypted_content: null },
        deltas: [{ type: 'compaction_delta', content: block.content, encrypted_content: block.encrypted_content ?? null }],
      };
    default:
      return { start: block, deltas: [] };
  }
}

/** Splits text at random places between characters; an empty text has no pieces. */
function pieces(text, random) {
  const characters = [...text];
  const out = [];
  for (let at = 0; at < characters.length; ) {
    const length = random.between(1, MAX_DELTA_CHARACTERS);
    out.push(characters.slice(at, at + length).join(''));
    at += length;
  }
  return out;
}

/**
 * The bytes of one event.
 * @param {{lineEnding?: string, comments?: boolean, splitData?: boolean}} framing Legal variations of the format that a
 *   parser has to read: other line endings, comment lines, data over several lines.
 */
export function eventBytes({ event, data }, { lineEnding = '\n', comments = false, splitData = false } = {}) {
  const json = typeof data === 'string' ? data : JSON.stringify(data);
  const lines = splitData ? splitAtComma(json) : [json];
  const text = [...(comments ? [': a comment'] : []), `event: ${event}`, ...lines.map((line) => `data: ${line}`), '', ''].join(lineEnding);
  return Buffer.from(text, 'utf8');
}

/** JSON may carry a line break after the comma that follows its first field. */
function splitAtComma(json) {
  const comma = json.indexOf(',"');
  return comma < 0 ? [json] : [json.slice(0, comma + 1), json.slice(comma + 1)];
}

/**
 * Cuts bytes at random places, some of them inside UTF-8 characters and, as chunks are shorter than most lines, inside
 * `data:` lines.
 */
export function chunked(bytes, random) {
  const cuts = new Set();
  for (let at = random.between(1, MAX_CHUNK_BYTES); at < bytes.length; at += random.between(1, MAX_CHUNK_BYTES)) cuts.add(at);
  for (let at = 1; at < bytes.length; at += 1) {
    const isContinuation = (bytes[at] & 0xc0) === 0x80;
    if (isContinuation && random.chance(0.3)) cuts.add(at);
  }
  const order = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  return order.slice(1).map((end, index) => bytes.subarray(order[index], end)).filter((chunk) => chunk.length > 0);
}
