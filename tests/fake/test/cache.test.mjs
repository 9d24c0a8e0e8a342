// The prompt cache simulator, on a fake clock.

import assert from 'node:assert/strict';
import { beforeEach, afterEach, test } from 'node:test';
import { gate, startFake } from '../server.mjs';
import { always, ask, hello, readEvents, send } from './client.mjs';

const MINUTE = 60_000;
let clock;
let fake;
beforeEach(async () => {
  clock = 0;
  fake = await startFake({ now: () => clock });
});
afterEach(() => fake.close());

const mark = (ttl) => ({ cache_control: { type: 'ephemeral', ...(ttl && { ttl }) } });
const text = (value, more) => ({ type: 'text', text: value, ...more });
/** About 800 tokens at 2.5 characters each: above 512, below 1024. */
const long = (label) => `${label} `.repeat(1000).slice(0, 2000);
const user = (...content) => ({ role: 'user', content });
const counts = ({ usage }) => [usage.cache_read_input_tokens, usage.cache_creation_input_tokens];

const cached = (changes) => hello({ system: [text(long('s'), mark())], ...changes });

test('writes first, then reads, and the parts add up', async () => {
  fake.script(always());
  const first = await ask(fake, cached());
  const [, written] = counts(first);
  assert.ok(written >= 800);
  assert.equal(first.usage.cache_read_input_tokens, 0);
  assert.equal(first.usage.cache_creation.ephemeral_5m_input_tokens, written);
  const second = await ask(fake, cached({ messages: [user(text('Another question'))] }));
  assert.deepEqual(counts(second), [written, 0]);
  assert.ok(second.usage.input_tokens > 0 && second.usage.input_tokens < 50);
});

test('a streamed answer writes too, and says so in its first event', async () => {
  fake.script(always());
  const events = readEvents(await (await send(fake, { body: cached({ stream: true }) })).text());
  const written = events[0].data.message.usage.cache_creation_input_tokens;
  assert.ok(written >= 800);
  assert.equal(events.find(({ event }) => event === 'message_delta').data.usage.cache_creation_input_tokens, written);
  assert.equal(counts(await ask(fake, cached()))[0], written);
});

test('a growing conversation reads what the last turn wrote', async () => {
  fake.script(always());
  const turn1 = user(text(long('a'), mark()));
  const first = await ask(fake, hello({ messages: [turn1] }));
  const history = [user(text(long('a'))), { role: 'assistant', content: first.content }, user(text(long('b'), mark()))];
  const second = await ask(fake, hello({ messages: history }));
  assert.equal(second.usage.cache_read_input_tokens, first.usage.cache_creation_input_tokens);
  assert.ok(second.usage.cache_creation_input_tokens >= 800);
});

const changes = [
  ['tools', { tools: [{ name: 'look', input_schema: { type: 'object' } }] }, 0],
  ['system', { system: [text(`${long('s')}!`, mark())] }, 0],
  ['model', { model: 'claude-opus-5-5' }, 0],
  ['output format', { output_config: { format: { type: 'json_schema', schema: { type: 'object', additionalProperties: false, properties: {} } } } }, 0],
  ['speed', { speed: 'fast' }, 0],
  ['effort', { output_config: { effort: 'low' } }, 1],
  ['thinking', { thinking: { type: 'disabled' } }, 1],
];
for (const [name, change, hitsSystem] of changes) {
  test(`a change of ${name} ${hitsSystem ? 'keeps the system part' : 'misses everything'}`, async () => {
    fake.script(always({ content: '{}' }));
    const body = cached({ messages: [user(text(long('m'), mark()))] });
    await ask(fake, body);
    const [read] = counts(await ask(fake, body));
    const [reread, written] = counts(await ask(fake, { ...body, ...change }));
    assert.ok(reread < read);
    assert.equal(reread > 0, Boolean(hitsSystem));
    assert.ok(written > 0);
  });
}

test('marks may move without a miss', async () => {
  fake.script(always());
  const [, written] = counts(await ask(fake, cached()));
  const body = cached({ system: [text(long('s'))], messages: [user(text('Hello', mark()))] });
  assert.equal(counts(await ask(fake, body))[0], written);
});

test('lifetime: five minutes from the start of the last use, or an hour', async () => {
  fake.script(always());
  await ask(fake, cached());
  clock = 4 * MINUTE;
  assert.ok(counts(await ask(fake, cached()))[0] > 0, 'alive after 4 minutes');
  clock = 8 * MINUTE;
  assert.ok(counts(await ask(fake, cached()))[0] > 0, 'refreshed by use');
  clock = 13 * MINUTE;
  assert.equal(counts(await ask(fake, cached()))[0], 0, 'gone after 5 minutes without use');

  const hour = cached({ system: [text(long('h'), mark('1h'))] });
  const first = await ask(fake, hour);
  assert.ok(first.usage.cache_creation.ephemeral_1h_input_tokens > 0);
  assert.equal(first.usage.cache_creation.ephemeral_5m_input_tokens, 0);
  clock += 59 * MINUTE;
  assert.ok(counts(await ask(fake, hour))[0] > 0);
  clock += 60 * MINUTE;
  assert.equal(counts(await ask(fake, hour))[0], 0);
});

test('mixed lifetimes are counted apart', async () => {
  fake.script(always());
  const { usage } = await ask(fake, cached({ system: [text(long('s'), mark('1h'))], messages: [user(text(long('m'), mark()))] }));
  const { ephemeral_1h_input_tokens: hour, ephemeral_5m_input_tokens: minutes } = usage.cache_creation;
  assert.ok(hour >= 800 && minutes >= 800);
  assert.equal(hour + minutes, usage.cache_creation_input_tokens);
});

