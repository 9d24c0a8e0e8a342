// Writes tests/compat/vN: a store as this version leaves it, raw, and what the package tells of it.
//   node compat/write.mjs v1        needs the built package
// Once a version is released its folder is never written again.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Bare } from "../e2e/bare.mjs";
import { openBrowser } from "../e2e/browser.mjs";
import { dump, told } from "./raw.mjs";

const [version] = process.argv.slice(2);
if (!/^v\d+$/.test(version ?? "")) throw new Error("usage: node compat/write.mjs v1");
const folder = join(dirname(fileURLToPath(import.meta.url)), version);

/** In the page: a life that leaves a record of every kind. */
async function live() {
  const until = async (condition) => {
    for (;;) {
      const changed = new Promise((resolve) => {
        const stop = globalThis.memory.subscribe(() => (stop(), resolve()));
      });
      if (condition(await globalThis.memory.status())) return;
      await changed;
    }
  };
  const say = async (chat, text) => {
    for await (const _ of chat.send(text));
  };
  // An embedder of the page's own leaves a generation.
  const embed = async (texts) => texts.map((text) => Float32Array.from({ length: 16 }, (_, i) => 1 + ((text.charCodeAt(i % text.length) * 31 + text.length * (i + 1)) % 17)));
  globalThis.memory = await globalThis.createMemory({ embedder: { id: "compat-16", embed } });
  const { memory } = globalThis;
  const chat = memory.chat();
  await say(chat, "I'm allergic to peanuts; my boat is called Aurora");
  await until(({ counts }) => counts.facts > 0 && counts.jobs === 0);
  const [first, second] = await memory.facts.list();
  await memory.facts.correct(first.id, "In the person's own words: größer, 大きい, 🐚");
  await memory.facts.markStale(second.id, "no longer so");
  await memory.files.write("/memories/boat.md", "The boat leaks.\n");
  await memory.files.write("/memories/crew.md", "");
  const [found] = await memory.recall("what is my boat called?");
  await memory.judge("what is my boat called?", found.record, true);
  await memory.artifacts.add("engine.log", "started\nstopped\n");
  await memory.artifacts.add("größe.txt", "größer, 大きい, 🐚");
  const { session } = await memory.remember([{ role: "user", text: "to be erased" }]);
  await memory.sessions.forget(session);
  await say(memory.chat(), "what do you know about my boat?");
  await until(({ counts }) => counts.jobs === 0);
  await until(({ embedder }) => embedder.state === "ready");
}

const bare = await Bare.start();
const context = await openBrowser(bare.profile);
try {
  const page = await context.newPage();
  await page.goto(bare.url);
  await page.locator("body[data-ready=true]").waitFor({ state: "attached" });
  await page.evaluate(live);
  // A job that waits: from here on the API is not reached.
  bare.fake.script([{ match: (request) => Boolean(request.body.output_config?.format), reply: { status: 529, type: "overloaded_error" }, times: 99 }]);
  await page.evaluate(() => globalThis.memory.remember([{ role: "user", text: "brought by the host" }, { role: "assistant", text: "I see." }]));
  // Beside it a memory that is large enough for its index to be kept, without vectors, which there are already.
  await page.evaluate(async () => {
    const archive = await globalThis.createMemory({ project: "archive", embedder: "none" });
    await archive.remember(Array.from({ length: 510 }, (_, i) => ({ role: "user", text: `mile ${i}` })));
    while ((await archive.status()).keptIndex.segments === 0) await new Promise((done) => setTimeout(done, 100));
    archive.close();
  });
  const expected = await page.evaluate(async (told) => {
    globalThis.memory.close();
    const memory = await globalThis.createMemory();
    return (0, eval)(`(${told})`)(memory);
  }, String(told));
  const raw = await page.evaluate(dump, "onhand");
  const empty = Object.entries(raw.stores).filter(([, records]) => records.length === 0);
  if (empty.length > 0) throw new Error(`nothing was written to ${empty.map(([store]) => store)}: let the life leave some`);
  // What changes while the queue runs is not part of the promise.
  delete expected.jobs;
  await mkdir(folder, { recursive: true });
  const lines = Object.entries(raw.stores).map(([store, records]) => `  "${store}": [\n${records.map((record) => `    ${JSON.stringify(record)}`).join(",\n")}\n  ]`);
  await writeFile(join(folder, "store.json"), `{"version": ${raw.version}, "stores": {\n${lines.join(",\n")}\n}}\n`);
  await writeFile(join(folder, "told.json"), `${JSON.stringify(expected, null, 1)}\n`);
} finally {
  await context.close();
  await bare.end();
}
