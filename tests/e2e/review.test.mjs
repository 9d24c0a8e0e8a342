// The three sessions of the review demo, in the demo page: one learns a pattern, the next one applies it to other code without being
// told, and the third is so long that the API clears old results. First with every reply written down here, then as `make demo` shows it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { newestUserTexts, systemText, World } from "./world.mjs";

const PATTERN = "Reviews look for lost updates: a value is read, something is awaited, and the value is written back; first seen in inventory.js";
const PATH = "/memories/reviews/lost-update.md";
const NOTE = "# Lost update\nLook for a value that is read before an await and written after it, without a lock.\n";
const LONG = ["wallet.js", "seats.py", "ledger.js", "retry.js", "upload.py", "votes.py", "schedule.js"];

const call = (name, input) => ({ type: "tool_use", name, input });
const text = (text) => ({ type: "text", text });
const view = (path) => call("memory", { command: "view", path });
const read = (name) => call("read_sample", { name });
const sample = (name) => readFileSync(new URL(`../../www/public/samples/${name}`, import.meta.url), "utf8");
const resultsIn = (body) => body.messages.flatMap((message) => message.content).filter((block) => block.type === "tool_result");
/** What was put before the words of a message and into the system prompt. */
const memoryIn = (body) => [systemText(body), ...newestUserTexts(body).slice(0, -1)].join("\n");

/** Opens the demo as a person does, and gives what runs one step of it. */
async function openDemo(world) {
  const page = await world.openPage();
  await page.getByRole("link", { name: "Try the review demo" }).click();
  await page.waitForURL(/demo=review/);
  await page.locator("body[data-ready=true]").waitFor();
  const step = async (title) => {
    const item = page.locator("#review li", { has: page.getByRole("button", { name: title, exact: true }) });
    const from = world.chats.length;
    await item.getByRole("button").click();
    await item.locator(".took", { hasText: /requests?, (all )?answered|Not finished/ }).waitFor();
    return { told: await item.locator(".took").innerText(), requests: world.chats.slice(from) };
  };
  return { page, step };
}

let world;
let page;
let step;
before(async () => {
  world = await World.start();
  world.fake.script([{ match: ({ body }) => Boolean(body.output_config?.format), reply: { content: '{"facts":[]}' }, times: Infinity }]);
  ({ page, step } = await openDemo(world));
});
after(() => world?.end());

/** Replies to chat requests, in this order. */
const script = (...replies) => world.fake.script(replies.map((content) => ({ reply: { content: [content].flat() }, match: ({ body }) => !body.output_config?.format })));

test("session 1 learns: a fact, and a note in a memory file", async () => {
  script(
    [view("/memories")],
    [read("inventory.js")],
    [
      text("Lines 25 to 28: two orders at once both read the stock before either writes it."),
      call("remember", { type: "decision", subject: "code reviews", attribute: "what to look for", statement: PATTERN, quote: "last week we sold one item twice" }),
      call("memory", { command: "create", path: PATH, file_text: NOTE }),
    ],
    [text("It is noted for later reviews.")],
  );
  const { told, requests } = await step("Learn");
  assert.equal(requests.length, 4);
  assert.equal(resultsIn(requests[3])[1].content, sample("inventory.js"), "the tool gave the whole file");
  assert.deepEqual(resultsIn(requests[3]).map((result) => result.is_error ?? false), [false, false, false, false]);
  assert.match(told, /^4 requests, all answered by the stand-in on this machine, not by Claude\./);
  const kept = await page.evaluate(async (path) => ({ facts: await globalThis.memory.facts.list(), file: await globalThis.memory.files.read(path) }), PATH);
  assert.deepEqual(kept.facts.map((fact) => [fact.statement, fact.origin, fact.evidence.quote]), [[PATTERN, "assistant", "last week we sold one item twice"]]);
  assert.equal(kept.file.text, NOTE);
  await page.locator("#files .file", { hasText: PATH }).waitFor();
});

test("session 2 is given what session 1 learned, without being told", async () => {
  script([view("/memories")], [view(PATH)], [read("likes.py")], [text("Lines 18 to 20 lose likes: the pattern of inventory.js.")]);
  const { requests } = await step("Apply");
  const [first, , third, last] = requests;
  assert.equal(first.messages.length, 1, "nothing of session 1 is a message of session 2");
  assert.doesNotMatch(newestUserTexts(first).at(-1), /inventory|lost|twice|lock/i, "the person does not say what to look for");
  assert.ok(memoryIn(first).includes(PATTERN), `the fact is in what memory put into the prompt:\n${memoryIn(first)}`);
  assert.ok(third.messages.at(-1).content[0].content.includes("read before an await and written after it"), "the memory file is read");
  assert.equal(resultsIn(last)[2].content, sample("likes.py"));
  assert.match(await page.locator(".message.assistant .words").last().innerText(), /the pattern of inventory\.js/);
});

