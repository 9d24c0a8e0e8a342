// Every rule about a request body: a valid base request is accepted, each row breaks one rule and is refused.

import assert from 'node:assert/strict';
import { before, after, test } from 'node:test';
import { startFake } from '../server.mjs';
import { always, call, hello } from './client.mjs';

let fake;
before(async () => {
  fake = await startFake();
  fake.script(always({ content: 'ok' }));
});
after(() => fake.close());

const CONTEXT = 'context-management-2025-06-27';
const CLEAR_AT = 'mid-conversation-system-clear-at-2026-08-21';
const BINDING = 'thinking-binding-controls-2026-08-01';
const COMPACT = 'compact-2026-09-04';
const THRESHOLD = 'compact-2026-01-12';

const user = (...content) => ({ role: 'user', content });
const assistant = (...content) => ({ role: 'assistant', content });
const system = (content, more) => ({ role: 'system', content, ...more });
const text = (value, more) => ({ type: 'text', text: value, ...more });
const use = (id, more) => ({ type: 'tool_use', id, name: 'look', input: {}, ...more });
const result = (id, more) => ({ type: 'tool_result', tool_use_id: id, content: 'found', ...more });
const mark = (ttl) => ({ cache_control: { type: 'ephemeral', ...(ttl && { ttl }) } });
const tool = (more) => ({ name: 'look', input_schema: { type: 'object', properties: {} }, ...more });
const memory = { type: 'memory_20250818', name: 'memory' };
const messages = (...list) => ({ messages: list });
const asked = user(text('Look it up'));
const edits = (...list) => ({ context_management: { edits: list } });
const strictSchema = { type: 'object', additionalProperties: false, properties: { a: { type: 'string' } }, required: ['a'] };
const format = (schema) => ({ output_config: { format: { type: 'json_schema', schema } } });
const longHistory = (n) => user(...Array.from({ length: n }, (_, i) => text(`part ${i}`, mark())));

/** Accepted requests: each is the valid twin of rows below. */
const ACCEPTED = [
  ['the base request', {}],
  ['a system string', { system: 'Be brief.' }],
  ['system blocks', { system: [text('Be brief.', mark('1h'))] }],
  ['the memory tool', { tools: [{ ...memory, ...mark() }] }],
  ['a custom tool', { tools: [tool({ description: 'Looks', eager_input_streaming: true })] }],
  ['a strict tool', { tools: [tool({ strict: true, input_schema: strictSchema })] }],
  ['a forced tool where allowed', { tools: [tool()], tool_choice: { type: 'tool', name: 'look', disable_parallel_tool_use: true } }],
  ['tool_choice none', { tools: [tool()], tool_choice: { type: 'none' } }],
  ['two results and text after them', messages(asked, assistant(text('Hm'), use('a'), use('b')), user(result('b', { is_error: true }), result('a'), text('go on')))],
  ['a result without content', messages(asked, assistant(use('a')), user({ type: 'tool_result', tool_use_id: 'a' }))],
  ['a result made of blocks', messages(asked, assistant(use('a')), user(result('a', { content: [text('x', mark())] })))],
  ['consecutive user messages', messages(asked, asked)],
  ['an image and a document', messages(user({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }, { type: 'document', title: 't', source: { type: 'text', media_type: 'text/plain', data: 'hi' } }))],
  ['four breakpoints', messages(longHistory(4))],
  ['an hour before five minutes', { system: [text('s', mark('1h'))], messages: [user(text('a', mark('5m')))] }],
  ['automatic caching', { cache_control: { type: 'ephemeral' } }],
  ['a system message after a user message', messages(asked, system('Answer in German.'))],
  ['a system message before an answer', messages(asked, system('Answer in German.'), assistant(text('Ja')), asked)],
  ['a clear_at message', messages(asked, system('Now: 9:00', { clear_at: 'next_user_message' })), [CLEAR_AT]],
  ['a fresh clear_at copy after tool results', messages(asked, system('a', { clear_at: 'next_user_message' }), assistant(use('a')), user(result('a')), system('a', { clear_at: 'next_user_message' })), [CLEAR_AT]],
  ['prefill on Haiku 4.5', { model: 'claude-haiku-4-5', messages: [asked, assistant(text('{'))] }],
  ['enabled thinking on Haiku 4.5', { model: 'claude-haiku-4-5', max_tokens: 4000, thinking: { type: 'enabled', budget_tokens: 1024 } }],
  ['temperature on Sonnet 4.6', { model: 'claude-sonnet-4-6', temperature: 0.2 }],
  ['the dated Haiku 4.5', { model: 'claude-haiku-4-5-20251001' }],
  ['default temperature', { temperature: 1 }],
  ['thinking off on Haiku 5.5', { model: 'claude-haiku-5-5', thinking: { type: 'disabled' }, output_config: { effort: 'high' } }],
  ['between_tools on Sonnet 5.5', { model: 'claude-sonnet-5-5', thinking: { type: 'between_tools' } }],
  ['drop_block with its beta', { thinking: { type: 'adaptive', block_binding: { prefix_mismatch_behavior: 'drop_block' } } }, [BINDING]],
  ['context edits in order', edits({ type: 'clear_thinking_20251015', keep: 'all' }, { type: 'clear_tool_uses_20250919', keep: { type: 'tool_uses', value: 2 }, exclude_tools: ['memory'] }), [CONTEXT]],
  ['threshold compaction', edits({ type: 'compact_20260112', trigger: { type: 'input_tokens', value: 50000 } }), [THRESHOLD]],
  ['cache pre-warm', { max_tokens: 0 }],
  ['diagnostics', { diagnostics: { previous_message_id: null } }],
  ['stop sequences, metadata and tier', { stop_sequences: ['END'], metadata: { user_id: 'u-1' }, service_tier: 'auto' }],
];

