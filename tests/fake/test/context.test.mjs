// Context editing and compaction.

import assert from 'node:assert/strict';
import { beforeEach, afterEach, test } from 'node:test';
import { startFake } from '../server.mjs';
import { always, ask, assemble, call, hello, readEvents, send } from './client.mjs';

const EDITING = 'context-management-2025-06-27';
const ON_DEMAND = 'compact-2026-09-04';
const tools = [{ name: 'look', input_schema: { type: 'object' } }, { type: 'memory_20250818', name: 'memory' }];
const user = (text) => ({ role: 'user', content: [{ type: 'text', text }] });
let fake;
beforeEach(async () => {
  fake = await startFake();
  fake.script(always());
});
afterEach(() => fake.close());

/** A history of tool uses with results of about 400 tokens each. */
function history(names) {
  return [user('go'), ...names.flatMap((name, i) => [
    { role: 'assistant', content: [{ type: 'tool_use', id: `t${i}`, name, input: { command: 'view', path: '/memories' } }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: `t${i}`, content: 'result '.repeat(143) }] },
  ])];
}

const edit = (more) => ({ type: 'clear_tool_uses_20250919', trigger: { type: 'tool_uses', value: 2 }, keep: { type: 'tool_uses', value: 1 }, ...more });
async function applied(messages, ...edits) {
  const body = hello({ tools, messages, context_management: { edits } });
  const { context_management: result } = await ask(fake, body, { betas: [EDITING] });
  return result.applied_edits;
}
const look = (n) => history(Array(n).fill('look'));

test('clears the oldest tool results and keeps the newest', async () => {
  const [entry] = await applied(look(4), edit());
  assert.equal(entry.type, 'clear_tool_uses_20250919');
  assert.equal(entry.cleared_tool_uses, 3);
  assert.ok(entry.cleared_input_tokens > 3 * 350 && entry.cleared_input_tokens < 3 * 410, String(entry.cleared_input_tokens));
});

test('the trigger is exceeded, not met', async () => {
  assert.deepEqual(await applied(look(2), edit()), []);
  assert.equal((await applied(look(3), edit())).length, 1);
  assert.deepEqual(await applied(look(4), edit({ trigger: { type: 'input_tokens', value: 5000 } })), []);
  assert.equal((await applied(look(4), edit({ trigger: { type: 'input_tokens', value: 1000 } }))).length, 1);
  assert.deepEqual(await applied(look(4), edit({ trigger: undefined })), [], 'the default is 100,000 tokens');
});

test('default keep, exclusions, minimum and inputs', async () => {
  assert.equal((await applied(look(5), edit({ keep: undefined })))[0].cleared_tool_uses, 2);
  const mixed = history(['memory', 'look', 'memory', 'look', 'look']);
  assert.equal((await applied(mixed, edit({ exclude_tools: ['memory'] })))[0].cleared_tool_uses, 2);
  assert.deepEqual(await applied(look(3), edit({ clear_at_least: { type: 'input_tokens', value: 5000 } })), []);
  assert.equal((await applied(look(3), edit({ clear_at_least: { type: 'input_tokens', value: 500 } }))).length, 1);
  const [without] = await applied(look(4), edit());
  const [all] = await applied(look(4), edit({ clear_tool_inputs: true }));
  const [other] = await applied(look(4), edit({ clear_tool_inputs: ['memory'] }));
  assert.ok(all.cleared_input_tokens > without.cleared_input_tokens);
  assert.equal(other.cleared_input_tokens, without.cleared_input_tokens);
});

test('count_tokens previews what the request would be', async () => {
  const body = hello({ tools, messages: look(4), max_tokens: undefined });
  const count = (more) => call(fake, { path: '/v1/messages/count_tokens', body: { ...body, ...more }, betas: [EDITING] });
  const plain = (await count({})).json;
  assert.deepEqual(Object.keys(plain), ['input_tokens']);
  const preview = (await count({ context_management: { edits: [edit()] } })).json;
  assert.equal(preview.context_management.original_input_tokens, plain.input_tokens);
  const message = await ask(fake, hello({ tools, messages: look(4), context_management: { edits: [edit()] } }), { betas: [EDITING] });
  assert.equal(preview.input_tokens, message.usage.input_tokens);
  assert.equal(plain.input_tokens - preview.input_tokens, message.context_management.applied_edits[0].cleared_input_tokens);
});

