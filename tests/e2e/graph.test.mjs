// A memory that asks for a graph: it is built in a worker of its own while the chat goes on, and recall goes by it.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { say, World } from "./world.mjs";

let world;
before(async () => (world = await World.start({ standIn: true })));
after(() => world?.end());
beforeEach(() => world.newProfile());
afterEach(() => world.closeBrowser());

test("the graph of a large memory is built beside the engine, and recall uses it", async () => {
  const page = await world.openPage();
  const built = await page.evaluate(async () => {
    const memory = await globalThis.memory.constructor.open({ database: "large", index: "hnsw" });
    const before = (await memory.status()).index;
    const colours = ["red", "green", "blue", "black", "white", "brown", "grey", "pink"];
    const text = (i) => `boat ${i} is called ${"ABCDEFGHIJKLMNOPQRSTUVWXYZ"[i % 26]}urora and its hull is ${colours[i % 8]}, berth ${i * 7}`;
    await memory.remember(Array.from({ length: 1_200 }, (_, i) => ({ role: "user", text: text(i) })));
    let status;
    do {
      await new Promise((resolve) => setTimeout(resolve, 100));
      status = await memory.status();
    } while (status.index.sealed < 1_000);
    const [item] = await memory.recall("which boat lies at berth 4907?");
    memory.close();
    return { before, after: status.index, found: item.turn.text };
  });
  assert.deepEqual(built.before, { vectors: 0, sealed: 0, uses: "scan", reason: null });
  assert.equal(built.after.uses, "hnsw");
  assert.ok(built.after.vectors >= built.after.sealed);
  assert.match(built.found, /boat 701 /);
  // The page's own memory never noticed.
  await say(page, "hello");
  assert.equal((await page.evaluate(() => globalThis.memory.status())).index.uses, "scan");
});
