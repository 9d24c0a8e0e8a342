// The official SDK, unmodified, as an independent judge: what it reads from the fake is what it would read from the API.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { betaMemoryTool } from '@anthropic-ai/sdk/helpers/beta/memory';
import { always, fakeFor, hello, KEY } from './client.mjs';

const tools = [{ name: 'look', description: 'Looks something up', input_schema: { type: 'object', properties: { q: { type: 'string' } } } }];
const RICH = [
  { type: 'thinking', thinking: 'Erst prüfen … 🧠' },
  { type: 'text', text: 'Grüße 👩‍👩‍👧 – 「東京」' },
  { type: 'tool_use', id: 'toolu_a', name: 'look', input: { q: 'Köln\n"🧠"', n: [1, null] } },
  { type: 'tool_use', id: 'toolu_b', name: 'look', input: {} },
];
const shown = { thinking: { type: 'adaptive', display: 'summarized' } };

async function setUp(t, options) {
  const fake = await fakeFor(t, options);
  const client = new Anthropic({ apiKey: KEY, baseURL: fake.url, maxRetries: 0 });
  return { fake, client };
}

const clean = (fake) => assert.deepEqual(fake.journal.flatMap(({ violations }) => violations), []);

test('create', async (t) => {
  const { fake, client } = await setUp(t);
  fake.script(always({ content: RICH }));
  const message = await client.messages.create(hello({ ...shown, tools }));
  assert.equal(message.stop_reason, 'tool_use');
  assert.deepEqual(message.content.map(({ type }) => type), ['thinking', 'text', 'tool_use', 'tool_use']);
  assert.match(message._request_id, /^req_/);
  assert.match(fake.journal[0].headers.authorization, /^\[redacted authorization prefix=Bearer sk-ant-\]$/);
  clean(fake);
});

test('stream with thinking and tools equals create at 25 seeds', async (t) => {
  for (let seed = 0; seed < 25; seed += 1) {
    const { fake, client } = await setUp(t, { seed });
    fake.script(always({ content: RICH, pings: seed % 2 === 0, unknownEvent: false, framing: { lineEnding: seed % 3 === 0 ? '\r\n' : '\n' } }));
    const created = await client.messages.create(hello({ ...shown, tools }));
    const streamed = await client.messages.stream(hello({ ...shown, tools })).finalMessage();
    assert.deepEqual(streamed.content, created.content, `seed ${seed}`);
    assert.equal(streamed.stop_reason, 'tool_use');
    assert.equal(streamed.usage.output_tokens, created.usage.output_tokens);
    clean(fake);
  }
});

test('a conversation sent back as it came keeps its thinking valid', async (t) => {
  const { fake, client } = await setUp(t);
  const model = 'claude-sonnet-5-5';
  fake.script([{ reply: { content: RICH } }, always({ content: RICH.slice(0, 2) })]);
  const messages = [{ role: 'user', content: 'Look it up' }];
  const turn = async () => {
    const message = await client.messages.stream(hello({ model, tools, messages })).finalMessage();
    messages.push({ role: 'assistant', content: message.content });
    return message;
  };
  const first = await turn();
  messages.push({ role: 'user', content: first.content.filter(({ type }) => type === 'tool_use').map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'found' })) });
  await turn();
  messages.push({ role: 'user', content: 'Thanks' });
  await turn();
  clean(fake);
});

const ERRORS = [
  [400, Anthropic.BadRequestError], [401, Anthropic.AuthenticationError], [403, Anthropic.PermissionDeniedError],
  [404, Anthropic.NotFoundError], [409, Anthropic.ConflictError], [429, Anthropic.RateLimitError],
  [500, Anthropic.InternalServerError], [529, Anthropic.InternalServerError],
];
for (const [status, Class] of ERRORS) {
  test(`status ${status} is ${Class.name}`, async (t) => {
    const { fake, client } = await setUp(t);
    fake.script({ reply: { status, message: 'told' } });
    await assert.rejects(client.messages.create(hello()), (error) => {
      assert.ok(error instanceof Class, error.constructor.name);
      assert.equal(error.status, status);
      assert.equal(error.error.error.message, 'told');
      assert.match(error.requestID, /^req_/);
      return true;
    });
  });
}

test('rules of the fake reach the SDK as API errors', async (t) => {
  const { fake, client } = await setUp(t);
  await assert.rejects(client.messages.create(hello({ model: 'claude-9' })), Anthropic.NotFoundError);
  await assert.rejects(client.messages.create(hello({ temperature: 0.1 })), /sampling parameters/);
  const keyless = new Anthropic({ apiKey: 'via-worker', baseURL: fake.url, maxRetries: 0 });
  await assert.rejects(keyless.messages.create(hello()), Anthropic.AuthenticationError);
});

test('retries: after retry-after, and never for an unscripted request', async (t) => {
  const { fake } = await setUp(t);
  const client = new Anthropic({ apiKey: KEY, baseURL: fake.url, maxRetries: 2 });
  fake.script([{ reply: { status: 529, headers: { 'retry-after-ms': '1' } } }, { reply: { status: 429, headers: { 'retry-after-ms': '1' } } }, { reply: { content: 'third time' } }]);
  assert.equal((await client.messages.create(hello())).content[0].text, 'third time');
  assert.deepEqual(fake.journal.map(({ headers }) => headers['x-stainless-retry-count']), ['0', '1', '2']);
  await assert.rejects(client.messages.create(hello()), /no script entry matched/);
  assert.equal(fake.journal.length, 4);
});