test("session 3 is long: old results are cleared, and memory still answers", async () => {
  const reviews = LONG.map((name, at) => (at === 0 ? [read(name)] : [text(`${LONG[at - 1]} is looked at.`), read(name)]));
  script([view("/memories")], [view(PATH)], ...reviews, [text("Done.")], [text("Lost updates, first in inventory.js.")]);
  const { told, requests } = await step("Go on for long");
  assert.equal(requests.length, 11);
  const [edit] = requests[0].context_management.edits;
  assert.deepEqual([edit.type, edit.trigger.value, edit.exclude_tools], ["clear_tool_uses_20250919", 5_000, ["memory"]]);

  // The API said that it cleared something, and how much the cache gave before that.
  const cleared = Number(/cleared up to (\d+) old results/.exec(told)?.[1]);
  assert.ok(cleared >= 2, told);
  assert.match(await page.locator(".note.notice").first().innerText(), /^Claude's API left \d+ tokens of old tool results out/);
  const share = Number(/(\d+) % of the prompt was read from the cache, until/.exec(told)?.[1]);
  assert.ok(share >= 80, told);

  // Here nothing is cleared: what is sent only grows, with every result in it.
  for (const [at, body] of requests.slice(1).entries()) {
    const earlier = requests[at].messages;
    assert.deepEqual(unmarked(body.messages.slice(0, earlier.length)), unmarked(earlier));
  }
  const given = resultsIn(requests.at(-1)).slice(2);
  assert.deepEqual(given.map((result) => result.content), LONG.map(sample));

  // Memory is whole afterwards.
  const question = requests.at(-1);
  assert.match(newestUserTexts(question).at(-1), /^Which kind of mistake/);
  assert.ok(memoryIn(question).includes(PATTERN));
  const kept = await page.evaluate(async (path) => {
    const items = await globalThis.memory.recall("what do our code reviews look for?");
    const report = await globalThis.memory.check();
    return { found: items.map((item) => item.fact?.statement), file: (await globalThis.memory.files.read(path)).text, clean: report.clean };
  }, PATH);
  assert.ok(kept.found.includes(PATTERN), JSON.stringify(kept.found));
  assert.deepEqual([kept.file, kept.clean], [NOTE, true]);
});

test("nothing was left over, refused or thrown", async () => {
  assert.deepEqual(world.fake.unused(), []);
  assert.deepEqual(world.fake.journal.flatMap((entry) => entry.violations), []);
  assert.deepEqual(world.pageErrors ?? [], []);
});

test("the demo's memory is one of its own", async () => {
  await page.getByRole("link", { name: "Leave the review demo" }).click();
  await page.locator("body[data-ready=true]").waitFor();
  assert.equal(await page.locator("#review").isVisible(), false);
  const own = await page.evaluate(async () => [(await globalThis.memory.facts.list()).length, (await globalThis.memory.sessions.list()).length]);
  assert.deepEqual(own, [0, 0]);
  await world.closeBrowser();
});

test("with the stand-in it is memory that finds: after session 1 the mistakes, and none of them without the note", async () => {
  const shown = await World.start({ standIn: true });
  try {
    const { page, step } = await openDemo(shown);
    await step("Learn");
    assert.match(await page.locator(".message.assistant .words").innerText(), /inventory\.js: nothing that my memory says to look for[^]*I noted a pattern/);
    await step("Apply");
    const words = page.locator(".message.assistant .words").last();
    assert.match(await words.innerText(), /likes\.py, lines 18 to 20: this is what my memory says to look for\./);
    const { told } = await step("Go on for long");
    assert.match(told, /^11 requests, all answered by the stand-in on this machine, not by Claude\..* cleared up to \d+ old results/);
    const all = await page.locator(".message.assistant .words").first().innerText();
    const found = LONG.filter((name) => all.includes(`${name}, lines`));
    assert.deepEqual(found, ["wallet.js", "seats.py", "votes.py"], all);
    assert.match(await words.innerText(), /Reviews look for lost updates/, "the stand-in quotes what memory put before the question");

    await page.evaluate((path) => globalThis.memory.files.remove(path), PATH);
    await step("Apply");
    assert.match(await words.innerText(), /likes\.py: nothing that my memory says to look for\./);
    assert.deepEqual(shown.fake.journal.flatMap((entry) => entry.violations), []);
    assert.deepEqual(shown.pageErrors ?? [], []);
  } finally {
    await shown.end();
  }
});

function unmarked(value) {
  return JSON.parse(JSON.stringify(value, (key, inner) => (key === "cache_control" ? undefined : inner)));
}
