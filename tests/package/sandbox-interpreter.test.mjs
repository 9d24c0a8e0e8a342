// The interpreter of `onhand/sandbox` by itself, in Node: programs of random words, with a clock that counts how often it was looked at.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { randomFrom } from "../fake/random.mjs";
import { newProject } from "./project.mjs";

const SEED = Number(process.env.SEED ?? 1);
const PROGRAMS = Number(process.env.PROGRAMS ?? 400);
const LIMITS = { timeMs: 200, memoryBytes: 24 << 20, lineCharacters: 500 };

let project, startInterpreter, quickjs;
before(async () => {
  project = await newProject();
  const dist = join(project.path, "node_modules/onhand/dist");
  ({ startInterpreter } = await import(pathToFileURL(join(dist, "sandbox-interpreter.js"))));
  quickjs = await WebAssembly.compile(await readFile(join(dist, "quickjs/emscripten-module.wasm")));
});
after(() => project?.remove());

/** A clock that goes on by one whenever it is looked at: the same program is stopped at the same place on every machine. */
const countingClock = () => {
  let looks = 0;
  return () => looks++;
};

async function run(code) {
  const printed = [];
  const interpreter = await startInterpreter(quickjs, LIMITS, (line) => printed.push(line), countingClock());
  return { outcome: interpreter.run(code), printed };
}

test("time is that of the clock it is given", async () => {
  const counted = async (timeMs) => {
    const lines = [];
    const interpreter = await startInterpreter(quickjs, { ...LIMITS, timeMs }, (line) => lines.push(line), countingClock());
    assert.deepEqual(interpreter.run("let n = 0; for (;;) if (++n % 1000 === 0) console.log(n);"), { outcome: "stopped", limit: "time" });
    return Number(lines.at(-1));
  };
  const [short, long] = [await counted(5), await counted(50)];
  assert.ok(long > 5 * short, `${long} turns of a loop in ten times the time of ${short}`);
});

const WORDS = `globalThis this constructor prototype __proto__ Object Function Reflect Proxy Symbol Promise Error JSON console Array String Map eval arguments
  async await function class extends super new delete typeof void yield return throw try catch finally for while if else let const var import of in
  get set static then toJSON toString valueOf log call apply bind name length stack message value a b f
  ( ) ( ) ( ) { } { } [ ] => , ; ; . . . = == + - * ! ? : ... \` \${ 'x' "y" 0 1 7n /a+/g #p @ \n`.split(/ |\n +/);

const VALUES = ["a", "this", "1", "console", "globalThis", "f", "[]", "null"];

/** Pieces that hold together, so that more than syntax errors come of it. */
const PIECES = [
  "try { %; } catch (a) { %; }", "const f = () => { %; }; f();", "globalThis.constructor.constructor('return %')();", "new Proxy(%, { get() { %; } });",
  "await (async () => { %; })();", "Object.defineProperty(Object.prototype, 'a', { get() { %; } });", "console.log(%);", "throw %;", "for (let a = 0; a < 7; a++) { %; }",
  "function* g() { yield %; } [...g()];", "class A { constructor() { %; } } new A();", "Promise.prototype.then = () => { %; };", "Error.prepareStackTrace = () => { %; };",
  "await new Promise(() => { %; });", "Promise.resolve().then(() => { %; });", "String.prototype.slice = () => %;", "JSON.stringify = () => %;", "Symbol.prototype.toString = () => { %; };", "while (true) { %; }", "({ toJSON() { %; }, get b() { %; } });",
  "import('%');", "eval('%');", "globalThis.f = function () { return f(%); }; f();", "[%].map(console.log);", "Array.prototype.map = console.log; console.log(%);",
];

test("programs of random words end in an outcome and never in a failure of the interpreter", async () => {
  const random = randomFrom(SEED);
  const pick = (list) => list[random.between(0, list.length - 1)];
  const some = (least, most, make) => Array.from({ length: random.between(least, most) }, make);
  const piece = (depth) => pick(PIECES).replaceAll("%", () => hole(depth));
  const hole = (depth) => (depth > 0 && random.chance(0.6) ? piece(depth - 1).replace(/;$/, "") : random.chance(0.85) ? pick(VALUES) : some(1, 5, () => pick(WORDS)).join(" "));
  const seen = { finished: 0, threw: 0, stopped: 0, pending: 0 };
  for (let i = 0; i < PROGRAMS; i++) {
    const code = some(1, 4, () => piece(2)).join("\n");
    const told = `seed ${SEED}, program ${i}:\n${code}`;
    const { outcome, printed } = await run(code).catch((error) => assert.fail(`${told}\n${error.stack}`));
    seen[outcome.outcome]++;
    const texts = [outcome.value, outcome.name, outcome.message, ...printed].filter((text) => text !== null && text !== undefined);
    assert.ok(texts.every((text) => typeof text === "string" && text.length <= LIMITS.lineCharacters + 1), told);
  }
  for (const [outcome, times] of Object.entries(seen)) assert.ok(times > 0, `no program ended as ${outcome}: ${JSON.stringify(seen)}`);
});
