// Scripts and faults: what a client may meet, and what the journal says about it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gate } from '../server.mjs';
import { ask, call, fakeFor, hello, readEvents, send } from './client.mjs';

const streamed = (changes) => hello({ stream: true, ...changes });

test('entries are used in order, by matcher, as often as they say', async (t) => {
  const fake = await fakeFor(t);
  fake.script([
    { name: 'streams', match: (request) => request.body.stream, reply: { content: 'streamed' } },
    { match: { bodyIncludes: 'say "ü"' }, reply: { content: 'quoted' }, times: 2 },
    { match: { model: 'claude-opus-5' }, reply: ({ body }) => ({ content: `heard ${body.messages[0].content}` }) },
  ]);
  const text = async (content) => (await ask(fake, hello({ messages: [{ role: 'user', content }] }))).content[0].text;
  assert.equal(await text('Hello'), 'heard Hello');
  assert.equal(await text('please say "ü"'), 'quoted');
  assert.deepEqual(fake.unused(), ['streams', 'entry 1']);
  assert.equal(await text('say "ü" again'), 'quoted');
  const { status, json } = await call(fake, { body: hello() });
  assert.equal(status, 500);
  assert.match(json.error.message, /no script entry matched POST \/v1\/messages \(1 entries unused\)/);
  assert.equal(fake.journal.at(-1).violations[0].rule, 'unscripted');
});

test('a refused request uses up no entry', async (t) => {
  const fake = await fakeFor(t);
  fake.script({ reply: { content: 'kept' } });
  assert.equal((await call(fake, { body: {} })).status, 400);
  assert.equal((await ask(fake, hello())).content[0].text, 'kept');
});

test('mistakes in a script are told at once', async (t) => {
  const fake = await fakeFor(t);
  for (const entry of [
    {}, { reply: 'text' }, { reply: { contents: 'x' } }, { reply: {}, when: 1 }, { reply: {}, match: { body: 'x' } },
    { reply: {}, times: 0 }, { reply: { status: 418 } }, { reply: { status: 429, type: 'api_error' } },
    { reply: { status: 500, content: 'x' } }, { reply: { cut: true } }, { reply: { midStreamError: { type: 'oops' } } },
  ]) assert.throws(() => fake.script([entry]), TypeError, JSON.stringify(entry));
});

const STATUSES = [[400, 'invalid_request_error'], [401, 'authentication_error'], [402, 'billing_error'], [403, 'permission_error'], [409, 'conflict_error'], [413, 'request_too_large'], [429, 'rate_limit_error'], [500, 'api_error'], [504, 'timeout_error'], [529, 'overloaded_error']];
for (const [status, type] of STATUSES) {
  test(`fault ${status}`, async (t) => {
    const fake = await fakeFor(t);
    fake.script({ reply: { status, type, headers: { 'retry-after': '1' }, details: { error_code: 'c' } } });
    const answer = await call(fake, { body: hello() });
    assert.equal(answer.status, status);
    assert.equal(answer.json.error.type, type);
    assert.equal(answer.json.error.details.error_code, 'c');
    assert.equal(answer.json.request_id, answer.headers.get('request-id'));
    assert.equal(answer.headers.get('retry-after'), '1');
    assert.deepEqual([fake.journal[0].status, fake.journal[0].outcome, fake.journal[0].violations], [status, 'answered', []]);
  });
}

test('a fault from the network in front of the API is no JSON', async (t) => {
  const fake = await fakeFor(t);
  fake.script({ reply: { status: 413, nonJson: true } });
  const response = await send(fake, { body: hello() });
  assert.equal(response.status, 413);
  assert.match(response.headers.get('content-type'), /html/);
  assert.match(await response.text(), /^<html>/);
});

test('faults for the endpoints that need no script', async (t) => {
  const fake = await fakeFor(t);
  fake.script([{ path: '/v1/messages/count_tokens', reply: { status: 429 } }, { path: '/v1/models', reply: { status: 529 } }]);
  const count = { path: '/v1/messages/count_tokens', body: { ...hello(), max_tokens: undefined } };
  assert.equal((await call(fake, count)).status, 429);
  assert.equal((await call(fake, count)).status, 200);
  assert.equal((await call(fake, { method: 'GET', path: '/v1/models' })).status, 529);
  assert.equal((await call(fake, { method: 'GET', path: '/v1/models' })).status, 200);
});

for (const stream of [true, false]) {
  test(`a dropped connection, ${stream ? 'streaming' : 'JSON'}`, async (t) => {
    const fake = await fakeFor(t);
    fake.script({ reply: { cut: 'after-events', n: 3 } });
    const response = await send(fake, { body: hello({ stream }) });
    assert.equal(response.status, 200);
    const seen = [];
    await assert.rejects(async () => {
      for await (const chunk of response.body) seen.push(chunk);
    });
    const text = Buffer.concat(seen).toString();
    if (stream) assert.equal(readEvents(text).length, 3);
    else assert.throws(() => JSON.parse(text));
    await fake.until((entry) => entry.outcome === 'cut');
  });
}

test('an error in the middle of a stream', async (t) => {
  const fake = await fakeFor(t);
  fake.script({ reply: { midStreamError: { type: 'overloaded_error' } }, times: 2 });
  const response = await send(fake, { body: streamed() });
  assert.equal(response.status, 200);
  const events = readEvents(await response.text());
  assert.equal(events[0].event, 'message_start');
  assert.equal(events.at(-1).event, 'error');
  assert.equal(events.at(-1).data.error.type, 'overloaded_error');
  assert.ok(!events.some(({ event }) => event === 'message_stop'));
  assert.equal((await call(fake, { body: hello() })).status, 529, 'without a stream it is the status');
});

