// The demo's stand-in: what it says about memory, and the patterns it extracts facts by.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extractFacts } from '../extraction.mjs';
import { ask, assemble, call, fakeFor, hello, readEvents, send } from './client.mjs';

const DATE = '2026-11-21';
const text = (value) => ({ type: 'text', text: value });
const UPDATE = '<memory_update n="2">\nWhat the user said before:\n- Allergic to peanuts (2026-10-01)\n- Uses a &lt;b> tag\nend\n</memory_update>';
const SNAPSHOT = '<memory_snapshot taken="2026-11-21T09:00Z">\n- Lives in Porto\n</memory_snapshot>';

async function says(fake, changes) {
  const { content } = await ask(fake, hello({ model: 'claude-opus-4-8', ...changes }));
  return content.at(-1).text;
}

test('a chat answer quotes the memory it was given and nothing else', async (t) => {
  const fake = await fakeFor(t, { standIn: true });
  const user = (...content) => [{ role: 'user', content }];
  const opening = 'I am a local stand-in, not Claude. ';
  assert.equal(
    await says(fake, { messages: user(text(UPDATE), text('What can I eat?')) }),
    `${opening}You asked: “What can I eat?”. Your memory block held:\n- Allergic to peanuts (2026-10-01)\n- Uses a <b> tag`,
  );
  assert.equal(
    await says(fake, { system: [text('Be kind.'), text(SNAPSHOT)], messages: user(text(UPDATE), text('Hi')) }),
    `${opening}You asked: “Hi”. Your memory block held:\n- Lives in Porto\n- Allergic to peanuts (2026-10-01)\n- Uses a <b> tag`,
  );
  assert.equal(await says(fake, { messages: user(text('Hi')) }), `${opening}You asked: “Hi”. This request carried no memory.`);
  assert.equal(await says(fake, { messages: user(text('<memory_update></memory_update>'), text('Hi')) }), `${opening}You asked: “Hi”. Your memory block was empty.`);
  const notMemory = 'Explain <memory_update>\n- x\n</memory_update>';
  assert.equal(await says(fake, { messages: user(text(notMemory)) }), `${opening}You asked: “${notMemory}”. This request carried no memory.`);
  const older = [...user(text(UPDATE), text('Hi')), { role: 'assistant', content: 'Hello' }, ...user(text('Again'))];
  assert.equal(await says(fake, { messages: older }), `${opening}You asked: “Again”. This request carried no memory.`, 'only the newest message counts');
  const behind = (content) => ({ role: 'system', clear_at: 'next_user_message', content });
  const scoped = [...user(text('Hi')), behind(SNAPSHOT.replaceAll('snapshot', 'update')), { role: 'assistant', content: 'Hello' }, ...user(text('Again')), behind(UPDATE)];
  const { content } = await ask(fake, hello({ model: 'claude-opus-4-8', messages: scoped }), { betas: ['mid-conversation-system-clear-at-2026-08-21'] });
  assert.equal(content.at(-1).text, `${opening}You asked: “Again”. Your memory block held:\n- Allergic to peanuts (2026-10-01)\n- Uses a <b> tag`, 'what was cleared is gone');
});

test('it streams, thinks where the model thinks, and keeps binding valid over turns', async (t) => {
  const fake = await fakeFor(t, { standIn: true });
  const messages = [{ role: 'user', content: 'one' }];
  for (const question of ['two', 'three']) {
    const response = await send(fake, { body: hello({ model: 'claude-haiku-5-5', stream: true, messages }) });
    assert.equal(response.status, 200);
    const content = assemble(readEvents(await response.text()));
    assert.deepEqual(content.map(({ type }) => type), ['thinking', 'text']);
    messages.push({ role: 'assistant', content }, { role: 'user', content: question });
  }
  assert.equal((await call(fake, { body: hello({ model: 'claude-haiku-5-5', messages }) })).status, 200);
  const plain = await ask(fake, hello({ model: 'claude-haiku-5-5', thinking: { type: 'disabled' } }));
  assert.deepEqual(plain.content.map(({ type }) => type), ['text']);
  assert.deepEqual(fake.journal.flatMap(({ violations }) => violations), []);
});

test('it is as strict as a scripted fake, and a script goes first', async (t) => {
  const fake = await fakeFor(t, { standIn: true });
  assert.equal((await call(fake, { body: hello({ temperature: 0.1 }) })).status, 400);
  fake.script({ reply: { content: 'scripted' } });
  assert.equal(await says(fake, {}), 'scripted');
  assert.match(await says(fake, {}), /^I am a local stand-in/);
});

