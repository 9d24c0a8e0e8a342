// Whatever fails, the words stay on the page, a message says what to do, trying again works, and nothing
// is recorded twice.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { gate } from "../fake/server.mjs";
import { remembered, say, World, write } from "./world.mjs";

let world;
let page;
before(async () => (world = await World.start()));
after(() => world?.end());
beforeEach(async () => {
  world.fake.reset();
  await world.newProfile();
  page = await world.openPage();
});
afterEach(() => world.closeBrowser());

const isChat = (request) => !request.body.output_config?.format;
const isExtraction = (request) => Boolean(request.body.output_config?.format);
const answer = (text) => ({ content: [{ type: "text", text }], stop_reason: "end_turn" });
const noFacts = { match: isExtraction, reply: { content: [{ type: "text", text: '{"facts":[]}' }], stop_reason: "end_turn" }, times: 99 };

/** Sends a message that fails as `replies` say, checks what the page shows, tries again, checks the record. */
async function failsThenWorks(text, replies, { code, says }) {
  const before = await counts();
  world.fake.script([...replies.map((reply) => ({ match: isChat, reply })), { match: isChat, reply: answer("Fine now.") }, noFacts]);
  await write(page, text);
  const problem = page.locator(".problem");
  await problem.waitFor();
  assert.equal(await problem.getAttribute("data-code"), code);
  assert.match(await problem.innerText(), says);
  assert.ok((await page.locator(".message.user").last().innerText()).includes(text), "the words stay on the page");
  assert.deepEqual((await counts()).turns, before.turns, "nothing was recorded");
  await problem.getByRole("button", { name: "Try again" }).click();
  await page.locator(".message.assistant[data-saved=true]", { hasText: "Fine now." }).waitFor();
  const after = await counts();
  assert.deepEqual([after.turns - before.turns, after.sessions - before.sessions], [2, 1], "recorded once");
  assert.equal(await page.locator(".problem").count(), 0);
}

const counts = async () => (await page.evaluate(() => globalThis.memory.status())).counts;

/** Waits until nothing is left to extract: from then on the counts stand still. */
const queueIsEmpty = () =>
  page.evaluate(async () => {
    for (;;) {
      const changed = new Promise((resolve) => {
        const stop = globalThis.memory.subscribe(() => (stop(), resolve()));
      });
      if ((await globalThis.memory.status()).counts.jobs === 0) return;
      await changed;
    }
  });

const fast = { "retry-after-ms": "1" };
const CASES = [
  ["a wrong key", [{ status: 401, type: "authentication_error" }], { code: "api", says: /401/ }],
  ["a rate limit that stays", Array(3).fill({ status: 429, type: "rate_limit_error", headers: fast }), { code: "api", says: /429/ }],
  ["an overloaded API", Array(3).fill({ status: 529, type: "overloaded_error", headers: fast }), { code: "api", says: /529/ }],
  ["a stream cut in the middle", [{ ...answer("I was going to say something long"), cut: "after-events", n: 3 }], { code: "stream_cut", says: /retry/i }],
  ["an error within the stream", [{ ...answer("I was going to"), midStreamError: { type: "overloaded_error", message: "Overloaded" } }], { code: "api", says: /529/ }],
  ["a stream that is no event stream", [{ ...answer("x"), malformedSse: true }], { code: "malformed_stream", says: /retry/i }],
  ["a refusal", [{ refusal: true }], { code: "refused", says: /declined/ }],
];
for (const [name, replies, expected] of CASES) {
  test(`${name}: the message stays, trying again works, nothing is doubled`, async () => {
    await failsThenWorks(`hello, after ${name}`, replies, expected);
  });
}

test("a rate limit that passes is waited for without bothering anybody", async () => {
  world.fake.script([{ match: isChat, reply: { status: 429, type: "rate_limit_error", headers: fast } }, { match: isChat, reply: answer("Now.") }, noFacts]);
  await say(page, "hello, once more");
  assert.equal(world.chats.length, 2);
  assert.equal(await page.locator(".problem").count(), 0);
});