test('below the minimum length nothing is cached', async () => {
  fake.script(always());
  const short = hello({ system: [text('short', mark())] });
  assert.deepEqual(counts(await ask(fake, short)), [0, 0]);
  assert.deepEqual(counts(await ask(fake, short)), [0, 0]);
  const sonnet = cached({ model: 'claude-sonnet-5' });
  assert.deepEqual(counts(await ask(fake, sonnet)), [0, 0], '800 tokens are below the 1024 of Sonnet 5');
});

test('a read looks back over 20 positions, the breakpoint being the first', async () => {
  fake.script(always());
  const blocks = (n) => Array.from({ length: n }, (_, i) => text(`part ${i}`));
  const withTail = (n) => hello({ messages: [user(text(long('a')), ...blocks(n - 1), text('end', mark()))] });
  await ask(fake, hello({ messages: [user(text(long('a'), mark()))] }));
  assert.ok(counts(await ask(fake, withTail(19)))[0] > 0, '19 blocks after the written one');
  fake.reset();
  fake.script(always());
  await ask(fake, hello({ messages: [user(text(long('a'), mark()))] }));
  assert.equal(counts(await ask(fake, withTail(20)))[0], 0, '20 blocks after the written one');
});

test('automatic caching marks the last block and skips clear_at messages', async () => {
  fake.script(always());
  const betas = ['mid-conversation-system-clear-at-2026-08-21'];
  const clearing = { role: 'system', clear_at: 'next_user_message', content: 'Now: 9:00' };
  const auto = { cache_control: { type: 'ephemeral' } };
  const turn1 = user(text(long('a')));
  const first = await ask(fake, hello({ ...auto, messages: [turn1, clearing] }), { betas });
  assert.ok(first.usage.input_tokens > 0, 'the transient message is not in the cached part');
  const next = [turn1, clearing, { role: 'assistant', content: first.content }, user(text('next')), { ...clearing, content: 'Now: 9:05' }];
  const second = await ask(fake, hello({ ...auto, messages: next }), { betas });
  assert.equal(second.usage.cache_read_input_tokens, first.usage.cache_creation_input_tokens);
});

test('a clear_at message is read once and paid once, behind the marked message of the user', async () => {
  fake.script(always());
  const betas = ['mid-conversation-system-clear-at-2026-08-21'];
  const clearing = (label) => ({ role: 'system', clear_at: 'next_user_message', content: long(label) });
  const inputOf = ({ usage }) => usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens;
  const ends = (messages) => messages.map((message, at) => (at === messages.findLastIndex(({ role }) => role === 'user') ? user(text(message.content[0].text, mark())) : message));
  const history = [];
  const totals = [];
  for (const n of [1, 2, 3]) {
    history.push(user(text(long(`q${n}`))), clearing(`memory ${n}`));
    const answer = await ask(fake, hello({ messages: ends(history) }), { betas });
    const [read, written] = counts(answer);
    assert.ok(written >= 800 && written < 1000, `only the question is written: ${written}`);
    assert.ok(answer.usage.input_tokens >= 800, 'the message behind it is paid as input');
    if (n > 1) assert.ok(read >= (n - 1) * 800, 'and is no part of what is read later');
    totals.push(inputOf(answer));
    history.push({ role: 'assistant', content: answer.content });
  }
  assert.ok(totals[2] - totals[1] < 900, `a turn adds its question and its answer: ${totals}`);
});

test('parallel first requests do not hit each other', async () => {
  const hold = gate();
  fake.script([{ reply: { slowFirstByte: hold } }, { reply: {} }, { reply: {} }]);
  const slow = ask(fake, cached());
  await fake.until((entry) => entry.path === '/v1/messages');
  assert.equal(counts(await ask(fake, cached()))[0], 0);
  hold.release();
  await slow;
  assert.ok(counts(await ask(fake, cached()))[0] > 0);
});

test('a failed request writes nothing, a pre-warm does', async () => {
  fake.script([{ reply: { status: 529 } }, { reply: {} }]);
  await assert.rejects(ask(fake, cached()));
  const warm = await ask(fake, cached({ max_tokens: 0 }));
  assert.deepEqual(warm.content, []);
  assert.ok(counts(warm)[1] > 0);
  assert.ok(counts(await ask(fake, cached()))[0] > 0);
});

test('diagnostics name what changed', async () => {
  fake.script(always());
  const body = cached({ messages: [user(text('one'))] });
  const first = await ask(fake, { ...body, diagnostics: { previous_message_id: null } });
  assert.deepEqual(first.diagnostics, { cache_miss_reason: null });
  const answered = [user(text('one')), { role: 'assistant', content: first.content }, user(text('two'))];
  const reason = async (change, id = first.id) => {
    const { diagnostics } = await ask(fake, { ...body, messages: answered, ...change, diagnostics: { previous_message_id: id } });
    return diagnostics.cache_miss_reason?.type ?? null;
  };
  assert.equal(await reason({}), null);
  assert.equal(await reason({ model: 'claude-opus-5-5' }), 'model_changed');
  assert.equal(await reason({ system: 'other' }), 'system_changed');
  assert.equal(await reason({ tools: [{ type: 'memory_20250818', name: 'memory' }] }), 'tools_changed');
  assert.equal(await reason({ messages: [user(text('uno'))] }), 'messages_changed');
  assert.equal(await reason({}, 'msg_unknown'), 'previous_message_not_found');
  assert.equal((await ask(fake, body)).diagnostics, null);
});