test('broken streams reject', async (t) => {
  const { fake, client } = await setUp(t);
  for (const reply of [{ cut: 'after-events', n: 4 }, { midStreamError: { type: 'overloaded_error' } }, { malformedSse: true }]) {
    fake.script({ reply });
    await assert.rejects(client.messages.stream(hello()).finalMessage(), Object.keys(reply)[0]);
  }
});

test('an aborted stream is seen', async (t) => {
  const { fake, client } = await setUp(t);
  fake.script({ reply: { pauseAfter: { n: 3, gate: 'never' } } });
  const stream = client.messages.stream(hello());
  stream.on('text', () => {});
  await new Promise((resolve) => stream.once('streamEvent', resolve));
  stream.abort();
  await assert.rejects(stream.finalMessage(), Anthropic.APIUserAbortError);
  await fake.until(({ outcome }) => outcome === 'aborted');
});

test('count_tokens and models', async (t) => {
  const { fake, client } = await setUp(t);
  const { max_tokens: _, ...counted } = hello({ tools });
  assert.ok((await client.messages.countTokens(counted)).input_tokens > 10);
  const ids = [];
  for await (const model of client.models.list({ limit: 3 })) ids.push(model.id);
  assert.equal(ids.length, 11);
  assert.ok(ids.includes('claude-haiku-5-5'));
  const haiku = await client.models.retrieve('claude-haiku-5-5');
  assert.equal(haiku.max_tokens, 128_000);
  clean(fake);
  await assert.rejects(client.models.retrieve('claude-9'), Anthropic.NotFoundError);
});

test('beta fields with their headers', async (t) => {
  const { fake, client } = await setUp(t);
  fake.script(always());
  const context_management = { edits: [{ type: 'clear_tool_uses_20250919', exclude_tools: ['memory'] }] };
  const message = await client.beta.messages.create({ ...hello({ context_management }), betas: ['context-management-2025-06-27'] });
  assert.deepEqual(message.context_management.applied_edits, []);
  const streamed = await client.beta.messages.stream({ ...hello({ context_management }), betas: ['context-management-2025-06-27'] }).finalMessage();
  assert.deepEqual(streamed.context_management.applied_edits, []);
  await assert.rejects(client.beta.messages.create(hello({ context_management })), /Extra inputs are not permitted/);
});

/** A tool runner whose model looks into memory, then answers. */
function runnerFor({ fake, client }, params) {
  fake.script([
    { reply: { content: [{ type: 'thinking', thinking: 'hm' }, { type: 'tool_use', name: 'memory', input: { command: 'view', path: '/memories' } }] } },
    { reply: { content: 'Done.' } },
  ]);
  const calls = [];
  const memory = betaMemoryTool({
    view: (command) => {
      calls.push(command);
      return 'Here is nothing.';
    },
  });
  const runner = client.beta.messages.toolRunner({ ...hello({ model: 'claude-haiku-5-5' }), tools: [memory], ...params });
  return { runner, calls };
}

for (const stream of [false, true]) {
  test(`the tool runner without threads, ${stream ? 'streaming' : 'JSON'}`, async (t) => {
    const context = await setUp(t);
    const { runner, calls } = runnerFor(context, { thread: false, stream });
    if (stream) for await (const part of runner) await part.finalMessage();
    const final = await runner.runUntilDone();
    assert.equal(final.content[0].text, 'Done.');
    assert.deepEqual(calls, [{ command: 'view', path: '/memories' }]);
    const { journal } = context.fake;
    assert.equal(journal.length, 2);
    const [question, answer, results] = journal[1].body.messages;
    assert.deepEqual([question.role, answer.role, results.role], ['user', 'assistant', 'user']);
    assert.equal(results.content[0].content, 'Here is nothing.');
    assert.deepEqual(context.fake.unused(), []);
    clean(context.fake);
  });
}

test('the tool runner with threads is refused and sends everything again without', async (t) => {
  const context = await setUp(t);
  const { runner } = runnerFor(context, {});
  const final = await runner.runUntilDone();
  assert.equal(final.content[0].text, 'Done.');
  const { journal } = context.fake;
  assert.equal(journal.length, 3);
  assert.deepEqual(journal[0].body.thread, { type: 'create' });
  assert.deepEqual(journal[0].violations.map(({ kind, rule }) => [kind, rule]), [['privacy', 'thread']]);
  for (const entry of journal.slice(1)) {
    assert.equal(entry.body.thread, undefined);
    assert.deepEqual(entry.violations, []);
  }
  assert.equal(journal[2].body.messages.length, 3, 'the full history');
});

test('structured outputs', async (t) => {
  const { fake, client } = await setUp(t);
  fake.script(always({ content: '{"name":"Ana"}' }));
  const schema = { type: 'object', additionalProperties: false, required: ['name'], properties: { name: { type: 'string' } } };
  const message = await client.messages.create(hello({ output_config: { format: { type: 'json_schema', schema } } }));
  assert.deepEqual(JSON.parse(message.content[0].text), { name: 'Ana' });
});

test('the stand-in', async (t) => {
  const { fake, client } = await setUp(t, { standIn: true });
  const message = await client.messages.stream(hello({ model: 'claude-haiku-5-5' })).finalMessage();
  assert.equal(message.content.at(-1).text, 'I am a local stand-in, not Claude. You asked: “Hello”. This request carried no memory.');
  clean(fake);
});