test('clears thinking turns, by model default or as asked', async () => {
  for (const [model, standard] of [['claude-opus-5', 0], ['claude-haiku-4-5', 2]]) {
    fake.reset();
    fake.script(always({ content: [{ type: 'thinking', thinking: 'hm' }, { type: 'text', text: 'x' }] }));
    const thinking = model === 'claude-haiku-4-5' ? { type: 'enabled', budget_tokens: 1024 } : undefined;
    const messages = [];
    for (const question of ['one', 'two', 'three']) {
      messages.push(user(question));
      messages.push({ role: 'assistant', content: (await ask(fake, hello({ model, thinking, max_tokens: 2000, messages }))).content });
    }
    messages.push(user('four'));
    const cleared = async (more) => {
      const context_management = { edits: [{ type: 'clear_thinking_20251015', ...more }] };
      const { context_management: result } = await ask(fake, hello({ model, thinking, max_tokens: 2000, messages, context_management }), { betas: [EDITING] });
      return result.applied_edits[0]?.cleared_thinking_turns ?? 0;
    };
    assert.equal(await cleared({}), standard, model);
    assert.equal(await cleared({ keep: 'all' }), 0);
    assert.equal(await cleared({ keep: { type: 'all' } }), 0);
    assert.equal(await cleared({ keep: { type: 'thinking_turns', value: 1 } }), 2);
    assert.equal(await cleared({ keep: { type: 'thinking_turns', value: 9 } }), 0);
  }
});

test('applied edits come with the final event of a stream', async () => {
  const body = hello({ tools, stream: true, messages: look(4), context_management: { edits: [edit()] } });
  const events = readEvents(await (await send(fake, { body, betas: [EDITING] })).text());
  const final = events.find(({ event }) => event === 'message_delta').data;
  assert.equal(final.context_management.applied_edits[0].cleared_tool_uses, 3);
  assert.equal((await ask(fake, hello())).context_management, null, 'only for requests that ask');
});

test('an on-demand summary is signed, billed in iterations and replaces the history', async () => {
  fake.reset();
  fake.script([{ reply: { content: [{ type: 'compaction', content: 'They greeted.' }] } }, always()]);
  const body = hello({ max_tokens: 4096, compaction: { type: 'summarize' }, messages: [user('one '.repeat(200)), { role: 'assistant', content: 'Hi' }, user('bye')] });
  const message = await ask(fake, body, { betas: [ON_DEMAND] });
  assert.equal(message.stop_reason, 'compaction');
  assert.equal(message.usage.input_tokens, 0);
  assert.equal(message.usage.iterations[0].type, 'compaction');
  assert.ok(message.usage.iterations[0].input_tokens > 300);

  const [block] = message.content;
  const resumed = (content, rest = [user('next')]) => ({ body: hello({ messages: [{ role: 'assistant', content }, ...rest] }), betas: [ON_DEMAND] });
  const next = await call(fake, resumed([block]));
  assert.equal(next.status, 200, next.json.error?.message);
  const code = async (request) => (await call(fake, request)).json.error.details?.error_code;
  assert.equal(await code(resumed([{ ...block, content: 'They fought.' }])), 'compaction_content_mismatch');
  assert.equal(await code(resumed([{ ...block, signature: 'made-up' }])), 'compaction_signature_invalid');
  assert.equal(await code(resumed([block, block])), 'compaction_block_ambiguous');
  const late = { body: hello({ messages: [user('a'), { role: 'assistant', content: [block] }, user('b')] }), betas: [ON_DEMAND] };
  assert.equal(await code(late), 'compaction_block_misplaced');
  const again = resumed([block]);
  const nothing = { ...again, body: { ...again.body, max_tokens: 4096, compaction: { type: 'summarize' }, messages: [{ role: 'assistant', content: [block] }] } };
  assert.equal((await call(fake, nothing)).json.error.details?.error_code, 'compaction_nothing_to_summarize');
  const edits = { context_management: { edits: [{ type: 'compact_20260112' }] } };
  const both = await call(fake, { body: { ...again.body, ...edits }, betas: [ON_DEMAND, 'compact-2026-01-12'] });
  assert.match(both.json.error.message, /cannot be combined with a compaction block/);
  assert.equal((await call(fake, { ...again, betas: [] })).status, 400, 'the beta stays');
});