const SCHEMA = {
  type: 'object', additionalProperties: false, required: ['facts'],
  properties: {
    facts: {
      type: 'array',
      items: {
        type: 'object', additionalProperties: false,
        required: ['type', 'subject', 'attribute', 'statement', 'entities', 'numbers', 'turn', 'quote', 'confidence', 'valid_from', 'supersedes'],
        properties: {
          type: { type: 'string', enum: ['preference', 'decision', 'constraint', 'goal', 'entity'] },
          subject: { type: 'string' }, attribute: { type: 'string' }, statement: { type: 'string' },
          entities: { type: 'array', items: { type: 'string' } }, numbers: { type: 'array', items: { type: 'string' } },
          turn: { type: 'integer' }, quote: { type: 'string' },
          confidence: { type: 'string', enum: ['low', 'medium', 'high'] },
          valid_from: { anyOf: [{ type: 'string', format: 'date' }, { type: 'null' }] },
          supersedes: { anyOf: [{ type: 'string' }, { type: 'null' }] },
        },
      },
    },
  },
};

const inTags = (value) => JSON.stringify(value).replaceAll('<', '\\u003c');
const extraction = (known, turns, schema = SCHEMA) => hello({
  model: 'claude-haiku-5-5',
  thinking: { type: 'disabled' },
  system: 'Extract facts.',
  messages: [{ role: 'user', content: `<known_facts>${inTags(known)}</known_facts>\n<turns>${inTags(turns)}</turns>` }],
  output_config: { format: { type: 'json_schema', schema } },
});

test('an extraction request is answered in JSON that conforms to its schema', async (t) => {
  const fake = await fakeFor(t, { standIn: true });
  const known = [{ id: 'f1', type: 'decision', subject: 'speaker', attribute: 'platform', statement: 'we run everything on Heroku', since: '2026-01-01' }];
  const turns = [
    { turn: 4, speaker: 'user', date: DATE, text: 'Hi! We moved to Fly.io last month </turns> <b>, and I’m allergic to peanuts.' },
    { turn: 5, speaker: 'assistant', date: DATE, text: 'I live in a data centre.' },
  ];
  const { content } = await ask(fake, extraction(known, turns));
  const { facts } = JSON.parse(content[0].text);
  assert.deepEqual(facts.map(({ type, attribute, supersedes, turn }) => [type, attribute, supersedes, turn]), [
    ['decision', 'platform', 'f1', 4], ['constraint', 'allergy', null, 4],
  ]);
  for (const { quote } of facts) assert.ok(turns[0].text.includes(quote));
  assert.deepEqual(Object.keys(facts[0]), SCHEMA.properties.facts.items.required);
  const streamedText = assemble(readEvents(await (await send(fake, { body: { ...extraction(known, turns), stream: true } })).text()))[0].text;
  assert.deepEqual(JSON.parse(streamedText), { facts });
});

test('a request it cannot answer is told so, never answered by guess', async (t) => {
  const fake = await fakeFor(t, { standIn: true });
  const other = { type: 'object', additionalProperties: false, required: ['answer'], properties: { answer: { type: 'string' } } };
  const narrow = structuredClone(SCHEMA);
  narrow.properties.facts.items.properties.turn = { type: 'string' };
  const turns = [{ turn: 1, speaker: 'user', date: DATE, text: 'I live in Porto' }];
  const untagged = { ...extraction([], []), messages: [{ role: 'user', content: 'no tags' }] };
  for (const [body, message] of [[extraction([], turns, other), /top-level `facts`/], [untagged, /no <known_facts> list/], [extraction([], turns, narrow), /\$\.facts\[0\]\.turn/]]) {
    const { status, json } = await call(fake, { body });
    assert.equal(status, 500);
    assert.match(json.error.message, message);
  }
});

/** text → facts as [type, subject, attribute, statement]. */
const ROWS = [
  ["I'm allergic to peanuts.", ['constraint', 'speaker', 'allergy', "I'm allergic to peanuts"]],
  ['I’m allergic to penicillin', ['constraint', 'speaker', 'allergy', 'I’m allergic to penicillin']],
  ['I am severely allergic to bees!', ['constraint', 'speaker', 'allergy', 'I am severely allergic to bees']],
  ["Sorry; I can't eat gluten", ['constraint', 'speaker', 'diet', "I can't eat gluten"]],
  ["I'm vegetarian", ['constraint', 'speaker', 'diet', "I'm vegetarian"]],
  ["I'm a vegan", ['constraint', 'speaker', 'diet', "I'm a vegan"]],
  ["Hi, I'm Ana", ['entity', 'speaker', 'identity', "I'm Ana"]],
  ['I am a nurse in Braga', ['entity', 'speaker', 'identity', 'I am a nurse in Braga']],
  ['I live in Porto.', ['entity', 'speaker', 'residence', 'I live in Porto']],
  ['My name is Ana Sousa', ['entity', 'speaker', 'name', 'My name is Ana Sousa']],
  ['my dog is Rex', ['entity', 'speaker', 'dog', 'my dog is Rex']],
  ['my sister loves jazz', ['preference', 'sister', 'likes', 'my sister loves jazz']],
  ['My daughter Mia hates spinach', ['preference', 'daughter Mia', 'dislikes', 'My daughter Mia hates spinach']],
  ['I love hiking', ['preference', 'speaker', 'likes', 'I love hiking']],
  ['I like tea', ['preference', 'speaker', 'likes', 'I like tea']],
  ['I prefer short answers', ['preference', 'speaker', 'prefers', 'I prefer short answers']],
  ['we use Postgres 16', ['decision', 'speaker', 'tool', 'we use Postgres 16']],
  ['We run everything on Heroku', ['decision', 'speaker', 'platform', 'We run everything on Heroku']],
  ['we run on Node.js.', ['decision', 'speaker', 'platform', 'we run on Node.js']],
  ['We moved to Fly.io last month.', ['decision', 'speaker', 'platform', 'We moved to Fly.io last month']],
  ['we switched to Rust', ['decision', 'speaker', 'platform', 'we switched to Rust']],
  ['we’ve migrated our database to Aurora', ['decision', 'speaker', 'platform', 'we’ve migrated our database to Aurora']],
  ['I want to run a marathon', ['goal', 'speaker', 'goal', 'I want to run a marathon']],
  ['My goal is 10 km', ['goal', 'speaker', 'goal', 'My goal is 10 km']],
  ['I live in Porto, and I like tea and my son likes trains', ['entity', 'speaker', 'residence', 'I live in Porto'], ['preference', 'speaker', 'likes', 'I like tea'], ['preference', 'son', 'likes', 'my son likes trains']],
  ['I like tea\nI live in Rome', ['preference', 'speaker', 'likes', 'I like tea'], ['entity', 'speaker', 'residence', 'I live in Rome']],
  ['Am I allergic to nuts?'],
  ['I live in Porto?'],
  ['What do you think, is my plan good?'],
  ["I'm not sure"],
  ["I'm looking for a restaurant"],
  ['If I live in Porto, I like tea'],
  ['She said my dog'],
  ['The weather is nice. Tell me more'],
  [''],
];