test("an edge worker that is down: a clear message, and the retry works when it is back", async () => {
  const before = await counts();
  await world.stopEdge();
  await write(page, "is anybody there?");
  const problem = page.locator(".problem");
  await problem.waitFor();
  assert.equal(await problem.getAttribute("data-code"), "network");
  assert.match(await problem.innerText(), /edge worker/);
  await world.startEdgeAgain();
  world.fake.script([{ match: isChat, reply: answer("I am.") }, noFacts]);
  await problem.getByRole("button", { name: "Try again" }).click();
  await page.locator(".message.assistant[data-saved=true]", { hasText: "I am." }).waitFor();
  assert.equal((await counts()).turns - before.turns, 2);
});

test("a stopped answer leaves nothing behind and can be asked for again", async () => {
  const before = await counts();
  const held = gate();
  world.fake.script([{ match: isChat, reply: { ...answer("Once upon a time there was more to come"), pauseAfter: { n: 3, gate: held } } }, { match: isChat, reply: answer("Again.") }, noFacts]);
  await write(page, "tell me everything");
  await page.locator(".message.assistant .words", { hasText: /\w/ }).waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.locator(".problem[data-code=cancelled]").waitFor();
  assert.equal((await counts()).turns, before.turns);
  // That the API hears of it is tested with the edge worker alone: wrangler's proxy notices late.
  held.release();
  await page.getByRole("button", { name: "Try again" }).click();
  await page.locator(".message.assistant[data-saved=true]", { hasText: "Again." }).waitFor();
});

test("extraction that fails or answers rubbish is not noticed in the chat, and the job stays queued", async () => {
  world.fake.script([
    { match: isChat, reply: answer("Noted.") },
    { match: isExtraction, reply: { content: [{ type: "text", text: '{"facts":[{"type":' }], stop_reason: "max_tokens", impossible: true }, times: 50 },
  ]);
  await say(page, "my boat is called Aurora");
  await page.locator("#memory-state", { hasText: "the last try failed" }).waitFor();
  assert.equal(await page.locator(".problem").count(), 0);
  const jobs = await page.evaluate(() => globalThis.memory.queue.list());
  const job = jobs.at(-1);
  assert.deepEqual([job.state, job.attempts, job.lastError], ["waiting", 1, "malformed_stream"]);

  // The next answer is good, and the button tries now.
  world.fake.reset();
  const boat = { type: "entity", subject: "speaker", attribute: "boat", statement: "The boat is called Aurora", entities: ["Aurora"], numbers: [], turn: 0, quote: "my boat is called Aurora", confidence: "high", valid_from: null, supersedes: null };
  world.fake.script([{ match: isExtraction, reply: { content: [{ type: "text", text: JSON.stringify({ facts: [boat] }) }], stop_reason: "end_turn" }, times: 9 }]);
  await page.getByRole("button", { name: "Try now" }).click();
  await remembered(page, "The boat is called Aurora");
});

test("a panic in the engine: it is started again and everything saved is there", async () => {
  world.fake.script([{ match: isChat, reply: answer("Noted."), times: 2 }, noFacts]);
  await say(page, "the boat house code is 4471");
  await queueIsEmpty();
  const before = await counts();
  const [error, reason] = await page.evaluate(async () => {
    const restarted = new Promise((resolve) => globalThis.memory.subscribe((event) => event.type === "restarted" && resolve(event.reason)));
    const error = await globalThis.memory.crash().catch((error) => ({ code: error.code, retryable: error.retryable }));
    return [error, await restarted];
  });
  assert.deepEqual(error, { code: "engine_restarted", retryable: true });
  assert.match(reason, /^panic at src\/[\w/]+\.rs:\d+:\d+$/);
  await page.locator(".notice[data-topic=engine]").waitFor();
  assert.deepEqual(await counts(), before);
  const found = await page.evaluate(() => globalThis.memory.recall("what is the boat house code?"));
  assert.match(JSON.stringify(found), /4471/);
  await say(page, "and the chat goes on");
});