test('data that is no JSON', async (t) => {
  const fake = await fakeFor(t);
  fake.script({ reply: { malformedSse: true }, times: 2 });
  assert.throws(() => readEvents('data: {'), SyntaxError);
  const text = await (await send(fake, { body: streamed() })).text();
  assert.throws(() => readEvents(text), SyntaxError);
  const json = await (await send(fake, { body: hello() })).text();
  assert.throws(() => JSON.parse(json), SyntaxError);
});

test('pings, unknown events and unusual framing leave the content as it is', async (t) => {
  const fake = await fakeFor(t);
  const framing = { lineEnding: '\r', bom: true, comments: true, splitData: true };
  fake.script({ reply: { content: 'plain', pings: true, unknownEvent: true, framing } });
  const text = await (await send(fake, { body: streamed() })).arrayBuffer().then((bytes) => Buffer.from(bytes).toString('utf8'));
  assert.equal(text.charCodeAt(0), 0xfeff);
  const events = readEvents(text);
  const kinds = new Set(events.map(({ event }) => event));
  assert.ok(kinds.has('ping') && kinds.has('future_event'));
  assert.equal(events.map(({ data }) => data.delta?.text ?? '').join(''), 'plain');
});

test('nothing arrives before the gate opens', async (t) => {
  const fake = await fakeFor(t);
  const hold = gate();
  fake.script({ reply: { slowFirstByte: hold } });
  let arrived = false;
  const response = send(fake, { body: streamed() }).then((value) => {
    arrived = true;
    return value;
  });
  await fake.until((entry) => entry.outcome === 'pending');
  assert.equal((await call(fake, { method: 'GET', path: '/v1/models' })).status, 200, 'another round trip');
  assert.equal(arrived, false);
  hold.release();
  assert.equal((await response).status, 200);
});

test('a stream held in the middle goes on where it stopped', async (t) => {
  const fake = await fakeFor(t);
  fake.script({ reply: { content: 'held', pauseAfter: { n: 2, gate: 'middle' } } });
  const response = await send(fake, { body: streamed() });
  const reader = response.body.getReader();
  let text = '';
  while (readWhole(text).length < 2) text += Buffer.from((await reader.read()).value).toString('latin1');
  assert.equal(fake.journal[0].outcome, 'pending');
  fake.release('middle');
  for (let step = await reader.read(); !step.done; step = await reader.read()) text += Buffer.from(step.value).toString('latin1');
  assert.equal(readEvents(text).at(-1).event, 'message_stop');
});
const readWhole = (text) => text.split('\n\n').slice(0, -1);

const ABORTS = [
  ['while it hangs', { hang: true }],
  ['before the first byte', { slowFirstByte: new Promise(() => {}) }],
  ['in the middle of a stream', { pauseAfter: { n: 3, gate: 'never' } }],
];
for (const [name, reply] of ABORTS) {
  test(`an abort ${name} is seen`, async (t) => {
    const fake = await fakeFor(t);
    fake.script({ reply });
    const abort = new AbortController();
    const answer = send(fake, { body: streamed(), signal: abort.signal }).then((response) => response.text());
    const failed = assert.rejects(answer, { name: 'AbortError' });
    await fake.until((entry) => entry.outcome === 'pending');
    abort.abort();
    await failed;
    const entry = await fake.until(({ outcome }) => outcome === 'aborted');
    assert.deepEqual(entry.violations, []);
  });
}

test('refusal, pause and empty content', async (t) => {
  const fake = await fakeFor(t);
  const paused = [{ type: 'text', text: 'Searching' }, { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} }];
  fake.script([{ reply: { refusal: { category: 'cyber' } } }, { reply: { pauseTurn: true, content: paused } }, { reply: { pauseTurn: true } }, { reply: { content: [] } }, { reply: {}, times: 2 }]);
  const refused = await ask(fake, hello());
  assert.deepEqual([refused.stop_reason, refused.stop_details.category, refused.content], ['refusal', 'cyber', []]);
  const first = await ask(fake, hello());
  assert.equal(first.stop_reason, 'pause_turn');
  const second = await ask(fake, hello());
  assert.deepEqual((await ask(fake, hello())).content, []);
  for (const { content } of [first, second]) {
    const messages = [{ role: 'user', content: 'Hello' }, { role: 'assistant', content }];
    assert.equal((await call(fake, { body: hello({ messages }) })).status, 200, 'a paused turn is continued as it is');
  }
  const changed = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { q: 'x' } };
  const messages = [{ role: 'user', content: 'Hello' }, { role: 'assistant', content: [changed] }];
  assert.match((await call(fake, { body: hello({ messages }) })).json.error.message, /Input tag 'server_tool_use'/);
});

test('the journal keeps order, bodies and time, and reset starts anew', async (t) => {
  let clock = 5;
  const fake = await fakeFor(t, { now: () => clock });
  fake.script([{ reply: {} }, { reply: {} }]);
  const first = await ask(fake, hello());
  clock = 9;
  await call(fake, { body: hello({ max_tokens: 'x' }) });
  assert.deepEqual(fake.journal.map(({ at, method, path, status, outcome }) => [at, method, path, status, outcome]), [
    [5, 'POST', '/v1/messages', 200, 'answered'], [9, 'POST', '/v1/messages', 400, 'rejected'],
  ]);
  assert.deepEqual(fake.journal[0].body, hello());
  const { journal } = fake;
  fake.reset();
  assert.equal(journal.length, 0);
  assert.deepEqual(fake.unused(), []);
  clock = 5;
  fake.script({ reply: {} });
  assert.equal((await ask(fake, hello())).id, first.id, 'the same seed and clock give the same ids');
});
