// The JSON Schema subset, and the fake's check that its own answers keep to it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSchema, conformance, inSchemaOrder } from '../schema.mjs';
import { always, ask, call, fakeFor, hello } from './client.mjs';

const object = (properties, required = Object.keys(properties), more) => ({ type: 'object', additionalProperties: false, properties, required, ...more });
const string = { type: 'string' };

const SUPPORTED = [
  ['scalars', object({ a: string, b: { type: 'integer' }, c: { type: 'number' }, d: { type: 'boolean' }, e: { type: 'null' } })],
  ['enum and const', object({ a: { type: 'string', enum: ['x', 'y'] }, b: { const: 1 }, c: { enum: ['x', null] } })],
  ['anyOf and type lists', object({ a: { anyOf: [string, { type: 'null' }] }, b: { type: ['string', 'null'] } })],
  ['allOf', object({ a: { allOf: [string, { enum: ['x'] }] } })],
  ['recursion by reference', { ...object({ a: { $ref: '#/$defs/node' } }), $defs: { node: object({ next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } }) } }],
  ['formats', object(Object.fromEntries(['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'uri', 'ipv4', 'ipv6', 'uuid'].map((format) => [format.replace('-', '_'), { type: 'string', format }])))],
  ['pattern', object({ a: { type: 'string', pattern: '^[a-z]+(?:-[0-9]{2})?$' } })],
  ['lists', object({ a: { type: 'array', items: string, minItems: 1 } })],
  ['texts', object({ a: { type: 'string', description: 'd', title: 't', default: 'x' } })],
  ['optional properties', object({ a: string, b: string }, ['a'])],
];

const UNSUPPORTED = [
  ...['minimum', 'maximum', 'multipleOf', 'exclusiveMinimum'].map((keyword) => [keyword, object({ a: { type: 'integer', [keyword]: 2 } })]),
  ...['minLength', 'maxLength'].map((keyword) => [keyword, object({ a: { type: 'string', [keyword]: 2 } })]),
  ...['maxItems', 'uniqueItems', 'prefixItems', 'contains'].map((keyword) => [keyword, object({ a: { type: 'array', items: string, [keyword]: 1 } })]),
  ...['oneOf', 'not', 'if', 'patternProperties'].map((keyword) => [keyword, object({}, [], { [keyword]: [] })]),
  ['minItems 2', object({ a: { type: 'array', items: string, minItems: 2 } })],
  ['an open object', { type: 'object', properties: {} }],
  ['an open inner object', object({ a: { type: 'object', properties: {} } })],
  ['additionalProperties a schema', { type: 'object', properties: {}, additionalProperties: string }],
  ['required without a property', object({ a: string }, ['a', 'b'])],
  ['an external reference', object({ a: { $ref: 'https://example.com/x.json' } })],
  ['a reference to nothing', object({ a: { $ref: '#/$defs/none' } })],
  ['allOf with a reference', { ...object({ a: { allOf: [{ $ref: '#/$defs/n' }] } }), $defs: { n: string } }],
  ['an object in an enum', object({ a: { enum: [{}] } })],
  ['format regex', object({ a: { type: 'string', format: 'regex' } })],
  ['lookahead', object({ a: { type: 'string', pattern: '(?=x)x' } })],
  ['lookbehind', object({ a: { type: 'string', pattern: '(?<!x)y' } })],
  ['a backreference', object({ a: { type: 'string', pattern: '(x)\\1' } })],
  ['a word boundary', object({ a: { type: 'string', pattern: '\\bx' } })],
  ['a broken pattern', object({ a: { type: 'string', pattern: '(' } })],
  ['an unknown type', object({ a: { type: 'date' } })],
  ['no type', object({ a: {} })],
  ['25 optional properties', object(Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`p${i}`, string])), [])],
  ['17 unions', object(Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`p${i}`, { type: ['string', 'null'] }])))],
];

for (const [name, schema] of SUPPORTED) test(`supports ${name}`, () => checkSchema(schema, 'schema'));
for (const [name, schema] of UNSUPPORTED) {
  test(`refuses ${name}`, () => assert.throws(() => checkSchema(schema, 'schema'), { status: 400 }));
}