test('a summary is asked for at the end of a turn, and not in the middle of one', async () => {
  fake.reset();
  const summary = { reply: { content: [{ type: 'compaction', content: 'They greeted.' }] } };
  fake.script([{ reply: { content: [{ type: 'tool_use', id: 'toolu_a', name: 'look', input: {} }] } }, { reply: { pauseTurn: true, content: 'Wait.' } }, summary]);
  const ask1 = await ask(fake, hello({ tools }));
  const paused = await ask(fake, hello({ tools }));
  const body = (content, changes) => hello({ tools, max_tokens: 4096, compaction: { type: 'summarize' }, messages: [user('Hello'), { role: 'assistant', content }], ...changes });
  const code = async (body) => (await call(fake, { body, betas: [ON_DEMAND] })).json.error.details?.error_code;
  assert.equal(await code(body(ask1.content)), 'compaction_incomplete_turn');
  assert.equal(await code(body(paused.content)), 'compaction_incomplete_turn');
  const done = await call(fake, { body: body([{ type: 'text', text: 'Hi' }]), betas: [ON_DEMAND] });
  assert.equal(done.status, 200, done.json.error?.message);
  for (const [change, words] of [
    [{ max_tokens: 4095 }, /at least 4096/],
    [{ stop_sequences: ['x'] }, /stop_sequences/],
    [{ model: 'claude-haiku-4-5' }, /not supported on/],
    [{ output_config: { format: { type: 'json_schema', schema: { type: 'object', additionalProperties: false, properties: {} } } } }, /output_config\.format/],
  ]) {
    const { status, json } = await call(fake, { body: body([{ type: 'text', text: 'Hi' }], change), betas: [ON_DEMAND] });
    assert.equal(status, 400);
    assert.match(json.error.message, words);
  }
});

test('what is kept behind a summary keeps its thinking, and only as it was', async () => {
  fake.reset();
  const asks = ({ body }) => Boolean(body.compaction);
  fake.script([
    ...['One.', 'Two.'].map((content) => ({ match: asks, reply: { content: [{ type: 'compaction', content }] } })),
    always({ content: [{ type: 'thinking', thinking: 'Hm.' }, { type: 'text', text: 'Yes.' }] }),
  ]);
  const body = (messages, changes) => hello({ model: 'claude-opus-5-5', tools, max_tokens: 4096, messages, ...changes });
  const status = async (messages, changes) => (await call(fake, { body: body(messages, changes), betas: [ON_DEMAND] })).status;
  const history = [];
  const says = async (words) => {
    history.push(user(words));
    const { content } = await ask(fake, body(history), { betas: [ON_DEMAND] });
    history.push({ role: 'assistant', content });
  };
  const summarize = async (n) => {
    const { content } = await ask(fake, body(history.slice(0, n), { compaction: { type: 'summarize' } }), { betas: [ON_DEMAND] });
    history.splice(0, n, { role: 'assistant', content });
  };
  for (const words of ['one', 'two', 'three']) await says(words);
  await summarize(2);
  await says('four');
  const next = [...history, user('five')];
  assert.equal(await status(next), 200);
  assert.equal(await status(next, { system: 'Other.' }), 400, 'another system');
  assert.equal(await status([history[0], user('zwei'), ...next.slice(2)]), 400, 'another message');
  assert.equal(await status([history[0], ...next.slice(3)]), 400, 'a gap');
  // What was thought before the first summary and after it is kept behind the second.
  await summarize(3);
  await says('five');
  assert.equal(await status([...history, user('six')]), 200);
  assert.equal(await status([history[0], user('drei'), ...history.slice(2), user('six')]), 400);
});

test('everything before a compaction block is gone', async () => {
  const count = async (messages) =>
    (await call(fake, { path: '/v1/messages/count_tokens', body: hello({ messages, max_tokens: undefined }), betas: ['compact-2026-01-12'] })).json.input_tokens;
  const block = { type: 'compaction', content: 'Short.' };
  const old = user('old '.repeat(500));
  const full = await count([old, { role: 'assistant', content: [{ type: 'text', text: 'x' }] }, user('next')]);
  const compacted = await count([old, { role: 'assistant', content: [block, { type: 'text', text: 'x' }] }, user('next')]);
  const failed = await count([old, { role: 'assistant', content: [{ ...block, content: null }, { type: 'text', text: 'x' }] }, user('next')]);
  const inOneTurn = await count([user('go'), { role: 'assistant', content: [...old.content, block, { type: 'text', text: 'x' }] }, user('next')]);
  assert.ok(compacted < 100, String(compacted));
  assert.equal(inOneTurn, compacted, 'also earlier blocks of the same turn');
  assert.ok(full > 700);
  assert.ok(failed >= full, 'a failed compaction changes nothing');
});

test('a scripted threshold compaction streams its summary in one delta', async () => {
  fake.reset();
  const content = [{ type: 'compaction', content: 'Zusammenfassung', encrypted_content: 'e' }, { type: 'text', text: 'x', citations: null }];
  fake.script([{ reply: { content } }]);
  const events = readEvents(await (await send(fake, { body: hello({ stream: true }), betas: ['compact-2026-01-12'] })).text());
  assert.equal(events.filter(({ data }) => data.delta?.type === 'compaction_delta').length, 1);
  assert.deepEqual(assemble(events), content);
});