/** Refused requests: name, changes, pattern of the message, betas, status (400). */
const REFUSED = [
  ['model missing', { model: undefined }, /^model: Field required/],
  ['max_tokens missing', { max_tokens: undefined }, /^max_tokens: Field required/],
  ['messages missing', { messages: undefined }, /^messages: Field required/],
  ['unknown model', { model: 'claude-9' }, /^model: claude-9$/, [], 404],
  ['a name every object has', { model: 'constructor' }, /^model: constructor$/, [], 404],
  ['unknown field', { colour: 'red' }, /^colour: Extra inputs are not permitted/],
  ['old output_format', { output_format: {} }, /^output_format: Extra inputs/],
  ['mcp_servers', { mcp_servers: [] }, /^mcp_servers: Extra inputs/],
  ['fallbacks', { fallbacks: [] }, /^fallbacks: Extra inputs/],
  ['max_tokens a string', { max_tokens: '10' }, /^max_tokens: .*integer/],
  ['max_tokens negative', { max_tokens: -1 }, /^max_tokens: /],
  ['max_tokens too large', { max_tokens: 128001 }, /128001 > 128000/],
  ['max_tokens too large on Haiku 4.5', { model: 'claude-haiku-4-5', max_tokens: 64001 }, /64001 > 64000/],
  ['pre-warm with stream', { max_tokens: 0, stream: true }, /cannot be combined with stream/],
  ['pre-warm with format', { max_tokens: 0, ...format(strictSchema) }, /cannot be combined with output_config.format/],
  ['pre-warm with forced tool', { max_tokens: 0, tools: [tool()], tool_choice: { type: 'any' } }, /cannot be combined with a forced/],
  ['stream not boolean', { stream: 'yes' }, /^stream: .*boolean/],
  ['blank stop sequence', { stop_sequences: [' '] }, /^stop_sequences.0: /],
  ['metadata with more', { metadata: { email: 'x' } }, /^metadata.email: Extra inputs/],
  ['service tier', { service_tier: 'fast' }, /^service_tier: /],
  ['temperature on a 5.x model', { temperature: 0.5 }, /^temperature: sampling/],
  ['top_p on a 5.x model', { top_p: 0.9 }, /^top_p: sampling/],
  ['top_k on a 5.x model', { top_k: 40 }, /^top_k: sampling/],
  ['temperature on Opus 4.8', { model: 'claude-opus-4-8', temperature: 0 }, /^temperature: sampling/],
  ['temperature out of range', { model: 'claude-sonnet-4-6', temperature: 2 }, /^temperature: range/],
  ['temperature while thinking', { model: 'claude-sonnet-4-6', temperature: 0.2, thinking: { type: 'adaptive' } }, /only be set to 1/],
  ['half a surrogate pair', { messages: [{ role: 'user', content: 'cut \ud83e' }] }, /no low surrogate/],

  ['no messages', { messages: [] }, /at least one message/],
  ['messages no list', { messages: {} }, /^messages: .*list/],
  ['unknown role', messages({ role: 'tool', content: 'x' }), /^messages.0.role: /],
  ['message without content', messages({ role: 'user' }), /^messages.0.content: Field required/],
  ['message with an extra field', messages({ role: 'user', content: 'x', id: '1' }), /^messages.0.id: Extra inputs/],
  ['content a number', messages({ role: 'user', content: 5 }), /^messages.0.content: /],
  ['content null', messages({ role: 'user', content: null }), /^messages.0.content: /],
  ['empty string', messages({ role: 'user', content: '' }), /non-empty content/],
  ['blank string', messages({ role: 'user', content: ' \n' }), /non-whitespace/],
  ['empty list', messages(user()), /non-empty content/],
  ['empty assistant turn', messages(asked, assistant(), asked), /messages.1: assistant messages must have non-empty content/],
  ['empty text block', messages(user(text(''))), /must be non-empty/],
  ['blank text block', messages(user(text('  '))), /non-whitespace/],
  ['unknown block type', messages(user({ type: 'note', text: 'x' })), /Input tag 'note'/],
  ['a block type every object has', messages(user({ type: 'toString' })), /Input tag 'toString'/],
  ['block without type', messages(user({ text: 'x' })), /type: Field required/],
  ['text block with an extra field', messages(user(text('x', { id: 1 }))), /messages.0.content.0.id: Extra inputs/],
  ['image type', messages(user({ type: 'image', source: { type: 'base64', media_type: 'image/bmp', data: 'AAAA' } })), /media_type/],
  ['thinking from the user', messages(user({ type: 'thinking', thinking: '', signature: 's' })), /Input tag 'thinking'/],
  ['tool_use from the user', messages(user(use('a'))), /Input tag 'tool_use'/],
  ['tool_result from the assistant', messages(asked, assistant(result('a')), asked), /Input tag 'tool_result'/],
  ['unissued unknown block from the assistant', messages(asked, assistant({ type: 'novel' }), asked), /Input tag 'novel'/],
  ['assistant first', messages(assistant(text('Hi')), asked), /first message must use the "user" role/],
  ['prefill', messages(asked, assistant(text('{'))), /assistant message prefill/],
  ['prefill on Sonnet 4.6', { model: 'claude-sonnet-4-6', ...messages(asked, assistant(text('{'))) }, /assistant message prefill/],
  ['prefill with trailing space', { model: 'claude-haiku-4-5', ...messages(asked, assistant(text('{ '))) }, /trailing whitespace/],
  ['thinking without signature', messages(asked, assistant({ type: 'thinking', thinking: 'x' }, text('y')), asked), /signature: Field required/],
  ['thinking with a foreign signature', messages(asked, assistant({ type: 'thinking', thinking: 'x', signature: 'abc' }, text('y')), asked), /messages.1.content.0: Invalid `signature`/],

  ['missing result', messages(asked, assistant(use('a')), asked), /ids were found without `tool_result` blocks immediately after: a/],
  ['one of two results missing', messages(asked, assistant(use('a'), use('b')), user(result('a'))), /immediately after: b/],
  ['results in two messages', messages(asked, assistant(use('a'), use('b')), user(result('a')), user(result('b'))), /immediately after: b/],
  ['tool_use at the end', messages(asked, assistant(use('a'))), /prefill|immediately after/],
  ['result for no call', messages(user(result('a'))), /unexpected `tool_use_id`/],
  ['result for a stranger', messages(asked, assistant(use('a')), user(result('a'), result('z'))), /unexpected `tool_use_id`.*z/],
  ['result twice', messages(asked, assistant(use('a')), user(result('a'), result('a'))), /single result/],
  ['text before the result', messages(asked, assistant(use('a')), user(text('so'), result('a'))), /must come first/],
  ['result one turn late', messages(asked, assistant(use('a')), asked, user(result('a'))), /immediately after/],
  ['same id twice', messages(asked, assistant(use('a')), user(result('a')), assistant(use('a')), user(result('a'))), /ids must be unique/],
  ['bad tool_use id', messages(asked, assistant(use('a b')), user(result('a b'))), /should match pattern/],
  ['input no object', messages(asked, assistant(use('a', { input: 'x' })), user(result('a'))), /input: .*dictionary/],
  ['is_error a string', messages(asked, assistant(use('a')), user(result('a', { is_error: 'no' }))), /is_error/],
  ['empty text in a result', messages(asked, assistant(use('a')), user(result('a', { content: [text('')] }))), /must be non-empty/],

  ['system message first', messages(system('x'), asked), /cannot be the first message/],
  ['system message after an answer', messages(asked, assistant(text('a')), system('x')), /must directly follow/],
  ['system message before a user message', messages(asked, system('x'), asked), /must be the last message/],
  ['two system messages', messages(asked, system('x'), system('y')), /must/],
  ['system message between call and result', messages(asked, assistant(use('a')), system('x'), user(result('a'))), /must/],
  ['system message on Haiku 4.5', { model: 'claude-haiku-4-5', ...messages(asked, system('x')) }, /not supported on claude-haiku-4-5/],
  ['system message on Sonnet 4.6', { model: 'claude-sonnet-4-6', ...messages(asked, system('x')) }, /not supported/],
  ['empty system message', messages(asked, system('')), /non-empty/],
  ['image in a system message', messages(asked, system([{ type: 'image' }])), /Input tag 'image'/],
  ['clear_at without its beta', messages(asked, system('x', { clear_at: 'next_user_message' })), /clear_at: Extra inputs/],
  ['clear_at value', messages(asked, system('x', { clear_at: 'soon' })), /clear_at: /, [CLEAR_AT]],
  ['clear_at on Sonnet 5', { model: 'claude-sonnet-5', ...messages(asked, system('x', { clear_at: 'next_user_message' })) }, /not supported on claude-sonnet-5/, [CLEAR_AT]],
  ['clear_at with cache_control', messages(asked, system([text('x', mark())], { clear_at: 'next_user_message' })), /cache_control cannot be set on clear_at/, [CLEAR_AT]],
  ['clear_at with output_config', messages(asked, system('x', { clear_at: 'next_user_message', output_config: { effort: 'low' } })), /cannot be combined with output_config/, [CLEAR_AT, 'mid-conversation-output-config-2026-07-01']],
  ['output_config in a message without its beta', messages(asked, system('x', { output_config: { effort: 'low' } })), /output_config: Extra inputs/],

  ['system with an image', { system: [{ type: 'image' }] }, /system.0: Input tag 'image'/],
  ['system with empty text', { system: [text('')] }, /system.0.text: .*non-empty/],
  ['five breakpoints', messages(longHistory(5)), /maximum of 4 blocks.*Found 5/],
  ['five breakpoints over tools, system, results', { tools: [{ ...memory, ...mark() }], system: [text('s', mark())], ...messages(asked, assistant(use('a', mark())), user(result('a', { content: [text('x', mark())], ...mark() }))) }, /Found 5/],
  ['automatic beside four', { ...messages(longHistory(4)), cache_control: { type: 'ephemeral' } }, /automatic caching/],
  ['automatic with another ttl', { ...messages(user(text('a', mark('5m')))), cache_control: { type: 'ephemeral', ttl: '1h' } }, /another ttl/],
  ['five minutes before an hour', { system: [text('s', mark('5m'))], ...messages(user(text('a', mark('1h')))) }, /ttl='1h' .* must not come after/],
  ['ttl', { system: [text('s', mark('2h'))] }, /cache_control.ttl/],
  ['cache type', { system: [text('s', { cache_control: { type: 'forever' } })] }, /cache_control.type/],
  ['cache_control on thinking', messages(asked, assistant({ type: 'thinking', thinking: '', signature: 's', ...mark() }, text('x')), asked), /cannot be set for thinking/],

  ['tool without schema', { tools: [{ name: 'look' }] }, /input_schema: Field required/],
  ['tool schema no object', { tools: [tool({ input_schema: { type: 'string' } })] }, /input_schema.type/],
  ['tool name', { tools: [tool({ name: 'look up' })] }, /tools.0.name/],
  ['two tools with one name', { tools: [tool(), tool()] }, /names must be unique/],
  ['tool with an extra field', { tools: [tool({ run: 'x' })] }, /tools.0.run: Extra inputs/],
  ['unknown tool type', { tools: [{ type: 'memory_20990101', name: 'memory' }] }, /Input tag 'memory_20990101'/],
  ['memory tool with another name', { tools: [{ ...memory, name: 'notes' }] }, /tools.0.name/],
  ['memory tool with a schema', { tools: [{ ...memory, input_schema: { type: 'object' } }] }, /input_schema: Extra inputs/],
  ['memory tool with a description', { tools: [{ ...memory, description: 'x' }] }, /description: Extra inputs/],
  ['strict tool with an open schema', { tools: [tool({ strict: true })] }, /additionalProperties/],
  ['21 strict tools', { tools: Array.from({ length: 21 }, (_, i) => tool({ name: `t${i}`, strict: true, input_schema: strictSchema })) }, /at most 20 strict/],
  ['tool_choice without tools', { tool_choice: { type: 'auto' } }, /only be specified while providing tools/],
  ['tool_choice for a stranger', { tools: [tool()], tool_choice: { type: 'tool', name: 'x' } }, /not found/],
  ['tool_choice type', { tools: [tool()], tool_choice: { type: 'all' } }, /Input tag 'all'/],
  ['tool_choice a string', { tools: [tool()], tool_choice: 'auto' }, /tool_choice/],
  ['forced tool on Haiku 4.5 with thinking', { model: 'claude-haiku-4-5', max_tokens: 4000, thinking: { type: 'enabled', budget_tokens: 1024 }, tools: [tool()], tool_choice: { type: 'any' } }, /forcing tool use/],
  ...['claude-sonnet-5-5', 'claude-opus-5-5', 'claude-fable-5-2', 'claude-mythos-5-2', 'claude-fable-5-1'].flatMap((model) => [
    [`forced tool on ${model}`, { model, tools: [tool()], tool_choice: { type: 'tool', name: 'look' } }, /forcing tool use/],
    [`thinking disabled on ${model}`, { model, thinking: { type: 'disabled' } }, /"disabled" is not supported/],
    [`thinking enabled on ${model}`, { model, max_tokens: 4000, thinking: { type: 'enabled', budget_tokens: 1024 } }, /"enabled" is not supported/],
  ]),
  ['thinking enabled on Opus 4.8', { model: 'claude-opus-4-8', max_tokens: 4000, thinking: { type: 'enabled', budget_tokens: 1024 } }, /"enabled" is not supported/],
  ['adaptive on Haiku 4.5', { model: 'claude-haiku-4-5', thinking: { type: 'adaptive' } }, /"adaptive" is not supported/],
  ['between_tools elsewhere', { thinking: { type: 'between_tools' } }, /"between_tools" is not supported/],
  ['thinking off at effort max', { model: 'claude-haiku-5-5', thinking: { type: 'disabled' }, output_config: { effort: 'max' } }, /at effort max/],
  ['budget missing', { model: 'claude-haiku-4-5', thinking: { type: 'enabled' } }, /budget_tokens: Field required/],
  ['budget too small', { model: 'claude-haiku-4-5', thinking: { type: 'enabled', budget_tokens: 100 } }, /greater than or equal to 1024/],
  ['budget not below max_tokens', { model: 'claude-haiku-4-5', thinking: { type: 'enabled', budget_tokens: 1024 } }, /must be greater than thinking.budget_tokens/],
  ['budget on adaptive', { thinking: { type: 'adaptive', budget_tokens: 1024 } }, /budget_tokens: Extra inputs/],
  ['display', { thinking: { type: 'adaptive', display: 'all' } }, /thinking.display/],
  ['block_binding without its beta', { thinking: { type: 'adaptive', block_binding: { prefix_mismatch_behavior: 'drop_block' } } }, /block_binding: Extra inputs/],
  ['effort on Haiku 4.5', { model: 'claude-haiku-4-5', output_config: { effort: 'low' } }, /does not support the effort/],
  ['effort value', { output_config: { effort: 'extreme' } }, /output_config.effort/],
  ['format type', { output_config: { format: { type: 'json_object' } } }, /Input tag 'json_object'/],
  ['format with more', { output_config: { format: { type: 'json_schema', name: 'x', schema: strictSchema } } }, /name: Extra inputs/],
  ['format with prefill', { model: 'claude-haiku-4-5', ...messages(asked, assistant(text('{'))), ...format(strictSchema) }, /incompatible with assistant message prefill/],
  ['format with citations', { ...messages(user({ type: 'document', citations: { enabled: true }, source: { type: 'text', media_type: 'text/plain', data: 'x' } })), ...format(strictSchema) }, /incompatible with citations/],
  ['format with an open schema', format({ type: 'object', properties: {} }), /additionalProperties/],

  ['context_management without its beta', edits(), /context_management: Extra inputs/],
  ['clear_thinking not first', edits({ type: 'clear_tool_uses_20250919' }, { type: 'clear_thinking_20251015' }), /must be the first edit/, [CONTEXT]],
  ['an edit twice', edits({ type: 'clear_tool_uses_20250919' }, { type: 'clear_tool_uses_20250919' }), /more than once/, [CONTEXT]],
  ['unknown edit', edits({ type: 'clear_all' }), /Input tag 'clear_all'/, [CONTEXT]],
  ['keep no turns', edits({ type: 'clear_thinking_20251015', keep: { type: 'thinking_turns', value: 0 } }), /keep.value/, [CONTEXT]],
  ['keep of the wrong kind', edits({ type: 'clear_tool_uses_20250919', keep: { type: 'thinking_turns', value: 1 } }), /Input tag 'thinking_turns'/, [CONTEXT]],
  ['unknown trigger', edits({ type: 'clear_tool_uses_20250919', trigger: { type: 'messages', value: 1 } }), /Input tag 'messages'/, [CONTEXT]],
  ['compaction edit without its beta', edits({ type: 'compact_20260112' }), /needs the beta compact-2026-01-12/, [CONTEXT]],
  ['tool clearing with the compaction beta only', edits({ type: 'clear_tool_uses_20250919' }), /needs the beta context-management/, [THRESHOLD]],
  ['compaction trigger too small', edits({ type: 'compact_20260112', trigger: { type: 'input_tokens', value: 1000 } }), /50000/, [THRESHOLD]],
  ['compaction edit on Haiku 5.5', { model: 'claude-haiku-5-5', ...edits({ type: 'compact_20260112' }) }, /not supported on claude-haiku-5-5/, [THRESHOLD]],
  ['compaction without its beta', { compaction: { type: 'summarize' } }, /compaction: Extra inputs/],
  ['compaction with few tokens', { compaction: { type: 'summarize' } }, /at least 4096/, [COMPACT]],
  ['compaction with stop sequences', { max_tokens: 4096, compaction: { type: 'summarize' }, stop_sequences: ['x'] }, /cannot be combined with stop_sequences/, [COMPACT]],
  ['compaction with a format', { max_tokens: 4096, compaction: { type: 'summarize' }, ...format(strictSchema) }, /cannot be combined with output_config.format/, [COMPACT]],
  ['compaction with context_management', { max_tokens: 4096, compaction: { type: 'summarize' }, ...edits() }, /cannot be combined with context_management/, [COMPACT, CONTEXT]],
  ['compaction on Haiku 4.5', { model: 'claude-haiku-4-5', max_tokens: 4096, compaction: { type: 'summarize' } }, /not supported on claude-haiku-4-5/, [COMPACT]],
  ['compaction block without a beta', messages(assistant({ type: 'compaction', content: 'x' }), asked), /without its beta/],
];

