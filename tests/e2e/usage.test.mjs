// What it costs is shown, kept and bounded.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Bare } from "./bare.mjs";
import { openBrowser } from "./browser.mjs";
import { say, World } from "./world.mjs";

/** In a page: opens a memory and sends messages to it; gives what was told, and what was thrown. */
async function converse({ options, texts }) {
  const memory = await globalThis.createMemory(options);
  const events = [];
  let error;
  try {
    for (const text of texts) for await (const event of memory.chat().send(text)) events.push(event);
  } catch ({ code, retryable, retryAfterMs }) {
    error = { code, retryable, retryAfterMs };
  }
  const totals = Object.fromEntries(await Promise.all(["purpose", "model", "day", "session"].map(async (by) => [by, await memory.usage.totals({ by })])));
  const list = await memory.usage.list();
  const { circuits } = await memory.status();
  const { turns } = await memory.turns.list();
  memory.close();
  return { events, error, totals, list, circuits, turns: turns.length };
}

test("each answer says what it used, and the panel what today came to", async () => {
  const world = await World.start({ standIn: true });
  after(() => world.end());
  const page = await world.openPage();
  await say(page, "I'm allergic to peanuts");
  const line = page.locator(".message.assistant .usage").last();
  assert.match(await line.innerText(), /^[\d,]+ tokens in, [\d,]+ out · \d+% from the cache · \$0\.\d+$/);
  await say(page, "what do you know of me?");
  assert.match(await line.innerText(), /· [1-9]\d*% from the cache ·/, "the second request reads what the first one cached");
  await page.locator("#usage-today", { hasText: /^Today: [2-9]\d* requests, / }).waitFor();
  assert.doesNotMatch(await page.locator("#usage-today").innerText(), /null|undefined|NaN|not known/);
});

let bare;
let context;
before(async () => {
  bare = await Bare.start();
  context = await openBrowser(bare.profile);
});
after(async () => {
  await context?.close();
  await bare?.end();
});
const openPage = async () => {
  const page = await context.newPage();
  await page.goto(bare.url);
  await page.locator("body[data-ready=true]").waitFor({ state: "attached" });
  return page;
};

test("what was told of a request is what is kept of it", async () => {
  const page = await openPage();
  const { events, error, totals, list, circuits } = await page.evaluate(converse, { options: { database: "told", preset: "episodic" }, texts: ["hello"] });
  assert.equal(error, undefined);
  const told = events.find(({ type }) => type === "usage");
  const { input, cacheRead, cacheWrite, cacheWrite1h } = told.tokens;
  assert.ok(input + cacheRead + cacheWrite > 100);
  assert.ok(cacheWrite1h >= 0 && cacheWrite1h <= cacheWrite, "the answer tells how long it is cached");
  assert.ok(told.firstTextMs >= 0);
  const [kept] = list;
  assert.deepEqual([kept.tokens, kept.cost, kept.cacheShare, kept.firstTextMs], [told.tokens, told.cost, told.cacheShare, told.firstTextMs]);
  const { output } = told.tokens;
  const expected = (2 * input + 10 * output + 0.1 * cacheRead + 2.5 * (cacheWrite - cacheWrite1h) + 4 * cacheWrite1h) / 1e6;
  assert.ok(Math.abs(told.cost - expected) < 1e-12, `${told.cost} for ${expected}`);
  for (const total of Object.values(totals).map(([only]) => only)) assert.deepEqual([total.requests, total.cost, total.unpriced], [1, told.cost, 0]);
  const closed = { state: "closed", failures: 0, retryInMs: 0 };
  assert.deepEqual(circuits, { recall: closed, extraction: closed });
});

test("a total is by something that there is", async () => {
  const page = await openPage();
  const code = await page.evaluate(async () => {
    const memory = await globalThis.createMemory({ database: "told" });
    const thrown = await memory.usage.totals({ by: "colour" }).catch(({ code }) => code);
    memory.close();
    return thrown;
  });
  assert.equal(code, "invalid_input");
});

test("a day's limit holds over tabs, and nothing of what it stops is kept", async () => {
  const options = { database: "limited", dailyLimit: 0.000_5 };
  const [first, second] = [await openPage(), await openPage()];
  const one = await first.evaluate(converse, { options, texts: ["my boat is called Aurora", "and what now?"] });
  assert.equal(one.events.filter(({ type }) => type === "saved").length, 1);
  assert.deepEqual([one.error.code, one.error.retryable], ["budget_reached", true]);
  assert.ok(one.error.retryAfterMs > 0 && one.error.retryAfterMs <= 86_400_000);
  assert.equal(one.turns, 2);
  const other = await second.evaluate(converse, { options, texts: ["hello from another tab"] });
  assert.equal(other.error.code, "budget_reached");
  assert.equal(other.turns, 2);
  const unknown = await second.evaluate(() => globalThis.createMemory({ database: "limited", dailyLimit: 1, model: "claude-next-9" }).catch(({ code, message }) => `${code} ${message}`));
  assert.match(unknown, /^invalid_input .*dailyLimit.*price of the model `claude-next-9` is not known/);
});

test("a text is counted by the API, alone and in its session", async () => {
  const page = await openPage();
  const counted = await page.evaluate(async () => {
    const memory = await globalThis.createMemory({ database: "counted", preset: "episodic" });
    const chat = memory.chat();
    for await (const _ of chat.send("hello")) void _;
    const text = "how long is this?";
    const counted = [await memory.countTokens(text), await memory.countTokens({ session: chat.session, text })];
    const { estimator } = await memory.status();
    memory.close();
    return [...counted, estimator];
  });
  const [alone, inSession, estimator] = counted;
  assert.ok(alone > 0 && inSession > alone + 100, `${alone} alone, ${inSession} with what goes before it`);
  assert.equal(estimator.model, "claude-sonnet-5-5");
  assert.equal(estimator.samples, 1);
  assert.ok(estimator.factor >= 0.5 && estimator.factor <= 2.5 && estimator.meanError >= 0);
});
