// Memory in a system message behind the person's, over the whole path and against the strict fake, whose account binds thinking.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Bare } from "./bare.mjs";
import { openBrowser } from "./browser.mjs";

const N = 20;
let bare;
let context;
before(async () => {
  bare = await Bare.start({ standIn: false });
  context = await openBrowser(bare.profile);
});
after(async () => {
  await context?.close();
  await bare?.end();
});

const isRead = ({ body }) => Boolean(body.output_config?.format);
const chats = () => bare.fake.journal.filter((entry) => entry.path === "/v1/messages" && entry.body && !isRead(entry)).map((entry) => entry.body);
const violations = () => bare.fake.journal.flatMap((entry) => entry.violations);
/** Answers of some 1,000 characters, as in a real conversation; each runs a tool first. */
const words = (n) => Array.from({ length: 25 }, (_, at) => `Sentence ${at} of answer ${n} says a little more about it.`).join(" ");
const replies = (from, to) => Array.from({ length: to - from }, (_, at) => from + at).flatMap((n) => [
  { content: [{ type: "thinking", thinking: `Let me see ${n}.` }, { type: "tool_use", name: "add", input: { a: n, b: 1 } }] },
  { content: [{ type: "thinking", thinking: `Now I know ${n}.` }, { type: "text", text: words(n) }] },
]);
function script(...entries) {
  bare.fake.reset();
  bare.fake.script([
    { match: isRead, reply: { content: '{"facts":[]}' }, times: Infinity },
    ...entries.map((reply) => ({ match: (request) => !isRead(request), reply })),
  ]);
}

const openPage = async () => {
  const page = await context.newPage();
  await page.goto(bare.url);
  await page.locator("body[data-ready=true]").waitFor({ state: "attached" });
  return page;
};

/** In a page: asks so many questions about the boat in one session, and gives what was told of memory and usage. */
async function talk({ options, model, session, from, to }) {
  const memory = await globalThis.createMemory(options);
  if (!session) for (const text of ["my boat is called Aurora and lies in Porto", "good morning"]) await memory.remember([{ role: "user", text }]);
  const tools = [{
    name: "add",
    inputSchema: { type: "object", additionalProperties: false, required: ["a", "b"], properties: { a: { type: "integer" }, b: { type: "integer" } } },
    run: ({ a, b }) => String(a + b),
  }];
  const chat = memory.chat({ tools, model, ...(session && { session }) });
  const [told, usages] = [[], []];
  for (let n = from; n < to; n++) {
    for await (const event of chat.send(`Question ${n}: is my boat Aurora still in Porto, and what is ${n} + 1?`)) {
      if (event.type === "memory") told.push({ place: event.place, block: event.block });
      if (event.type === "usage") usages.push(event.tokens);
    }
  }
  const preview = await memory.block("is my boat Aurora still in Porto?");
  memory.close();
  return { session: chat.session, told, usages, preview };
}

test("twenty turns with tools and a block on each are read from the cache, and no thinking is lost", async () => {
  script(...replies(0, N));
  const options = { database: "scoped", recall: { place: "system" } };
  const first = await (await openPage()).evaluate(talk, { options, from: 0, to: N / 2 });
  const second = await (await openPage()).evaluate(talk, { options, session: first.session, from: N / 2, to: N });
  const told = [...first.told, ...second.told];
  assert.equal(told.length, N);
  for (const { place, block } of told) {
    assert.equal(place, "system");
    assert.match(block, /^<memory_update>[^]*Aurora and lies in Porto/, "all that fits, on every turn");
  }
  assert.equal(first.preview.place, "system");

  const usages = [...first.usages, ...second.usages];
  assert.equal(usages.length, 2 * N);
  const later = usages.slice(4);
  const sum = (name) => later.reduce((sum, tokens) => sum + tokens[name], 0);
  const [read, all] = [sum("cacheRead"), sum("cacheRead") + sum("cacheWrite") + sum("input")];
  assert.ok(read / all >= 0.9, `${((100 * read) / all).toFixed(1)} % of the input came from the cache`);

  const bodies = chats();
  const { messages } = bodies.at(-1);
  const copies = messages.filter((message) => message.role === "system");
  assert.equal(copies.length, 2 * N, "behind each question, and again behind its results");
  assert.ok(copies.every((message) => message.clear_at === "next_user_message"));
  for (const [at, body] of bodies.slice(1).entries()) {
    const plain = (messages) => JSON.stringify(messages, (name, value) => (name === "cache_control" ? undefined : value));
    assert.equal(plain(body.messages.slice(0, bodies[at].messages.length)), plain(bodies[at].messages), `request ${at + 1} begins as the one before`);
  }
  const thoughts = messages.flatMap(({ content }) => (typeof content === "string" ? [] : content)).filter((block) => block.type === "thinking");
  assert.equal(thoughts.length, 2 * N - 1);
  assert.ok(bodies.every((body) => body.thinking === undefined), "no request gave leave to drop thinking");
  assert.deepEqual(violations(), []);
});

test("a model without such messages, and a page without the option, put memory before the words", async () => {
  for (const [database, recall, model] of [["scoped-sonnet", { place: "system" }, "claude-sonnet-5"], ["scoped-not", undefined, undefined]]) {
    script(...replies(0, 1));
    const { told, preview } = await (await openPage()).evaluate(talk, { options: { database, recall, ...(model && { model }) }, model, from: 0, to: 1 });
    assert.deepEqual(told.map(({ place }) => place), ["user"], database);
    assert.equal(preview.place, "user");
    const roles = new Set(chats().flatMap((body) => body.messages.map(({ role }) => role)));
    assert.deepEqual([...roles], ["user", "assistant"]);
    assert.deepEqual(violations(), []);
  }
});

test("a place that is none is refused with its name", async () => {
  const refused = await (await openPage()).evaluate(() =>
    globalThis.createMemory({ database: "nowhere", recall: { place: "margin" } }).then(() => "opened", ({ code, message }) => `${code} ${message}`));
  assert.match(refused, /^invalid_input .*recall\.place/);
});
