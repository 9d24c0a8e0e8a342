// Streaming: events, deltas and chunk boundaries.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { randomFrom } from '../random.mjs';
import { chunked, eventBytes, messageEvents } from '../sse.mjs';
import { always, ask, assemble, fakeFor, hello, KEY, readEvents, send } from './client.mjs';

const SEEDS = 200;
const tools = [{ name: 'look', input_schema: { type: 'object' } }];
const CONTENT = [
  { type: 'thinking', thinking: 'Erst prüfen … 日本語 🧠', signature: 'sig-ü' },
  { type: 'redacted_thinking', data: 'opaque' },
  { type: 'text', text: 'Grüße aus Köln 👩‍👩‍👧 – 「東京」\n\ndata: not an event\n', citations: null },
  { type: 'tool_use', id: 'toolu_1', name: 'look', input: { z: 'ä\n"🧠"', a: [1, { b: null }], '10': true }, caller: { type: 'direct' } },
  { type: 'tool_use', id: 'toolu_2', name: 'look', input: {}, caller: { type: 'direct' } },
  { type: 'compaction', content: 'Zusammenfassung', encrypted_content: 'e' },
  { type: 'future_block', payload: { 数: 1 } },
];
const MESSAGE = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-opus-5', content: CONTENT, stop_reason: 'tool_use', stop_sequence: null, stop_details: null, context_management: null, usage: { input_tokens: 5, output_tokens: 9 } };
const FRAMINGS = [{}, { lineEnding: '\r\n' }, { lineEnding: '\r' }, { comments: true }, { splitData: true }, { lineEnding: '\r\n', comments: true, splitData: true }];

test(`${SEEDS} seeds give back the same message from awkward chunks`, () => {
  let insideCharacters = 0;
  let insideData = 0;
  for (let seed = 0; seed < SEEDS; seed += 1) {
    const random = randomFrom(seed);
    const events = messageEvents(MESSAGE, { random, pings: seed % 3 === 0, unknownEvent: seed % 5 === 0 });
    const bytes = Buffer.concat(events.map((event) => eventBytes(event, FRAMINGS[seed % FRAMINGS.length])));
    const chunks = chunked(bytes, random);
    assert.ok(Buffer.concat(chunks).equals(bytes), `seed ${seed}: bytes`);
    assert.ok(chunks.every((chunk) => chunk.length > 0), `seed ${seed}: empty chunk`);

    let end = 0;
    for (const chunk of chunks.slice(0, -1)) {
      end += chunk.length;
      const isInsideCharacter = (bytes[end] & 0xc0) === 0x80;
      const line = bytes.subarray(0, end).toString('latin1').split(/[\r\n]/).at(-1);
      if (isInsideCharacter) insideCharacters += 1;
      else if (line.startsWith('data: ') && !/[\r\n]/.test(String.fromCharCode(bytes[end]))) insideData += 1;
    }

    const decoder = new TextDecoder();
    const read = readEvents(chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join('') + decoder.decode());
    assert.deepEqual(assemble(read), CONTENT, `seed ${seed}: content`);
    for (const { event, data } of read) assert.equal(event, data.type, `seed ${seed}: event name`);
    checkOrder(read.map(({ data }) => data), seed);
  }
  assert.ok(insideCharacters > SEEDS, `cuts inside characters: ${insideCharacters}`);
  assert.ok(insideData > 10 * SEEDS, `cuts inside data lines: ${insideData}`);
});

/** The order the contract promises, as a regular expression over event types. */
function checkOrder(events, seed) {
  const letters = { message_start: 'S', content_block_start: 'b', content_block_delta: 'd', content_block_stop: 'e', message_delta: 'D', message_stop: 'E', ping: '', future_event: '' };
  assert.match(events.map(({ type }) => letters[type]).join(''), /^S(bd*e)*D+E$/, `seed ${seed}: order`);
  const indexes = events.filter(({ type }) => type === 'content_block_start').map(({ index }) => index);
  assert.deepEqual(indexes, CONTENT.map((_, index) => index), `seed ${seed}: indexes`);
}

