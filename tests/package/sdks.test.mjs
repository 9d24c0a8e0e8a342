// The official SDKs, unmodified, in a page of Chromium: through an edge worker of another origin, against the fake. What a host's own code does
// with Claude works beside the memory as it works without it. Their memory tool has a test of its own (memory-tool.test.mjs).
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { startEdge } from "../../worker/run.mjs";
import { openBrowser } from "../e2e/browser.mjs";
import { startFake } from "../fake/server.mjs";
import { bundle, newProject, root } from "./project.mjs";

const stops = [];
let fake, tab;

before(async () => {
  const project = await newProject();
  stops.push(() => project.remove());
  for (const name of ["@anthropic-ai", "@ai-sdk", "ai"]) await symlink(join(root, "tests/node_modules", name), join(project.path, "node_modules", name));
  const dist = await bundle(project, await readFile(join(root, "tests/package/sdks.page.js"), "utf8"));
  fake = await startFake({ port: 0, seed: 1, now: Date.now });
  stops.push(() => fake.close());
  const page = await startEdge({ assetsDir: dist, devVars: null });
  stops.push(() => page.stop());
  const vars = { ANTHROPIC_API_KEY: "sk-ant-test-key", ALLOWED_ORIGINS: new URL(page.url).origin };
  const edge = await startEdge({ upstream: fake.url, devVars: null, vars });
  stops.push(() => edge.stop());
  const profile = await mkdtemp(join(tmpdir(), "onhand-profile-"));
  stops.push(() => rm(profile, { recursive: true, force: true }));
  const context = await openBrowser(profile);
  stops.push(() => context.close());
  tab = context.pages()[0];
  await tab.goto(`${page.url}/?endpoint=${encodeURIComponent(edge.url)}`);
  await tab.waitForFunction(() => globalThis.ready);
});
after(async () => {
  for (const stop of stops.reverse()) await stop();
});
beforeEach(() => fake.reset());
afterEach(() => {
  assert.deepEqual(fake.unused(), []);
  assert.ok(fake.journal.every(({ body }) => !body || !("thread" in body)), "no conversation is kept at the provider");
});

const run = (sdk, method, argument) => tab.evaluate(([sdk, method, argument]) => globalThis[sdk][method](argument), [sdk, method, argument]);
const script = (...replies) => fake.script(replies.map((reply) => ({ reply })));
const clean = () => assert.deepEqual(fake.journal.flatMap(({ violations }) => violations), []);

const WORDS = "Grüße – 「東京」 👩‍👩‍👧";
const TOOLS = [{ name: "look", description: "Looks something up", input_schema: { type: "object", properties: { q: { type: "string" } } } }];
const RICH = [
  { type: "thinking", thinking: "First … 🧠" },
  { type: "text", text: WORDS },
  { type: "tool_use", id: "toolu_a", name: "look", input: { q: 'Köln\n"🧠"', n: [1, null] } },
  { type: "tool_use", id: "toolu_b", name: "look", input: {} },
];
const MORE = { thinking: { type: "adaptive", display: "summarized" }, tools: TOOLS };
const SCHEMA = { type: "object", additionalProperties: false, required: ["city"], properties: { city: { type: "string" } } };
const CODE = { type: "tool_use", id: "toolu_c", name: "run_javascript", input: { code: "console.log('in the page');\n6 * 7" } };
const WRONG = { type: "tool_use", id: "toolu_d", name: "run_javascript", input: { code: "\nnull.x" } };
const RESULTS = ["in the page\nValue: 42", "TypeError: cannot read property 'x' of null (line 2)"];

test("Anthropic SDK: an answer, whole and streamed, with thinking and tools", async () => {
  script({ content: RICH }, { content: RICH });
  const created = await run("anthropic", "create", MORE);
  const streamed = await run("anthropic", "stream", MORE);
  assert.deepEqual(created.content.map(({ type }) => type), RICH.map(({ type }) => type));
  assert.deepEqual(streamed.content, created.content);
  assert.deepEqual(created.content[2].input, RICH[2].input);
  assert.equal(streamed.text, WORDS);
  assert.deepEqual([created.stop, streamed.stop], ["tool_use", "tool_use"]);
  assert.ok(streamed.usage.output_tokens > 0 && streamed.usage.output_tokens === created.usage.output_tokens);
  assert.match(created.request, /^req_/);
  assert.match(streamed.request, /^req_/, "the edge worker lets the page read it");
  assert.deepEqual(streamed.events.slice(0, 2), ["message_start", "content_block_start"]);
  clean();
});