for (const [name, changes, betas] of ACCEPTED) {
  test(`accepts ${name}`, async () => {
    const { status, json } = await call(fake, { body: hello(changes), betas });
    assert.equal(status, 200, json.error?.message);
    assert.equal(json.type, 'message');
    assert.deepEqual(fake.journal.at(-1).violations, []);
    assert.equal(fake.journal.at(-1).outcome, 'answered');
  });
}

for (const [name, changes, message, betas, status = 400] of REFUSED) {
  test(`refuses ${name}`, async () => {
    const answer = await call(fake, { body: hello(changes), betas });
    assert.equal(answer.status, status, JSON.stringify(answer.json));
    assert.match(answer.json.error.message, message);
    assert.equal(answer.json.error.type, status === 404 ? 'not_found_error' : 'invalid_request_error');
    assert.equal(answer.json.request_id, answer.headers.get('request-id'));
    const entry = fake.journal.at(-1);
    assert.equal(entry.outcome, 'rejected');
    assert.deepEqual(entry.violations.map(({ kind }) => kind), ['request']);
  });
}

test('refuses a thread as a privacy violation', async () => {
  const { status, json } = await call(fake, { body: hello({ thread: { type: 'create' } }), betas: ['message-threads-2026-08-12'] });
  assert.equal(status, 400);
  assert.deepEqual(json.error.details, { error_code: 'thread_unsupported_request', unsupported: [] });
  assert.equal(fake.journal.at(-1).violations[0].kind, 'privacy');
  assert.equal(fake.journal.at(-1).violations[0].rule, 'thread');
});