test('the chunks are what is written to the connection', async (t) => {
  const fake = await fakeFor(t, { seed: 5 });
  fake.script({ reply: { content: CONTENT[2].text } });
  const body = JSON.stringify(hello({ stream: true }));
  const { port } = new URL(fake.url);
  const socket = connect(Number(port), '127.0.0.1');
  const head = ['POST /v1/messages HTTP/1.1', 'host: fake', 'connection: close', `x-api-key: ${KEY}`, 'anthropic-version: 2023-06-01', 'content-type: application/json', `content-length: ${Buffer.byteLength(body)}`];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  const received = [];
  for await (const part of socket) received.push(part);
  const chunks = httpChunks(Buffer.concat(received));
  const events = readEvents(Buffer.concat(chunks).toString('utf8'));
  assert.equal(assemble(events)[0].text, CONTENT[2].text);
  assert.ok(chunks.length > events.length, `${chunks.length} chunks for ${events.length} events`);
  assert.ok(chunks.some((chunk) => (chunk[0] & 0xc0) === 0x80), 'some chunk starts inside a character');
});

/** The bodies of HTTP chunks. */
function httpChunks(response) {
  const chunks = [];
  let at = response.indexOf('\r\n\r\n') + 4;
  for (;;) {
    const lineEnd = response.indexOf('\r\n', at);
    const length = Number.parseInt(response.subarray(at, lineEnd).toString(), 16);
    if (length === 0) return chunks;
    chunks.push(response.subarray(lineEnd + 2, lineEnd + 2 + length));
    at = lineEnd + 2 + length + 2;
  }
}

test('the same seed gives the same bytes', () => {
  const bytesOf = (seed) => Buffer.concat(messageEvents(MESSAGE, { random: randomFrom(seed) }).map((event) => eventBytes(event))).toString();
  assert.equal(bytesOf(7), bytesOf(7));
  assert.notEqual(bytesOf(7), bytesOf(8));
});

test('a streamed answer equals the JSON answer', async (t) => {
  const fake = await fakeFor(t, { seed: 3 });
  const content = [{ type: 'thinking', thinking: 'hm' }, { type: 'text', text: 'Größe' }, { type: 'tool_use', id: 'toolu_a', name: 'look', input: { q: 'Ö' } }];
  fake.script(always({ content }));
  const body = hello({ model: 'claude-haiku-5-5', tools });
  const json = await ask(fake, body);
  const response = await send(fake, { body: { ...body, stream: true } });
  assert.match(response.headers.get('content-type'), /^text\/event-stream/);
  const events = readEvents(await response.text());
  assert.deepEqual(assemble(events), json.content);
  const final = events.find(({ event }) => event === 'message_delta').data;
  assert.equal(final.delta.stop_reason, 'tool_use');
  assert.equal(final.usage.output_tokens, json.usage.output_tokens);
  const start = events[0].data.message;
  assert.deepEqual([start.content, start.stop_reason, start.usage.output_tokens], [[], null, 1]);
});

test('thinking text is streamed only when asked for', async (t) => {
  const fake = await fakeFor(t);
  fake.script(always({ content: [{ type: 'thinking', thinking: 'inner' }, { type: 'text', text: 'outer' }] }));
  const deltas = async (changes) => {
    const events = readEvents(await (await send(fake, { body: hello({ stream: true, ...changes }) })).text());
    return events.flatMap(({ data }) => (data.index === 0 && data.delta ? [data.delta.type] : []));
  };
  assert.deepEqual(await deltas({}), ['signature_delta']);
  assert.deepEqual(await deltas({ thinking: { type: 'adaptive', display: 'summarized' } }), ['thinking_delta', 'signature_delta']);
});

test('a tool input cut by max_tokens is not JSON in the stream and empty in the answer', async (t) => {
  const fake = await fakeFor(t);
  fake.script(always({ content: [{ type: 'tool_use', name: 'look', input: { query: 'long' } }], cutAfter: 10 }));
  const events = readEvents(await (await send(fake, { body: hello({ tools, stream: true }) })).text());
  const partial = events.map(({ data }) => data.delta?.partial_json ?? '').join('');
  assert.equal(partial, '{"query":"');
  assert.equal(events.find(({ data }) => data.delta?.type === 'input_json_delta').data.delta.partial_json, '', 'the first delta is empty');
  const json = await ask(fake, hello({ tools }));
  assert.deepEqual([json.stop_reason, json.content[0].input], ['max_tokens', {}]);
});
