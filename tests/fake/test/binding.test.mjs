// Thinking bound to the conversation it was made in.

import assert from 'node:assert/strict';
import { beforeEach, afterEach, test } from 'node:test';
import { startFake } from '../server.mjs';
import { always, ask, call, hello } from './client.mjs';

const BINDING = 'thinking-binding-controls-2026-08-01';
const CLEAR_AT = 'mid-conversation-system-clear-at-2026-08-21';
const MODEL = 'claude-sonnet-5-5';
const tools = [{ name: 'look', input_schema: { type: 'object' } }];
const thought = [{ type: 'thinking', thinking: 'hm' }, { type: 'text', text: 'Hi' }];
const user = (text) => ({ role: 'user', content: [{ type: 'text', text }] });
let fake;
beforeEach(async () => {
  fake = await startFake();
});
afterEach(() => fake.close());

/** A conversation of three answered turns, each with thinking, and a fourth question. */
async function conversation(changes = {}, request = {}) {
  fake.script(always({ content: thought }));
  const messages = [];
  for (const question of ['one', 'two', 'three']) {
    messages.push(user(question));
    const { content } = await ask(fake, hello({ model: MODEL, system: 'S', tools, ...changes, messages }), request);
    messages.push({ role: 'assistant', content });
  }
  messages.push(user('four'));
  return hello({ model: MODEL, system: 'S', tools, ...changes, messages });
}

const edited = (body, edit) => {
  const copy = structuredClone(body);
  edit(copy);
  return copy;
};
const withoutThinking = (...turns) => (body) => {
  for (const turn of turns) body.messages[turn].content.shift();
};

const VALID = [
  ['appending', () => {}],
  ['another max_tokens and effort', (body) => Object.assign(body, { max_tokens: 9, output_config: { effort: 'low' } })],
  ['moved cache marks', (body) => { body.messages[0].content[0].cache_control = { type: 'ephemeral' }; }],
  ['a system string as a block', (body) => { body.system = [{ type: 'text', text: 'S' }]; }],
  ['a text block as a string', (body) => { body.messages[0].content = 'one'; }],
  ['response defaults left out', (body) => { for (const i of [1, 3, 5]) delete body.messages[i].content[1].citations; }],
  ['the oldest thinking removed', withoutThinking(1)],
  ['the newest thinking removed', withoutThinking(5)],
  ['all thinking removed', withoutThinking(1, 3, 5)],
];
const INVALID = [
  ['another system', (body) => { body.system = 'T'; }, 1],
  ['another tool description', (body) => { body.tools[0].description = 'x'; }, 1],
  ['an edited first message', (body) => { body.messages[0].content[0].text = 'uno'; }, 1],
  ['a re-rendered block before the first message', (body) => { body.messages[0].content.unshift({ type: 'text', text: 'memory' }); }, 1],
  ['an edited answer', (body) => { body.messages[1].content[1].text = 'Hello'; }, 3],
  ['an edited later message', (body) => { body.messages[2].content[0].text = 'dos'; }, 3],
  ['a gap in the sequence', withoutThinking(3), 5],
  ['thinking moved to another turn', (body) => { body.messages[5].content[0] = body.messages[1].content[0]; body.messages[1].content.shift(); body.messages[3].content.shift(); }, 5],
];

for (const [name, edit] of VALID) {
  test(`valid: ${name}`, async () => {
    const body = edited(await conversation(), edit);
    const { status, json } = await call(fake, { body });
    assert.equal(status, 200, json.error?.message);
  });
}

for (const [name, edit, at] of INVALID) {
  test(`invalid: ${name}`, async () => {
    const body = edited(await conversation(), edit);
    for (const path of ['/v1/messages', '/v1/messages/count_tokens']) {
      const { status, json } = await call(fake, { path, body: path.endsWith('tokens') ? { ...body, max_tokens: undefined } : body });
      assert.equal(status, 400);
      assert.match(json.error.message, new RegExp(`^messages\\.${at}\\.content\\.0: Invalid \`signature\` in \`thinking\` block\\. The block is bound to a different`));
    }

    const drop = { ...body, thinking: { type: 'adaptive', block_binding: { prefix_mismatch_behavior: 'drop_block' } } };
    const recovered = await ask(fake, drop, { betas: [BINDING] });
    assert.equal(recovered.input_transformations[0].path, `messages.${at}.content.0`);
    assert.ok(recovered.input_transformations.every(({ type, reason }) => type === 'thinking_dropped' && reason === 'prefix_binding_mismatch'));
    const next = { ...drop, messages: [...drop.messages, { role: 'assistant', content: recovered.content }, user('five')] };
    assert.equal((await call(fake, { body: next, betas: [BINDING] })).status, 200, 'and goes on with drop_block');

    const stripped = edited(body, (copy) => copy.messages.forEach((message) => { message.content = message.content.filter(({ type }) => type !== 'thinking'); }));
    assert.equal((await call(fake, { body: stripped })).status, 200, 'or without any thinking');
  });
}

