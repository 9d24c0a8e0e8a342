// The embedder that a host chooses: its own function, or none. Whatever it does, recall goes on, and the status tells what is so.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { prepare } from "./own-memory.mjs";
import { World } from "./world.mjs";

let world;
let page;
before(async () => (world = await World.start({ standIn: true })));
after(() => world?.end());
beforeEach(async () => {
  await world.newProfile();
  page = await world.openPage();
  await prepare(page);
});
afterEach(() => world.closeBrowser());

for (const thread of ["worker", "page"]) {
  test(`a function of the host, with the engine in a ${thread}: progress, then its own vectors answer, also after a reload`, async () => {
    const first = await page.evaluate(async (thread) => {
      const plain = await openWith("default");
      // More than one step takes.
      await talk(plain.memory, 150);
      const before = await plain.embedder();
      plain.memory.close();
      const own = wordEmbedder();
      const it = await openWith(own, { thread });
      const status = await until(it, "ready");
      const found = await lanes(it.memory, "zorblax");
      const progress = it.events.filter(({ state }) => state === "embedding").map(({ done, total, serving }) => ({ done, total, serving }));
      it.memory.close();
      return { before, status, found, progress, queries: own.queries };
    }, thread);
    assert.deepEqual(first.status, { state: "ready", id: "words" });
    assert.deepEqual(first.found, { text: "we painted the boat green", lanes: ["dense"] });
    assert.ok(first.queries.includes("zorblax"), "a question is told from what is searched");
    assert.ok(first.progress.length > 0, "progress was told");
    for (const { done, total, serving } of first.progress) {
      assert.ok(done <= total && total === 150, `${done} of ${total}`);
      assert.equal(serving, first.before.id, "the default serves meanwhile");
    }

    await page.reload();
    await page.locator("body[data-ready=true]").waitFor();
    await prepare(page);
    const second = await page.evaluate(async (thread) => {
      const own = wordEmbedder();
      const it = await openWith(own, { thread });
      await until(it, "ready");
      const found = await lanes(it.memory, "zorblax");
      it.memory.close();
      return { passages: own.passages, found };
    }, thread);
    assert.deepEqual(second.passages, [], "nothing is made or measured twice");
    assert.equal(second.found.text, "we painted the boat green");
  });
}

/** The page allows no code from strings, so the embedders that fail are named. */
const FAULTS = ["threw", "timed_out", "wrong_count", "wrong_dimensions", "not_finite", "uniform"];
for (const fault of FAULTS) {
  test(`an embedder's ${fault} is shown, and recall goes on by the default's vectors`, async () => {
    // Only here does waiting take its time; the page's clock is turned forward instead.
    if (fault === "timed_out") await page.context().route(/engine-worker.*\.js/, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `{ const real = setTimeout; globalThis.setTimeout = (f, ms) => real(f, ms / 1000); }\n${await response.text()}` });
    });
    const result = await page.evaluate(async (fault) => {
      const plain = await openWith("default");
      await talk(plain.memory);
      const { id } = await plain.embedder();
      plain.memory.close();
      const it = await openWith({ id: "bad", embed: faulty[fault] });
      const status = await until(it, "failed");
      const found = await lanes(it.memory, "what did we paint, the boat?");
      it.memory.close();
      return { id, status, found };
    }, fault);
    assert.equal(result.status.error.code, "embedder_failed");
    assert.equal(result.status.error.kind, fault);
    assert.equal(result.status.id, "bad");
    assert.equal(result.status.serving, result.id);
    assert.ok(result.found.text.includes("boat") && result.found.lanes.includes("dense"), JSON.stringify(result.found));
  });
}

test("with none chosen recall goes by words and says so", async () => {
  const result = await page.evaluate(async () => {
    const it = await openWith("none");
    await talk(it.memory, 10);
    const found = await lanes(it.memory, "the boat we painted");
    const status = await it.embedder();
    it.memory.close();
    return { status, found };
  });
  assert.deepEqual(result.status, { state: "off" });
  assert.equal(result.found.text, "we painted the boat green");
  assert.ok(result.found.lanes.includes("keyword") && !result.found.lanes.includes("dense"), result.found.lanes.join());
});

test("two tabs: one makes the vectors, both recall by them", async () => {
  const other = await world.context.newPage();
  await other.goto(world.edge.url);
  await other.locator("body[data-ready=true]").waitFor();
  await prepare(other);
  await page.evaluate(async () => {
    const plain = await openWith("default");
    await talk(plain.memory);
    plain.memory.close();
  });
  const both = await Promise.all(
    [page, other].map((tab) =>
      tab.evaluate(async () => {
        const own = wordEmbedder();
        const it = await openWith(own);
        await until(it, "ready");
        const found = await lanes(it.memory, "zorblax");
        it.memory.close();
        return { found, notes: own.passages.filter((text) => text.startsWith("note")) };
      }),
    ),
  );
  for (const { found } of both) assert.equal(found.text, "we painted the boat green");
  // 40 to 60 texts are looked at once more, to measure the embedder.
  const n = both[0].notes.length + both[1].notes.length;
  assert.ok(n <= 2 * 59, `${n} texts were embedded`);
});

test("what is not an embedder is refused at once", async () => {
  const codes = await page.evaluate(() =>
    Promise.all(
      ["best", { id: "x" }, { embed: async () => [] }, { id: "x", url: "/w.bin", bytes: 1, sha256: "zz" }].map((embedder) =>
        openWith(embedder).then(() => "taken", (error) => `${error.code}: ${error.message}`),
      ),
    ),
  );
  for (const code of codes) assert.match(code, /^invalid_input: `embedder`/);
});
