// A session that grows long is shortened, over the whole path and against the strict fake.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Bare } from "./bare.mjs";
import { openBrowser } from "./browser.mjs";

let bare;
let context;
/** What the API answers next to a request for a summary, if not one. */
const apiSummaries = [];
before(async () => {
  bare = await Bare.start({ standIn: false });
  context = await openBrowser(bare.profile);
  const isSummary = ({ body }) => typeof body.messages[0].content === "string" && !body.output_config?.format;
  const asksApi = ({ body }) => Boolean(body.compaction);
  bare.fake.script([
    { match: ({ body }) => Boolean(body.output_config?.format), reply: { content: '{"facts":[]}' }, times: Infinity },
    { match: isSummary, reply: { content: "They count crates of quinces." }, times: Infinity },
    { match: asksApi, reply: () => apiSummaries.shift() ?? { content: [{ type: "compaction", content: "They count crates." }] }, times: Infinity },
    { match: ({ body }) => !body.output_config?.format && !isSummary({ body }), reply: { content: [{ type: "thinking", thinking: "Hm." }, { type: "text", text: "Noted." }] }, times: Infinity },
  ]);
});
after(async () => {
  await context?.close();
  await bare?.end();
});

const bodies = () => bare.fake.journal.filter((entry) => entry.path === "/v1/messages" && entry.body !== null).map((entry) => entry.body);
const chats = () => bodies().filter((body) => Array.isArray(body.messages[0].content));
const summaries = () => bodies().filter((body) => typeof body.messages[0].content === "string" && !body.output_config?.format);
const texts = (body) => body.messages.flatMap((message) => message.content.flatMap((block) => block.text ?? []));

/** In a page: opens a memory, says so many things in one session, and gives what was told. */
async function talk({ options, session, from, to, compact }) {
  const memory = await globalThis.createMemory(options);
  const chat = memory.chat(session ? { session } : {});
  const events = [];
  const compacted = compact && (await chat.compact(compact));
  for (let n = from; n < to; n++) for await (const event of chat.send(`remark ${n}: the cellar holds ${n + 40} crates of quinces`)) events.push(event);
  const { turns } = await memory.turns.list({ session: chat.session });
  memory.close();
  return { session: chat.session, turns: turns.length, compacted, events: events.filter(({ type }) => ["compaction", "notice", "cleared"].includes(type)) };
}

const openPage = async () => {
  const page = await context.newPage();
  await page.goto(bare.url);
  await page.locator("body[data-ready=true]").waitFor({ state: "attached" });
  return page;
};

test("the oldest turns give way to a summary, which a new page sends the same", async () => {
  const options = { database: "long", compaction: { strategy: "summary", everyTurns: 8, keepTurns: 2 } };
  const first = await (await openPage()).evaluate(talk, { options, from: 0, to: 5 });
  assert.deepEqual(first.events, [
    { type: "compaction", state: "started", strategy: "summary" },
    { type: "compaction", state: "finished", strategy: "summary", turns: 6 },
  ]);
  assert.equal(first.turns, 10, "all of them stay stored");
  assert.equal(summaries().length, 1);
  const [shortened] = chats().slice(-1);
  const said = texts(shortened);
  assert.match(said[0], /^<earlier_in_this_conversation>[^]*They count crates of quinces\./);
  const remarks = said.filter((text) => text.startsWith("remark")).map((text) => text.slice(0, 8));
  assert.deepEqual(remarks, ["remark 3", "remark 4"]);
  // What was left out comes back where it fits, as what was said in other sessions does.
  assert.ok(said.some((text) => text.startsWith("<memory_update>") && text.includes("remark 2")), said.join("\n"));

  const again = await (await openPage()).evaluate(talk, { options, session: first.session, from: 5, to: 6 });
  assert.deepEqual(again.events, []);
  const [grown] = chats().slice(-1);
  assert.deepEqual(texts(grown).slice(0, said.length), said);
  assert.deepEqual(bare.fake.journal.flatMap((entry) => entry.violations), []);
});

const summaryRequests = () => bodies().filter((body) => body.compaction);
const thoughts = (body) => body.messages.flatMap(({ content }) => content).filter(({ type }) => type === "thinking").length;

