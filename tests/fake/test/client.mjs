// A plain client for the fake's own tests: no SDK, so that every byte of a request is the test's.

import { startFake } from '../server.mjs';

export const KEY = 'sk-ant-test-0000';

/** A request every model accepts. */
export const hello = (changes = {}) => ({
  model: 'claude-opus-5',
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'Hello' }],
  ...changes,
});

/** Starts a fake that is closed when the test ends. */
export async function fakeFor(t, options) {
  const fake = await startFake(options);
  t.after(() => fake.close());
  return fake;
}

/** Sends a request; a header set to `undefined` is left out. */
export function send(fake, { path = '/v1/messages', method = 'POST', body, raw, headers = {}, betas = [], signal } = {}) {
  const all = {
    'x-api-key': KEY,
    'anthropic-version': '2023-06-01',
    ...(method === 'POST' && { 'content-type': 'application/json' }),
    ...(betas.length > 0 && { 'anthropic-beta': betas.join(',') }),
    ...headers,
  };
  const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return fetch(fake.url + path, { method, headers: kept, body: raw ?? (body && JSON.stringify(body)), signal });
}

/** Sends and reads: `{status, json, headers}`. */
export async function call(fake, request) {
  const response = await send(fake, request);
  return { status: response.status, headers: response.headers, json: await response.json() };
}

/** Sends a body that is expected to be answered; returns the message. */
export async function ask(fake, body, request = {}) {
  const { status, json } = await call(fake, { body, ...request });
  if (status !== 200) throw new Error(`expected 200, got ${status}: ${json.error?.message}`);
  return json;
}

/** Repeats a reply for every request. */
export const always = (reply = {}) => ({ reply, times: Infinity });

/**
 * Reads events the obvious way, as an oracle for the stream: split the whole text into blocks at blank lines.
 * @returns {{event: string, data: any}[]}
 */
export function readEvents(text) {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r\n\r\n|\n\n|\r\r/)
    .map((block) => block.split(/\r\n|\n|\r/).filter((line) => line !== '' && !line.startsWith(':')))
    .filter((lines) => lines.length > 0)
    .map((lines) => ({
      event: lines.find((line) => line.startsWith('event: '))?.slice(7),
      data: JSON.parse(lines.filter((line) => line.startsWith('data: ')).map((line) => line.slice(6)).join('\n')),
    }));
}

/** Puts the content of streamed events together, by the rules of the contract. */
export function assemble(events) {
  const blocks = [];
  const json = [];
  for (const { data } of events) {
    if (data.type === 'content_block_start') {
      blocks[data.index] = structuredClone(data.content_block);
      json[data.index] = '';
    }
    if (data.type !== 'content_block_delta') continue;
    const block = blocks[data.index];
    const { delta } = data;
    if (delta.type === 'text_delta') block.text += delta.text;
    if (delta.type === 'thinking_delta') block.thinking += delta.thinking;
    if (delta.type === 'signature_delta') block.signature = delta.signature;
    if (delta.type === 'citations_delta') block.citations.push(delta.citation);
    if (delta.type === 'compaction_delta') Object.assign(block, { content: delta.content, encrypted_content: delta.encrypted_content });
    if (delta.type === 'input_json_delta') json[data.index] += delta.partial_json;
  }
  blocks.forEach((block, index) => {
    if (block.type === 'tool_use') block.input = json[index] === '' ? {} : JSON.parse(json[index]);
  });
  return blocks;
}
