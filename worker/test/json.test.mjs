import assert from "node:assert/strict";
import { test } from "node:test";
import { loadSource } from "./source.mjs";

const { applyEdits, duplicateKey } = await loadSource("json.ts");

const EDITS = [
  ['{"max_tokens":128000}', [["max_tokens"], 5], '{"max_tokens":5}'],
  [' {\n "a" : "max_tokens\\":1" , "max_tokens"\t:\r\n128000 }\n', [["max_tokens"], 5], ' {\n "a" : "max_tokens\\":1" , "max_tokens"\t:\r\n5 }\n'],
  ['{"a":{"max_tokens":1},"max_\\u0074okens":1.28e5,"b":[{"max_tokens":2}]}', [["max_tokens"], 5], '{"a":{"max_tokens":1},"max_\\u0074okens":5,"b":[{"max_tokens":2}]}'],
  ['{"x":"\\\\","output_config":{"format":{"effort":"max"}, "effort" : "max"},"y":"é😀"}', [["output_config", "effort"], "low"],
    '{"x":"\\\\","output_config":{"format":{"effort":"max"}, "effort" : "low"},"y":"é😀"}'],
];
for (const [text, [path, value], expected] of EDITS) {
  test(`edit ${text}`, () => assert.equal(applyEdits(text, [{ path, value }]), expected));
}

test("two edits in either order touch only their own characters", () => {
  const text = '{"output_config":{"effort":"xhigh"},"z":[1, 2],"max_tokens":99999}';
  const edits = [{ path: ["max_tokens"], value: 16384 }, { path: ["output_config", "effort"], value: "low" }];
  const expected = '{"output_config":{"effort":"low"},"z":[1, 2],"max_tokens":16384}';
  assert.equal(applyEdits(text, edits), expected);
  assert.equal(applyEdits(text, edits.toReversed()), expected);
});

const DUPLICATES = [
  ['{"a":1,"b":{"a":1},"c":[{"a":1},{"a":2}]}', null],
  ['{"max_tokens":1,"max_tokens":128000}', "max_tokens"],
  ['{"thread":1,"\\u0074hread":2}', "thread"],
  ['{"output_config":{"effort":"low","effort":"max"}}', "effort"],
  ['{"tools":[{"type":"custom"}, {"type":"custom" , "type":"web_search_20250305"}]}', "type"],
  // Where the policy does not look, the upstream is the judge.
  ['{"messages":[{"input":{"a":1,"a":2}}],"tools":[{"input_schema":{"a":1,"a":2}}],"output_config":{"format":{"a":1,"a":2}}}', null],
  ['{"tools":[],"output_config":{}, "x":[ ]}', null],
  ["{ }", null],
];
for (const [text, expected] of DUPLICATES) {
  test(`duplicate ${text}`, () => assert.equal(duplicateKey(text), expected));
}

test("random bodies: an edit equals parse, change, and nothing else moves", () => {
  const seed = Number(process.env.ONHAND_SEED ?? 20261121);
  const random = generator(seed);
  for (let round = 0; round < 2000; round += 1) {
    const body = Object.fromEntries(shuffle(random, [
      ["max_tokens", Math.floor(random() * 1e6)], ["messages", value(random, 4)], ["system", value(random, 2)],
      ["output_config", { format: value(random, 2), effort: "max" }], ["tools", [value(random, 3), {}]],
    ]));
    const text = spaced(random, body);
    const edited = applyEdits(text, [{ path: ["max_tokens"], value: 7 }, { path: ["output_config", "effort"], value: "low" }]);
    const expected = { ...body, max_tokens: 7, output_config: { ...body.output_config, effort: "low" } };
    const note = `seed ${seed}, round ${round}: ${text}`;
    assert.deepEqual(JSON.parse(edited), expected, note);
    assert.equal(edited.length, text.length - String(body.max_tokens).length + 1, note);
    assert.equal(duplicateKey(text), null, note);
  }
});

/** A small seeded generator (mulberry32). */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function value(random, depth) {
  const kind = Math.floor(random() * (depth > 0 ? 7 : 5));
  if (kind === 0) return Math.floor(random() * 1000) - 500;
  if (kind === 1) return random() < 0.5;
  if (kind === 2) return null;
  if (kind <= 4) return word(random);
  const n = Math.floor(random() * 4);
  if (kind === 5) return Array.from({ length: n }, () => value(random, depth - 1));
  return Object.fromEntries(Array.from({ length: n }, (_, i) => [word(random) + i, value(random, depth - 1)]));
}

function word(random) {
  const pieces = ['"', "\\", "{", "}", "[", "]", ",", ":", "é", "😀", "\n", "max_tokens", '"max_tokens":1', " "];
  return Array.from({ length: Math.floor(random() * 6) }, () => pieces[Math.floor(random() * pieces.length)]).join("");
}

/** JSON text with random white space where JSON allows it. */
function spaced(random, any) {
  const gap = () => ["", "", "", " ", "\n\t", "\r\n"][Math.floor(random() * 6)];
  const write = (one) => {
    if (typeof one !== "object" || one === null) return gap() + JSON.stringify(one) + gap();
    if (Array.isArray(one)) return `${gap()}[${one.length ? one.map(write).join(",") : gap()}]${gap()}`;
    const entries = Object.entries(one).map(([key, inner]) => `${gap()}${JSON.stringify(key)}${gap()}:${write(inner)}`);
    return `${gap()}{${entries.length ? entries.join(",") : gap()}}${gap()}`;
  };
  return write(any);
}

function shuffle(random, list) {
  return list.map((item) => [random(), item]).sort((a, b) => a[0] - b[0]).map(([, item]) => item);
}
