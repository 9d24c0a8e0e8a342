// The demo's announced stand-in for Claude: deterministic answers that say what the request carried.
//
// It never pretends to understand. A chat answer repeats the question and quotes the memory lines it was given, so that
// a person without a key sees which memory would have reached Claude. A request with a `facts` schema is answered by
// the patterns in `extraction.mjs`, and the demo of code reviews by the rules of `reviewer.mjs`.

import { extractFacts } from './extraction.mjs';
import { thinks } from './models.mjs';
import { contentBlocks } from './prompt.mjs';
import { Rejection } from './rejection.mjs';
import { reviewReply } from './reviewer.mjs';
import { inSchemaOrder } from './schema.mjs';

/** The reply, in the form of a scripted one, to a request that passed all checks, with its messages as a model would see them. */
export function standInReply({ body, model }) {
  if (body.compaction) return { content: [{ type: 'compaction', content: summary(body) }] };
  const schema = body.output_config?.format?.schema;
  const review = schema ? undefined : reviewReply(body, wordsOf);
  if (review) return { content: review };
  const query = schema ? undefined : wantsToLookUp(body);
  if (query) return { content: [{ type: 'tool_use', name: 'recall', input: { query } }] };
  const text = schema ? extractionAnswer(schema, body) : chatAnswer(body);
  const thinking = thinks(model, body.thinking) ? [{ type: 'thinking', thinking: 'A stand-in does not think.' }] : [];
  return { content: [...thinking, { type: 'text', text }] };
}

const textsOf = (message) => contentBlocks(message).filter((block) => block.type === 'text').map((block) => block.text);
const isUpdate = (text) => /^<memory_update[\s>]/.test(text) && text.includes('</memory_update>');
/** What the person wrote. */
const wordsOf = (message) => textsOf(message).filter((text) => !isUpdate(text)).join('\n').trim();
const isSnapshot = (text) => /^<memory_snapshot[\s>]/.test(text) && text.includes('</memory_snapshot>');

/** The lines of a memory block that state something. */
const memoryLines = (text) =>
  text.split(/\r\n|\r|\n/).map((line) => line.trim()).filter((line) => line.startsWith('- ')).map((line) => line.replaceAll('&lt;', '<'));

const newestOfUser = (messages) => messages.findLast((message) => message.role === 'user');

/** What a message asks to be looked up in so many words, if there is the tool for it and it has not said anything yet. */
function wantsToLookUp({ tools = [], messages }) {
  const newest = newestOfUser(messages);
  if (!tools.some((tool) => tool.name === 'recall') || contentBlocks(newest).some((block) => block.type === 'tool_result')) return undefined;
  return textsOf(newest).map((text) => /^look up (.+)$/is.exec(text)?.[1].trim()).find(Boolean);
}

/** The lines that a tool found for the newest message. */
const foundLines = (message) =>
  contentBlocks(message).filter((block) => block.type === 'tool_result' && typeof block.content === 'string').flatMap((block) => memoryLines(block.content));

function chatAnswer({ system, messages }) {
  const newest = newestOfUser(messages);
  const question = wordsOf(newest);
  // Those that a later message of the user has cleared are not among them any more.
  const texts = [newest, ...messages.filter((message) => message.role === 'system')].flatMap(textsOf);
  const blocks = [...textsOf({ content: system }).filter(isSnapshot), ...texts.filter(isUpdate)];
  const lines = blocks.flatMap(memoryLines);

  const asked = question === '' ? 'You asked nothing in words.' : `You asked: “${question}”.`;
  const results = contentBlocks(newest).some((block) => block.type === 'tool_result');
  if (results) return `I am a local stand-in, not Claude. Memory holds on that:\n${foundLines(newest).join('\n') || 'nothing'}`;
  const held =
    lines.length > 0 ? `Your memory block held:\n${lines.join('\n')}`
    : blocks.length > 0 ? 'Your memory block was empty.'
    : 'This request carried no memory.';
  return `I am a local stand-in, not Claude. ${asked} ${held}`;
}

function summary({ messages }) {
  const said = messages.filter((message) => message.role === 'user').flatMap(textsOf).filter((text) => !isUpdate(text));
  return ['Stand-in summary: the user wrote', ...said.map((text) => `- ${text}`)].join('\n');
}

function extractionAnswer(schema, { messages }) {
  const unanswerable = (message) => {
    throw new Rejection(500, `fake: the stand-in cannot answer: ${message}`, { kind: 'script', rule: 'stand-in' });
  };
  if (schema.properties?.facts?.type !== 'array') unanswerable('it knows only schemas with a top-level `facts` array');
  const input = textsOf(messages.findLast((message) => message.role === 'user')).join('\n');
  const list = (tag) => {
    const json = new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(input)?.[1];
    if (json === undefined) unanswerable(`the request has no <${tag}> list`);
    try {
      const value = JSON.parse(json);
      if (Array.isArray(value)) return value;
    } catch {
      // Reported below, like any other value that is no list.
    }
    return unanswerable(`<${tag}> does not hold a JSON array`);
  };
  const facts = extractFacts(list('known_facts'), list('turns'));
  return JSON.stringify(inSchemaOrder(schema, { facts }));
}