test("the API sums up what it is asked to, its block comes first from then on, and thinking behind it stays valid", async () => {
  const options = { database: "on-demand", model: "claude-haiku-5-5", compaction: { strategy: "server", everyTurns: 8, keepTurns: 2 } };
  const first = await (await openPage()).evaluate(talk, { options, from: 0, to: 5 });
  assert.deepEqual(first.events, [
    { type: "compaction", state: "started", strategy: "server" },
    { type: "compaction", state: "finished", strategy: "server", turns: 6 },
  ]);
  assert.equal(summaryRequests().length, 1);
  const [shortened] = chats().slice(-1);
  const block = shortened.messages[0].content[0];
  assert.deepEqual([block.type, block.content, typeof block.signature], ["compaction", "They count crates.", "string"]);
  assert.deepEqual(texts(shortened).filter((text) => text.startsWith("remark")).map((text) => text.slice(0, 8)), ["remark 3", "remark 4"]);
  assert.equal(thoughts(shortened), 1, "of what was kept");

  const again = await (await openPage()).evaluate(talk, { options, session: first.session, from: 5, to: 7 });
  assert.deepEqual(again.events, []);
  const [grown] = chats().slice(-1);
  assert.deepEqual(grown.messages[0].content, [block]);
  assert.equal(thoughts(grown), 3);
  assert.deepEqual(bare.fake.journal.flatMap((entry) => entry.violations), []);
});

test("a page compacts when it wants to, and hears why there is no summary", async () => {
  const options = { database: "at-will", model: "claude-sonnet-5-5", compaction: { strategy: "server", keepTurns: 2 } };
  const first = await (await openPage()).evaluate(talk, { options, from: 0, to: 3 });
  assert.ok(chats().at(-1).context_management.edits.some(({ type }) => type === "compact_20260112"), "by itself, until it is asked");
  const second = await (await openPage()).evaluate(talk, { options, session: first.session, compact: {}, from: 3, to: 5 });
  assert.deepEqual(second.compacted, { strategy: "server", turns: 4, problem: null });
  assert.equal(chats().at(-1).messages[0].content[0].type, "compaction");
  assert.ok(!chats().at(-1).context_management?.edits.some(({ type }) => type === "compact_20260112"));
  assert.deepEqual(bare.fake.journal.flatMap((entry) => entry.violations), []);

  apiSummaries.push({ status: 400, type: "invalid_request_error", details: { error_code: "compaction_tool_changes_mismatch" } });
  const third = await (await openPage()).evaluate(talk, { options, session: first.session, compact: {}, from: 5, to: 6 });
  assert.deepEqual([third.compacted.strategy, third.compacted.problem.code, third.compacted.problem.kind], ["window", "compaction_failed", "tool_changes_mismatch"]);
  const said = texts(chats().at(-1));
  assert.match(said[0], /^<earlier_in_this_conversation>[^]*They count crates\./, "what was summed up before still holds for its part");
  const nothing = await (await openPage()).evaluate(talk, { options, session: first.session, compact: { keepTurns: 50 }, from: 6, to: 7 });
  assert.equal(nothing.compacted, null);
  assert.deepEqual(bare.fake.journal.flatMap((entry) => entry.violations), []);
});

test("a summary that the API does not take back becomes a text", async () => {
  const options = { database: "refused-back", model: "claude-haiku-5-5", compaction: { strategy: "server", keepTurns: 2 } };
  const first = await (await openPage()).evaluate(talk, { options, from: 0, to: 3 });
  // Signed by keys that this API does not know.
  apiSummaries.push({ content: [{ type: "compaction", content: "They count crates.", signature: "c2ln" }] });
  const second = await (await openPage()).evaluate(talk, { options, session: first.session, compact: {}, from: 3, to: 5 });
  assert.equal(second.compacted.strategy, "server");
  const last = chats().at(-1);
  assert.match(texts(last)[0], /^<earlier_in_this_conversation>[^]*They count crates\./);
  const rules = bare.fake.journal.flatMap((entry) => entry.violations).map(({ message }) => message);
  assert.equal(rules.length, 1, "once");
  assert.match(rules[0], /signature: invalid/);
});

test("a setting that can not be is refused with its name", async () => {
  const refused = await (await openPage()).evaluate(async () => {
    const tries = [{ strategy: "forget" }, { keepTurns: 0 }, { strategy: "server", atTokens: 10_000 }];
    return Promise.all(tries.map((compaction) => globalThis.createMemory({ database: "refused", compaction }).then(() => "opened", ({ code, message }) => `${code} ${message}`)));
  });
  for (const [at, field] of ["strategy", "keepTurns", "atTokens"].entries()) assert.match(refused[at], new RegExp(`^invalid_input .*compaction\\.${field}`));
});