test("Anthropic SDK: a raw stream", async () => {
  script({ content: WORDS });
  assert.deepEqual(await run("anthropic", "raw"), ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop"]);
  clean();
});

test("Anthropic SDK: a stream is stopped", async () => {
  script({ content: WORDS.repeat(20), pauseAfter: { n: 6, gate: "never" } });
  assert.equal((await run("anthropic", "stopped")).message, "Request was aborted.");
});

test("Anthropic SDK: errors keep their class, and passing ones are tried again", async () => {
  for (const [status, type] of [[400, "invalid_request_error"], [401, "authentication_error"], [429, "rate_limit_error"], [529, "overloaded_error"]]) {
    script({ status, type, message: "as scripted" });
    const error = await run("anthropic", "failed");
    assert.deepEqual([error.status, error.type], [status, type]);
    assert.match(error.message, /as scripted/);
    assert.match(error.request, /^req_/);
  }
  script({ status: 529, type: "overloaded_error", headers: { "retry-after-ms": "1" } }, { status: 429, type: "rate_limit_error", headers: { "retry-after-ms": "1" } }, { content: "third time" });
  assert.equal(await run("anthropic", "retried"), "third time");
});

test("Anthropic SDK: structured output", async () => {
  script({ content: '{"city":"Porto"}' });
  assert.deepEqual(await run("anthropic", "structured", SCHEMA), { city: "Porto" });
  clean();
});

test("Anthropic SDK: token counts and models", async () => {
  assert.ok((await run("anthropic", "counts")) > 0);
  const { list, one, missing } = await run("anthropic", "models");
  assert.equal(one, "claude-sonnet-5-5");
  assert.ok(list.includes(one));
  assert.equal(missing.status, 404);
  // Asked for three at a time, all of them come, page by page.
  assert.ok(list.length > 3);
  assert.equal(new Set(list).size, list.length);
  assert.equal(fake.journal.filter(({ path }) => path === "/v1/models").length, Math.ceil(list.length / 3));
});

test("AI SDK: an answer, whole and streamed", async () => {
  script({ content: WORDS }, { content: WORDS });
  const { text, input, output, finishReason } = await run("aiSdk", "generate");
  assert.deepEqual([text, finishReason], [WORDS, "stop"]);
  assert.ok(input > 0 && output > 0);
  const streamed = await run("aiSdk", "stream");
  assert.deepEqual([streamed.text, streamed.finishReason], [WORDS, "stop"]);
  assert.ok(streamed.pieces > 1);
  clean();
});

test("AI SDK: structured output, and an error", async () => {
  script({ content: '{"city":"Porto"}' }, { status: 400, type: "invalid_request_error", message: "as scripted" });
  assert.deepEqual(await run("aiSdk", "structured", SCHEMA), { city: "Porto" });
  const error = await run("aiSdk", "failed");
  assert.equal(error.status, 400);
  assert.match(error.message, /as scripted/);
});

for (const [sdk, name] of [["anthropic", "Anthropic SDK"], ["aiSdk", "AI SDK"]]) {
  test(`${name}: its tool loop runs Claude's code in the sandbox`, async () => {
    script({ content: [CODE, WRONG] }, { content: "42, then." });
    const answer = await run(sdk, "runsCode");
    assert.equal(answer.text ?? answer, "42, then.");
    const [first, second] = fake.journal.map(({ body }) => body);
    assert.equal(first.tools[0].name, "run_javascript");
    const results = second.messages.at(-1).content;
    assert.deepEqual(results.map(({ tool_use_id }) => tool_use_id), ["toolu_c", "toolu_d"]);
    assert.deepEqual(results.map(({ is_error }) => is_error ?? false), [false, true]);
    // Both put `Error: ` or the error's name before whatever a tool throws, or nothing.
    const texts = results.map(({ content }) => (typeof content === "string" ? content : content.map(({ text }) => text).join("")));
    assert.equal(texts[0], RESULTS[0]);
    assert.ok(texts[1].endsWith(RESULTS[1]), texts[1]);
    clean();
  });
}