const FACT = object({
  type: { type: 'string', enum: ['goal', 'entity'] },
  turn: { type: 'integer' },
  day: { anyOf: [{ type: 'string', format: 'date' }, { type: 'null' }] },
  names: { type: 'array', items: string, minItems: 1 },
});
const good = { type: 'goal', turn: 1, day: null, names: ['x'] };

test('conformance', () => {
  assert.equal(conformance(FACT, good), null);
  assert.equal(conformance(FACT, { ...good, day: '2026-11-21' }), null);
  const bad = [
    ['type missing', { ...good, type: undefined }, /\$\.type/], ['enum', { ...good, type: 'Goal' }, /\$\.type/],
    ['integer', { ...good, turn: 1.5 }, /\$\.turn/], ['format', { ...good, day: 'May' }, /\$\.day/],
    ['extra', { ...good, x: 1 }, /\$\.x is not a property/], ['items', { ...good, names: [1] }, /\$\.names\[0\]/],
    ['minItems', { ...good, names: [] }, /\$\.names/], ['no object', [], /\$ should be of type object/],
  ];
  for (const [name, value, message] of bad) assert.match(conformance(FACT, JSON.parse(JSON.stringify(value))) ?? '', message, name);
  const tree = { ...object({ next: { anyOf: [{ $ref: '#' }, { type: 'null' }] } }) };
  assert.equal(conformance(tree, { next: { next: null } }), null);
  assert.notEqual(conformance(tree, { next: { next: 1 } }), null);
});

test('required properties come first', () => {
  const schema = object({ a: string, b: string, c: string }, ['c', 'b']);
  assert.equal(JSON.stringify(inSchemaOrder(schema, { a: '1', b: '2', c: '3' })), '{"b":"2","c":"3","a":"1"}');
});

const format = { output_config: { format: { type: 'json_schema', schema: object({ facts: { type: 'array', items: FACT } }) } } };
const impossible = [
  ['text that is no JSON', { content: 'Sure!' }, format, /not JSON/],
  ['JSON outside the schema', { content: JSON.stringify({ facts: [{ ...good, turn: 'one' }] }) }, format, /\$\.facts\[0\]\.turn/],
  ['a tool nobody defined', { content: [{ type: 'tool_use', name: 'look' }] }, {}, /defines no tool 'look'/],
  ['strict tool input outside its schema', { content: [{ type: 'tool_use', name: 'look', input: { a: 1 } }] }, { tools: [{ name: 'look', strict: true, input_schema: object({ a: string }) }] }, /strict tool 'look'/],
  ['tool_use without a call', { content: 'x', stop_reason: 'tool_use' }, {}, /stop_reason tool_use with 0/],
  ['thinking where it is off', { content: [{ type: 'thinking', thinking: 'x' }, { type: 'text', text: 'y' }] }, { thinking: { type: 'disabled' } }, /thinking is off/],
  ['a summary nobody asked for', { content: [{ type: 'compaction', content: 'x' }] }, {}, /no compaction/],
];

for (const [name, reply, changes, message] of impossible) {
  test(`a script cannot answer ${name}`, async (t) => {
    const fake = await fakeFor(t);
    fake.script([{ reply }, { reply: { ...reply, impossible: true } }]);
    const { status, json, headers } = await call(fake, { body: hello(changes) });
    assert.equal(status, 500);
    assert.match(json.error.message, message);
    assert.equal(headers.get('x-should-retry'), 'false');
    assert.equal(fake.journal[0].violations[0].kind, 'script');
    assert.equal((await call(fake, { body: hello(changes) })).status, 200, 'unless it says so');
  });
}

test('an incomplete or refused answer need not conform', async (t) => {
  const fake = await fakeFor(t);
  fake.script([{ reply: { content: JSON.stringify({ facts: [good] }), cutAfter: 9 } }, { reply: { refusal: true } }]);
  const cut = await ask(fake, hello(format));
  assert.deepEqual([cut.stop_reason, cut.content[0].text], ['max_tokens', '{"facts":']);
  const refused = await ask(fake, hello(format));
  assert.equal(refused.stop_reason, 'refusal');
  assert.equal(refused.stop_details.type, 'refusal');
  assert.deepEqual(refused.content, []);
});

test('a good answer passes', async (t) => {
  const fake = await fakeFor(t);
  fake.script(always({ content: JSON.stringify({ facts: [good] }) }));
  assert.deepEqual(JSON.parse((await ask(fake, hello(format))).content[0].text).facts, [good]);
});