test('an edited thinking text is refused on every model', async () => {
  fake.script(always({ content: thought }));
  const { content } = await ask(fake, hello({ thinking: { type: 'adaptive', display: 'summarized' } }));
  content[0].thinking = 'other';
  const { status, json } = await call(fake, { body: hello({ messages: [user('Hello'), { role: 'assistant', content }, user('more')] }) });
  assert.equal(status, 400);
  assert.match(json.error.message, /^messages\.1\.content\.0: Invalid `signature`/);
});

test('models that do not bind, and old accounts, accept a changed prefix', async () => {
  const change = (body) => { body.system = 'T'; };
  assert.equal((await call(fake, { body: edited(await conversation({ model: 'claude-opus-5' }), change) })).status, 200);
  await fake.close();
  fake = await startFake({ newAccount: false });
  assert.equal((await call(fake, { body: edited(await conversation(), change) })).status, 200);
  assert.equal((await call(fake, { body: edited(await conversation({ model: 'claude-fable-5-2' }), change) })).status, 400, 'always bound');
  const asks = edited(await conversation(), (body) => {
    change(body);
    body.thinking = { type: 'adaptive', block_binding: { prefix_mismatch_behavior: 'error' } };
  });
  assert.equal((await call(fake, { body: asks, betas: [BINDING] })).status, 400, 'bound on request');
});

test('thinking of a newer model is dropped silently, of an older one it is read', async () => {
  const body = await conversation();
  const older = await ask(fake, { ...body, model: 'claude-opus-5' }, { betas: [BINDING] });
  assert.deepEqual(older.input_transformations.map(({ reason }) => reason), Array(3).fill('model_binding_mismatch'));
  const fromOlder = await conversation({ model: 'claude-fable-5-1' });
  assert.equal((await call(fake, { body: { ...fromOlder, model: MODEL } })).status, 200);
});

test('a clear_at message stays where it was', async () => {
  fake.script(always({ content: thought }));
  const clearing = { role: 'system', clear_at: 'next_user_message', content: 'Now: 9:00' };
  const first = [user('one'), clearing];
  const { content } = await ask(fake, hello({ model: MODEL, messages: first }), { betas: [CLEAR_AT] });
  const rest = [{ role: 'assistant', content }, user('two')];
  const status = async (messages) => (await call(fake, { body: hello({ model: MODEL, messages }), betas: [CLEAR_AT] })).status;
  assert.equal(await status([...first, ...rest]), 200);
  assert.equal(await status([user('one'), ...rest]), 400, 'deleted');
  assert.equal(await status([user('one'), { ...clearing, content: 'Now: 9:05' }, ...rest]), 400, 'reworded');
});

test('the key order of a tool input is part of the prefix', async () => {
  fake.script([{ reply: { content: [{ type: 'tool_use', id: 'toolu_a', name: 'look', input: { b: 1, a: 2 } }] } }, always({ content: thought })]);
  const { content } = await ask(fake, hello({ model: MODEL, tools }));
  const history = [user('Hello'), { role: 'assistant', content }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_a', content: 'x' }] }];
  const body = hello({ model: MODEL, tools, messages: history });
  body.messages = [{ role: 'user', content: 'Hello' }, ...history.slice(1)];
  const second = await ask(fake, body);
  const messages = [...body.messages, { role: 'assistant', content: second.content }, user('go on')];
  assert.equal((await call(fake, { body: { ...body, messages } })).status, 200);
  const reordered = structuredClone(messages);
  reordered[1].content[0].input = { a: 2, b: 1 };
  assert.equal((await call(fake, { body: { ...body, messages: reordered } })).status, 400);
  assert.equal((await call(fake, { body: { ...body, model: 'claude-haiku-5-5', messages: reordered } })).status, 400);
  const unbound = reordered.map((message) => ({ ...message, content: typeof message.content === 'string' ? message.content : message.content.filter(({ type }) => type !== 'thinking') }));
  assert.equal((await call(fake, { body: { ...body, messages: unbound } })).status, 200);
  assert.equal(fake.journal.at(-1).violations[0].kind, 'fidelity', 'recorded even where nothing refuses it');
});
