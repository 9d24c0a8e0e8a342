// `onhand/sandbox` of the packed package in real engines, under the policy of the demo page: what programs may do, and what they try.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { bundle, newProject, root } from "./project.mjs";
import { ENGINES, openEngine } from "./webdriver.mjs";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
/** A busy machine must not end what ends by itself. */
const LIMITS = { timeMs: 20_000, memoryBytes: 40 << 20, outputCharacters: 1_000 };
/** For programs that do not end by themselves. */
const SHORT = { ...LIMITS, timeMs: 300 };
/** Milliseconds beyond its time after which a program has to be over: the grace, and a busy machine. */
const PATIENCE_MS = 5_000;

const stops = [];
const requested = [];
let address;

before(async () => {
  const project = await newProject();
  stops.push(project.remove);
  const page = await readFile(new URL("sandbox.page.js", import.meta.url), "utf8");
  const dist = await bundle(project, page);
  const [, policy] = /Content-Security-Policy: (.*)/.exec(await readFile(join(root, "www/public/_headers"), "utf8"));
  // The same page without a bundler: modules as they lie in the package.
  const plain = {
    "/plain.html": '<!doctype html><script type="module" src="/plain.js"></script>',
    "/plain.js": page.replace('"onhand/sandbox"', '"/onhand/sandbox.js"'),
  };
  const server = createServer(async (request, response) => {
    const path = request.url === "/" ? "/index.html" : new URL(request.url, "http://x").pathname;
    requested.push(path);
    const place = path.startsWith("/onhand/") ? join(project.path, "node_modules/onhand/dist", path.slice(8)) : join(dist, path);
    const file = plain[path] ?? (await readFile(place).catch(() => null));
    const type = path.startsWith("/untyped") ? "text/plain" : (TYPES[extname(path)] ?? "text/plain");
    response.writeHead(file ? 200 : 404, { "content-type": type, "content-security-policy": policy }).end(file ?? "");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  stops.push(() => new Promise((resolve) => server.close(resolve)), () => server.closeAllConnections());
  address = `http://127.0.0.1:${server.address().port}/`;
});
after(async () => {
  for (const stop of stops.reverse()) await stop();
});

const finished = (value) => ({ outcome: "finished", value, printed: "", truncated: false });
const threw = (name, message, line) => ({ outcome: "threw", name, message, line, printed: "", truncated: false });
const stopped = (limit) => ({ outcome: "stopped", limit, printed: "", truncated: false });

/** What a program may do. */
const PROGRAMS = [
  ["1 + 1", finished("2")],
  ["", finished(null)],
  ["const answer = 42;", finished(null)],
  ["'tea'", finished("tea")],
  ["({ a: [1, 'b', null], c: new Map([[1, 2]]), d: 3n })", finished('{"a":[1,"b",null],"c":[[1,2]],"d":"3"}')],
  ["const o = {}; o.self = o; o", finished("[can not be written as JSON: circular reference]")],
  ["'a\\0b\\ud83d\\ude00'", finished("a\ufffdb😀")],
  ["const wait = async (n) => n * 2;\nawait wait(21)", finished("42")],
  ["const later = async () => (await null, 'done');\nlater()", finished("done")],
  ["console.log('a', 1, { b: [2] }); console.error(new TypeError('no')); 7", { ...finished("7"), printed: 'a 1 {"b":[2]}\nTypeError: no' }],
  ["async function main() { await null; console.log('in the background'); } main(); 1", { ...finished("1"), printed: "in the background" }],
  ["const text = 'one two two';\nObject.entries(Object.groupBy(text.split(' '), (word) => word)).map(([word, all]) => `${word} ${all.length}`).join()", finished("one 1,two 2")],
  ["const depth = (n) => (n ? 1 + depth(n - 1) : 0);\ndepth(600)", finished("600")],
  // Lines of errors.
  ["const a = 1;\n\nnull.x", threw("TypeError", "cannot read property 'x' of null", 3)],
  ["let a = 1;\nlet b = ;", threw("SyntaxError", "unexpected token in expression: ';'", 2)],
  ["function inner() {\n  throw new RangeError('far');\n}\ninner();", threw("RangeError", "far", 2)],
  ["await Promise.reject(new Error('late'))", threw("Error", "late", 1)],
  ["throw { code: 7 }", threw(null, '{"code":7}', null)],
  ["throw undefined", threw(null, "undefined", null)],
  ["throw null", threw(null, "null", null)],
  ["return 5", threw("SyntaxError", "return not in a function", 1)],
];

/** What programs try: code, what comes of it, and limits if they are not those that fit that. */
const ATTEMPTS = [
  ["every limit of time is kept", [
    ["for (;;);", stopped("time")],
    ["let n = 0;\nwhile (true) {\n  n++;\n}", stopped("time")],
    ["try { for (;;); } catch { 'caught' } finally { for (;;); }", stopped("time")],
    ["(async () => { for (;;); })().catch(() => { for (;;); }); 1", stopped("time")],
    ["const again = () => Promise.resolve().then(again); again(); await new Promise(() => {})", stopped("time")],
    ["const again = () => { queue = Promise.resolve().then(again); }; let queue; again(); 'ended'", stopped("time")],
    ["/(a+)+b/.test('a'.repeat(40))", stopped("time")],
    ["new Date().constructor.constructor('for (;;);')()", stopped("time")],
    // Built-ins that never look at the clock: the worker is ended from outside, and what was printed is known all the same.
    ["console.log('before'); [].indexOf.call({ length: 2 ** 53 - 1 }, 1)", { ...stopped("time"), printed: "before" }],
  ]],
  ["whatever a result, an error or a printed value does when it is looked at counts as the program's", [
    ["({ get a() { for (;;); } })", stopped("time")],
    ["({ toJSON() { for (;;); } })", stopped("time")],
    ["new Proxy({}, { ownKeys() { for (;;); } })", stopped("time")],
    ["({ get a() { throw new Error('no'); } })", finished("[can not be written as JSON: no]")],
    ["({ then(resolve) { resolve(7); } })", finished("{}")],
    ["throw { get message() { for (;;); } }", stopped("time")],
    ["throw new Proxy({}, { get() { for (;;); } })", stopped("time")],
    ["console.log({ get a() { for (;;); } })", stopped("time")],
    ["throw Object.assign(new Error('x'), { name: 7, message: { a: 1 }, stack: [] })", threw(null, "7: [object Object]", null)],
    ["throw { name: 'InternalError', message: 'out of memory', stack: 'program.js:99' }", threw("InternalError", "out of memory", 99)],
  ]],
  ["memory ends at its limit", [
    ["const all = []; for (;;) all.push(new Array(1000).fill(1))", stopped("memory")],
    ["const all = []; for (;;) all.push(new Uint8Array(1e6).fill(1))", stopped("memory")],
    ["'x'.repeat(2 ** 29)", stopped("memory")],
    ["let all; for (;;) all = { all }", stopped("memory")],
    ["const all = []; try { for (;;) all.push('x'.repeat(1e6) + all.length) } catch (error) { all.length = 0; error.message }", finished("out of memory")],
    ["let text = 'x'; for (;;) text += text", ({ outcome }) => assert.match(outcome, /threw|stopped/)],
    ["new ArrayBuffer(2 ** 40)", threw("RangeError", "invalid array buffer length", 1)],
    ["10n ** 10n ** 10n", threw("RangeError", "BigInt is too large", 1)],
  ]],
  ["recursion ends at its limit", [
    ["const f = () => f(); f()", stopped("stack")],
    ["const f = () => [0].map(f); f()", stopped("stack")],
    ["const f = () => { console.log('x'); f(); }; f()", ({ outcome, limit }) => assert.deepEqual([outcome, limit], ["stopped", "stack"])],
    ["const o = {}; Object.defineProperty(o, 'a', { get() { return o.a; } }); o.a", stopped("stack")],
    ["eval('('.repeat(1e5))", stopped("stack")],
    ["JSON.parse('['.repeat(1e6))", stopped("stack")],
    ["new RegExp('(?:'.repeat(1e5))", ({ outcome }) => assert.match(outcome, /threw|stopped/)],
    ["let deep = []; for (let i = 0; i < 1e5; i++) deep = [deep]; deep", ({ outcome, value }) => outcome === "finished" ? assert.match(value, /can not be written/) : assert.equal(outcome, "stopped")],
  ]],
  ["output ends at its limit", [
    ["for (;;) console.log('line')", ({ outcome, printed, truncated }) => assert.ok(outcome === "stopped" && truncated && printed.length <= 1_000 && printed.startsWith("line\nline")), { ...LIMITS, timeMs: 2_000 }],
    ["for (;;) console.log('')", ({ outcome, printed, truncated }) => assert.ok(outcome === "stopped" && truncated && printed.length <= 1_000), { ...LIMITS, timeMs: 2_000 }],
    ["console.log('x'.repeat(1e6)); 1", { ...finished("1"), printed: "x".repeat(1_000), truncated: true }],
    ["console.log('x'.repeat(999)); console.log('y'); 1", { ...finished("1"), printed: `${"x".repeat(999)}\n`, truncated: true }],
    ["console.log('x'.repeat(1000)); 1", { ...finished("1"), printed: "x".repeat(1_000) }],
    ["'😀'.repeat(1e5)", { ...finished("😀".repeat(500)), truncated: true }],
    ["'x' + '😀'.repeat(1e5)", { ...finished(`x${"😀".repeat(499)}`), truncated: true }],
    ["throw new Error('x'.repeat(1e6))", ({ outcome, message }) => assert.ok(outcome === "threw" && message.length <= 1_001)],
  ]],
  ["a promise that never settles is said to be one", [
    ["await new Promise(() => {})", { outcome: "pending", printed: "", truncated: false }],
    ["new Promise(() => {})", { outcome: "pending", printed: "", truncated: false }],
  ]],
  ["nothing of the outside can be reached", [
    [`[${["fetch", "XMLHttpRequest", "WebSocket", "EventSource", "indexedDB", "caches", "localStorage", "document", "window", "self", "navigator", "location", "importScripts", "postMessage", "close", "Worker", "WebAssembly", "process", "require", "setTimeout", "std", "os", "bjson", "print", "crypto"].map((name) => `"${name}"`)}].filter((name) => typeof globalThis[name] !== "undefined" || eval("typeof " + name) !== "undefined")`, finished("[]")],
    // Each global thing is one of the language, or this console.
    ["Reflect.ownKeys(globalThis).map(String)", ({ value }) => assert.deepEqual(JSON.parse(value).filter((name) => !LANGUAGE.has(name)), ["InternalError", "console"])],
    ["const realm = Function('return this')(); [realm === globalThis, (() => {}).constructor('return typeof postMessage')(), console.log.constructor('return typeof fetch')()]", finished('[true,"undefined","undefined"]')],
    ["const AsyncFunction = (async () => {}).constructor; await AsyncFunction('return typeof self + typeof fetch')()", finished("undefinedundefined")],
    ["(function* () {}).constructor('yield typeof fetch')().next().value", finished("undefined")],
    ["import('https://example.com/x.js')", threw("ReferenceError", "could not load module 'https://example.com/x.js'", null)],
    ["await import('/plain.js')", threw("ReferenceError", "could not load module '/plain.js'", null)],
    ["await import('data:text/javascript,export default 1')", ({ outcome, name }) => assert.deepEqual([outcome, name], ["threw", "ReferenceError"])],
    ["import x from '/plain.js'", ({ outcome, name }) => assert.deepEqual([outcome, name], ["threw", "SyntaxError"])],
    ["import.meta.url", ({ outcome, name }) => assert.deepEqual([outcome, name], ["threw", "SyntaxError"])],
    // An error that comes from outside is made anew inside.
    ["let seen; const f = () => { try { console.log('x'); f(); } catch (error) { seen ??= error; throw error; } }; try { f(); } catch {} seen.constructor.constructor('return typeof fetch')()", ({ outcome, value }) => assert.ok(outcome === "stopped" || value === "undefined")],
    ["try { null.x } catch (error) { error.constructor.constructor('return typeof self')() }", finished("undefined")],
  ]],
  ["tricks with built-ins spoil the program's own output only", [
    ["Object.prototype.value = 'planted'; Object.prototype.then = (resolve) => resolve('planted'); 5", ({ outcome }) => assert.match(outcome, /finished|threw|pending/)],
    ["Object.defineProperty(Object.prototype, 'outcome', { get() { return 'forged'; } }); 5", finished("5")],
    ["String.prototype.slice = () => ({ replaceAll: () => globalThis }); console.log('x'); 'y'", finished("")],
    ["Array.prototype.join = function () { return { slice: () => ({ replaceAll: () => 'x'.repeat(1e6) }) }; }; console.log('x'); 1", finished("1")],
    ["JSON.stringify = () => 'mine'; ({})", finished("mine")],
    ["Error.prototype.toString = Error.prototype.valueOf = () => { throw 1; }; null.x", threw("TypeError", "cannot read property 'x' of null", 1)],
    ["globalThis.console = null; Promise = null; 5", finished("5")],
    ["Promise.prototype.then = () => { throw new Error('mine'); }; await 5", ({ outcome }) => assert.match(outcome, /finished|threw|pending/)],
    ["Function.prototype.call = Function.prototype.apply = () => globalThis; Reflect.apply = null; console.log('still'); 1", { ...finished("1"), printed: "still" }],
    ["Error.prepareStackTrace = () => { throw 1; }; null.x", ({ outcome }) => assert.equal(outcome, "threw")],
    ["delete globalThis.Object; delete globalThis.String; delete globalThis.JSON; [1]", ({ outcome }) => assert.match(outcome, /finished|threw/)],
  ]],
];

/** The global names of ECMAScript 2025, and those that every engine keeps for old pages. */
const LANGUAGE = new Set(
  `globalThis Infinity NaN undefined eval isFinite isNaN parseFloat parseInt decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape
  AggregateError Array ArrayBuffer Atomics BigInt BigInt64Array BigUint64Array Boolean DataView Date Error EvalError FinalizationRegistry Float16Array
  Float32Array Float64Array Function Int8Array Int16Array Int32Array Iterator JSON Map Math Number Object Promise Proxy RangeError ReferenceError Reflect RegExp
  Set SharedArrayBuffer String Symbol SyntaxError TypeError Uint8Array Uint8ClampedArray Uint16Array Uint32Array URIError WeakMap WeakRef WeakSet Symbol(Symbol.toStringTag)`.split(/\s+/),
);

for (const engine of ENGINES) {
  describe(`in ${engine}`, () => {
    let browser;
    before(async () => {
      browser = await openEngine(engine);
      await open("");
    });
    after(() => browser?.close());

    async function open(path) {
      await browser.goto(address + path);
      await browser.evaluate(async () => {
        while (!globalThis.sandbox) await new Promise((resolve) => addEventListener("load", resolve, { once: true }));
      });
    }
    const run = (code, limits = LIMITS) => browser.evaluate(([code, limits]) => globalThis.sandbox.runCode(code, { limits }), [code, limits]);
    const workers = () => browser.evaluate(async () => globalThis.sandbox.workers);

    test("nothing is loaded before the first run", async () => {
      requested.length = 0;
      await open("");
      assert.deepEqual(requested.filter((path) => /wasm|worker/.test(path)), []);
      assert.deepEqual(await run("1"), finished("1"));
      assert.equal(requested.filter((path) => path.endsWith(".wasm")).length, 1, `${requested}`);
      await run("2");
      assert.equal(requested.filter((path) => path.endsWith(".wasm")).length, 1, "compiled once for the page");
    });

    test("programs run", async () => {
      for (const [code, expected] of PROGRAMS) assert.deepEqual(await run(code), expected, code);
    });

    for (const [rule, attempts] of ATTEMPTS) {
      test(rule, async () => {
        requested.length = 0;
        for (const [code, expected, limits = expected.limit === "time" ? SHORT : LIMITS] of attempts) {
          const { result, ms, next } = await browser.evaluate(
            async ([code, limits]) => {
              const start = performance.now();
              const result = await globalThis.sandbox.runCode(code, { limits });
              const ms = performance.now() - start;
              return { result, ms, next: await globalThis.sandbox.runCode("6 * 7", { limits }) };
            },
            [code, limits],
          );
          const shown = `${code}\n${JSON.stringify(result).slice(0, 300)}`;
          if (typeof expected === "function") assert.doesNotThrow(() => expected(result), shown);
          else assert.deepEqual(result, expected, shown);
          assert.ok(ms < limits.timeMs + PATIENCE_MS, `${ms} ms: ${shown}`);
          assert.deepEqual(next, finished("42"), `the run after ${shown}`);
        }
        assert.equal((await workers()).alive, 0, "no worker is left");
        assert.deepEqual(requested.filter((path) => !/sandbox-worker/.test(path)), [], "no request but for the worker's script");
      });
    }

    test("a run leaves nothing to the next one", async () => {
      await run("globalThis.kept = 1; Object.prototype.kept = 1; Array.prototype.map = null;");
      assert.deepEqual(await run("[typeof kept, typeof {}.kept, typeof [].map]"), finished('["undefined","undefined","function"]'));
    });

    test("a signal ends a program, and one that waits for its turn", async () => {
      const { codes, workers } = await browser.evaluate(async (limits) => {
        const { runCode, settled, workers } = globalThis.sandbox;
        const before = await settled(runCode("1", { limits, signal: AbortSignal.abort() }));
        const controllers = Array.from({ length: 6 }, () => new AbortController());
        const runs = controllers.map(({ signal }) => settled(runCode("for (;;);", { limits, signal })));
        while (workers.alive < 4) await settled(runCodeTick());
        controllers[5].abort();
        const waited = await runs[5];
        for (const controller of controllers) controller.abort();
        return { codes: [before, waited, ...(await Promise.all(runs))].map(({ error }) => error?.code), workers };
        function runCodeTick() {
          return new Promise((resolve) => setTimeout(resolve));
        }
      }, LIMITS);
      assert.deepEqual(codes, Array(8).fill("cancelled"));
      assert.equal(workers.alive, 0);
      assert.deepEqual(await run("6 * 7"), finished("42"));
    });

    test("ten at once all run, four at a time", async () => {
      await open("");
      const { results, workers } = await browser.evaluate(async (limits) => {
        const { runCode, workers } = globalThis.sandbox;
        return { results: await Promise.all(Array.from({ length: 10 }, (_, i) => runCode(`${i} * 2`, { limits }))), workers };
      }, LIMITS);
      assert.deepEqual(results, Array.from({ length: 10 }, (_, i) => finished(String(2 * i))));
      assert.deepEqual(workers, { alive: 0, most: 4, started: 10 });
    });

    test("what is given wrongly is refused, and what can not be loaded is tried again", async () => {
      const answers = await browser.evaluate(async () => {
        const { runCode, codeTool, settled } = globalThis.sandbox;
        const refused = [
          runCode(7),
          runCode("1", { limits: { timeMs: 0 } }),
          runCode("1", { limits: { memoryBytes: 1 << 20 } }),
          runCode("1", { limits: { outputCharacters: 1.5 } }),
          codeTool().run({}),
          codeTool().run(null),
          runCode("1", { wasmUrl: "/missing.wasm" }),
          runCode("1", { wasmUrl: "/index.html" }),
        ];
        return (await Promise.all(refused.map(settled))).map(({ error }) => error?.code);
      });
      assert.deepEqual(answers, [...Array(6).fill("invalid_input"), "unavailable", "unavailable"]);
      assert.deepEqual(await run("6 * 7"), finished("42"));
    });

    test("the tool tells a model what came of its program", async () => {
      const { schema, texts } = await browser.evaluate(async (limits) => {
        const { codeTool, settled } = globalThis.sandbox;
        const tool = codeTool({ limits });
        const told = async (code) => {
          const { value, error } = await settled(tool.run({ code }, {}));
          return value ?? [error.code, error.message];
        };
        const texts = [];
        for (const code of ["console.log('a');\n2", "let a;", "console.log('a');\nnull.b", "for (;;);", "await new Promise(() => {})", "'x'.repeat(2000)", "throw 'words'"]) texts.push(await told(code));
        return { schema: { name: tool.name, description: tool.description, inputSchema: tool.inputSchema }, texts };
      }, { ...LIMITS, timeMs: 2_000 });
      assert.match(schema.name, /^[a-zA-Z0-9_-]{1,64}$/);
      assert.match(schema.description, /2000 ms, 40 MiB, 1000 characters/);
      assert.deepEqual(schema.inputSchema.required, ["code"]);
      assert.deepEqual(texts, [
        "a\nValue: 2",
        "The program ended without a value.",
        ["threw", "a\nTypeError: cannot read property 'b' of null (line 2)"],
        ["stopped", "The program was stopped: it ran for more than 2000 ms."],
        ["pending", "The program waits for a promise that nothing settles. There are no timers and no events."],
        `[Output was cut at 1000 characters.]\nValue: ${"x".repeat(1_000)}`,
        ["threw", "Thrown: words"],
      ]);
    });

    test("modules work as they lie in the package", async () => {
      requested.length = 0;
      await open("plain.html");
      assert.deepEqual(await run("6 * 7"), finished("42"));
      assert.ok(requested.every((path) => /^\/(plain\.(html|js)|favicon\.ico|onhand\/(sandbox[a-z-]*\.js|quickjs\/[a-z-]+\.(js|wasm)))$/.test(path)), `${requested}`);
    });
  });
}