test('refuses a prompt longer than the window', async () => {
  const { status, json } = await call(fake, { body: hello({ model: 'claude-haiku-4-5', messages: [{ role: 'user', content: 'word '.repeat(140_000) }] }) });
  assert.equal(status, 400);
  assert.match(json.error.message, /^prompt is too long: \d+ tokens > 200000 maximum/);
});

test('records what the API would not refuse', async () => {
  await call(fake, { body: hello({ metadata: { user_id: 'a@example.com' } }) });
  assert.equal(fake.journal.at(-1).violations[0].rule, 'user_id');
  await call(fake, { body: hello({ model: 'claude-sonnet-5', ...messages(asked, system('x')) }) });
  assert.equal(fake.journal.at(-1).violations[0].kind, 'ignored');
  assert.equal(fake.journal.at(-1).status, 200);
});

test('count_tokens has its own fields', async () => {
  const count = (changes, betas) => call(fake, { path: '/v1/messages/count_tokens', body: { ...hello(changes), max_tokens: undefined }, betas });
  const plain = await count({});
  assert.equal(plain.status, 200);
  assert.ok(Number.isInteger(plain.json.input_tokens) && plain.json.input_tokens > 0);
  const more = await count({ system: 'A much longer system prompt' });
  assert.ok(more.json.input_tokens > plain.json.input_tokens);
  for (const field of [{ stream: true }, { stop_sequences: [] }, { metadata: {} }, { thread: { type: 'create' } }]) {
    assert.equal((await count(field)).status, 400, JSON.stringify(field));
  }
  const withLimit = await call(fake, { path: '/v1/messages/count_tokens', body: hello() });
  assert.match(withLimit.json.error.message, /^max_tokens: Extra inputs/);
});
