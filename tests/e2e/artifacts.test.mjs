// A result too large for a prompt is kept in the browser, and Claude reads the parts that it needs. The whole path, against the fake.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { World } from "./world.mjs";

let world;
let page;
before(async () => {
  world = await World.start();
  world.fake.script([{ match: ({ body }) => Boolean(body.output_config?.format), reply: { content: '{"facts":[]}' }, times: Infinity }]);
  page = await world.openPage();
});
after(() => world?.end());

const call = (name, input = {}) => ({ type: "tool_use", name, input });
const chatOnly = ({ body }) => !body.output_config?.format;
const results = (body) => body.messages.at(-1).content.map((block) => block.content);
const idIn = (text) => /^\[artifact ([0-9A-Z]{26}), “log”: 55000 characters/.exec(text)?.[1];

/** Sends a message in a chat with a tool whose result is large; gives the session. */
const talk = (session, text) =>
  page.evaluate(
    async ({ session, text }) => {
      const log = Array.from({ length: 5_000 }, (_, at) => `line ${String(at).padStart(5, "0")}\n`).join("");
      const tools = [{ name: "log", inputSchema: { type: "object", additionalProperties: false, properties: {}, required: [] }, run: () => log }];
      const chat = globalThis.memory.chat({ session, tools });
      for await (const _ of chat.send(text));
      return chat.session;
    },
    { session, text },
  );

test("a large result is a reference in the prompt, and its ranges are read when they are asked for", async () => {
  let shown;
  world.fake.script([
    { match: chatOnly, reply: { content: [call("log")] } },
    // What is asked follows from the reference, as with Claude.
    { match: chatOnly, reply: ({ body }) => ((shown = results(body)[0]), { content: [call("read_artifact", { id: idIn(shown), from: 54_978, length: 1_000 })] }) },
    { match: chatOnly, reply: { content: "It ends at line 4999." } },
  ]);
  const session = await talk(null, "what does the log say last?");
  assert.ok(shown.length < 1_300, `${shown.length} characters in the prompt`);
  assert.deepEqual(results(world.chats.at(-1)), ["[characters 54978 to 55000 of 55000]\nline 04998\nline 04999\n"]);

  // After a reload the prompt has the same bytes, and the artifact is read from the disk.
  const sent = world.chats.at(-1).messages;
  await page.reload();
  await page.locator("body[data-ready=true]").waitFor();
  world.fake.script([
    { match: chatOnly, reply: { content: [call("read_artifact", { id: idIn(shown), from: 0, length: 11 })] } },
    { match: chatOnly, reply: { content: "It begins at line 0." } },
  ]);
  await talk(session, "and first?");
  const later = world.chats.at(-1);
  assert.deepEqual(unmarked(later.messages.slice(0, sent.length)), unmarked(sent));
  assert.deepEqual(results(later), ["[characters 0 to 11 of 55000]\nline 00000\n"]);

  const [artifact] = await page.evaluate(() => globalThis.memory.artifacts.list());
  assert.deepEqual([artifact.id, artifact.name, artifact.bytes, artifact.text], [idIn(shown), "log", 55_000, undefined]);
  assert.equal(artifact.reference, shown);
  // It goes with the session that it was said in.
  const left = await page.evaluate(async (session) => {
    await globalThis.memory.sessions.forget(session);
    return globalThis.memory.artifacts.list();
  }, session);
  assert.deepEqual(left, []);
});

test("a person adds a file, and its reference is what goes into a message", async () => {
  const outcome = await page.evaluate(async () => {
    const { artifacts } = globalThis.memory;
    const added = await artifacts.add("notes.txt", "größer\n".repeat(10_000));
    const { text } = await artifacts.get(added.id);
    await artifacts.remove(added.id);
    const gone = await artifacts.get(added.id).catch((error) => error.code);
    const empty = await artifacts.add("empty", "").catch((error) => error.code);
    return { added, length: text.length, gone, empty, clean: (await globalThis.memory.check()).clean };
  });
  assert.match(outcome.added.reference, /^\[artifact [0-9A-Z]{26}, “notes\.txt”: 70000 characters in all/);
  assert.deepEqual([outcome.added.turn, outcome.added.bytes, outcome.length, outcome.gone, outcome.empty, outcome.clean], [null, 90_000, 70_000, "not_found", "invalid_input", true]);
  assert.deepEqual(world.fake.unused(), []);
  assert.deepEqual(world.fake.journal.flatMap((entry) => entry.violations), []);
  assert.deepEqual(world.pageErrors ?? [], []);
});

function unmarked(value) {
  return JSON.parse(JSON.stringify(value, (key, inner) => (key === "cache_control" ? undefined : inner)));
}