for (const [said, ...expected] of ROWS) {
  test(`extracts ${expected.length} from ${JSON.stringify(said)}`, () => {
    const facts = extractFacts([], [{ turn: 1, speaker: 'user', date: DATE, text: said }]);
    assert.deepEqual(facts.map(({ type, subject, attribute, statement }) => [type, subject, attribute, statement]), expected);
    for (const { quote, entities, numbers } of facts) {
      assert.ok(said.includes(quote));
      for (const part of [...entities, ...numbers]) assert.ok(quote.includes(part), part);
    }
  });
}

test('entities, numbers and dates', () => {
  const [use, moved, moving] = extractFacts([], [
    { turn: 1, speaker: 'user', date: DATE, text: 'we use postgres 16.2' },
    { turn: 2, speaker: 'user', date: DATE, text: 'We moved to Fly.io last month' },
    { turn: 3, speaker: 'user', date: DATE, text: 'We moved to Fly.io' },
  ]);
  assert.deepEqual([use.entities, use.numbers, use.valid_from], [['postgres 16.2'], ['16.2'], DATE]);
  assert.deepEqual([moved.entities, moved.valid_from], [['Fly.io'], null]);
  assert.equal(moving.valid_from, DATE);
});

test('a move supersedes the newest known fact of the same subject and attribute', () => {
  const known = (id, statement, since, more) => ({ id, type: 'decision', subject: 'speaker', attribute: 'platform', statement, since, ...more });
  const list = [known('old', 'we run on Heroku', '2025-01-01'), known('new', 'we run on AWS', '2026-02-01'), known('tool', 'we use Jira', '2026-03-01', { attribute: 'tool' }), known('his', 'x', '2026-03-01', { subject: 'Bob' })];
  const supersedes = (said, facts = list) => extractFacts(facts, [{ turn: 1, speaker: 'user', date: DATE, text: said }])[0].supersedes;
  assert.equal(supersedes('We moved to Fly.io'), 'new');
  assert.equal(supersedes('We run on Fly.io'), null, 'only a move says that something ended');
  assert.equal(supersedes('We moved to Fly.io', []), null);
  assert.equal(supersedes('We moved to Fly.io', [known('same', 'We moved to Fly.io', '2026-01-01')]), null);
});

test('it looks up what it is told to, if it has the tool', async (t) => {
  const fake = await fakeFor(t, { standIn: true });
  const schema = { type: 'object', additionalProperties: false, required: ['query'], properties: { query: { type: 'string' } } };
  const tools = [{ name: 'recall', input_schema: schema }];
  const question = { role: 'user', content: [text('Look up the boat')] };
  const asked = await ask(fake, hello({ tools, messages: [question] }));
  const call = asked.content.at(-1);
  assert.deepEqual([asked.stop_reason, call.name, call.input], ['tool_use', 'recall', { query: 'the boat' }]);
  const result = { type: 'tool_result', tool_use_id: call.id, content: '<memory_found>\n- user: “Aurora &lt;3”\n</memory_found>' };
  const results = { role: 'user', content: [result] };
  const messages = [question, { role: 'assistant', content: asked.content }, results];
  const answered = await ask(fake, hello({ tools, messages }));
  assert.match(answered.content.at(-1).text, /Memory holds on that:\n- user: “Aurora <3”$/);
  const without = await ask(fake, hello({ messages: [question] }));
  assert.equal(without.stop_reason, 'end_turn');
});
