// An embedder that has to be loaded: it comes when the memory is open already, it is checked, and nothing passes for it.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { prepare } from "./own-memory.mjs";
import { World } from "./world.mjs";

const golden = join(fileURLToPath(import.meta.url), "../../golden");

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

/** Serves a weight file as the page's own origin would; `served` tells how often. */
async function serveWeights({ change = (bytes) => bytes, status = 200, name = "tiny" } = {}) {
  const bytes = await readFile(join(golden, "tiny-8-bit.bin"));
  const weights = { id: (JSON.parse(await readFile(join(golden, "tiny-8-bit.json"), "utf8"))).id, url: `/weights/${name}.bin`, bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  const served = { n: 0, status };
  await world.context.route(`**/weights/${name}.bin`, (route) => {
    served.n += 1;
    return route.fulfill({ status: served.status, body: served.status === 200 ? change(Buffer.from(bytes)) : "no", headers: { "content-length": String(bytes.length) } });
  });
  return { weights, served };
}

const useWeights = (weights) =>
  page.evaluate(async (weights) => {
    const it = await openWith(weights);
    const opened = await it.embedder();
    const status = await until(it, "ready", "failed");
    const found = await lanes(it.memory, "the boat we painted");
    it.memory.close();
    return { opened: opened.state, status, found, events: it.events };
  }, weights);

test("weights come after the memory is open, are told of, checked, and kept for the next time", async () => {
  await page.evaluate(async () => {
    const plain = await openWith("default");
    await talk(plain.memory);
    plain.memory.close();
  });
  const { weights, served } = await serveWeights();
  const first = await useWeights(weights);
  assert.deepEqual(first.status, { state: "ready", id: weights.id });
  const loading = first.events.filter(({ state }) => state === "loading");
  assert.ok(loading.some(({ loaded, total }) => loaded === weights.bytes && total === weights.bytes), JSON.stringify(loading));
  assert.ok(first.found.text.includes("boat"));

  const again = await useWeights(weights);
  assert.deepEqual(again.status, { state: "ready", id: weights.id });
  assert.equal(served.n, 1, "the second time they came from the cache");

  // By their address alone, in the two forms; without a checksum to go by they are fetched once more.
  const plain = await useWeights({ weights: weights.url });
  assert.deepEqual(plain.status, { state: "ready", id: weights.id });
  const wrapped = await useWeights({ weights });
  assert.deepEqual(wrapped.status, { state: "ready", id: weights.id });
});

for (const [name, { serve, expect }] of Object.entries({
  "another file than promised": { serve: { change: (bytes) => bytes.fill(7, 100, 200) }, expect: "wrong_checksum" },
  "a file that was cut off": { serve: { change: (bytes) => bytes.subarray(0, 1000) }, expect: "wrong_checksum" },
  "no file": { serve: { status: 404 }, expect: "not_loaded" },
})) {
  test(`weights that are ${name}: the default serves, under its own name`, async () => {
    const { id } = await page.evaluate(async () => {
      const plain = await openWith("default");
      await talk(plain.memory);
      const status = await plain.embedder();
      plain.memory.close();
      return status;
    });
    const { weights } = await serveWeights(serve);
    const { status, found } = await useWeights(weights);
    assert.equal(status.state, "failed");
    assert.equal(status.error.kind, expect);
    assert.deepEqual([status.id, status.serving], [weights.id, id]);
    assert.ok(found.lanes.includes("dense"));
  });
}

test("weights that are no weights, or another model's, are refused", async () => {
  const { weights } = await serveWeights();
  const other = await useWeights({ ...weights, id: "another-model" });
  assert.equal(other.status.state, "failed");
  assert.match(other.status.error.message, /ids differ/);
  const damaged = await serveWeights({ name: "damaged", change: (bytes) => bytes.fill(7, 100, 200) });
  const { status } = await useWeights({ weights: damaged.weights.url });
  assert.deepEqual([status.state, status.error.kind], ["failed", "unreadable"]);
});

test("weights that could not be fetched are fetched when the network is back", async () => {
  const { weights, served } = await serveWeights({ status: 503 });
  const states = await page.evaluate(async (weights) => {
    globalThis.waiting = await openWith(weights);
    return (await until(globalThis.waiting, "failed")).state;
  }, weights);
  assert.equal(states, "failed");
  served.status = 200;
  // The driver's own offline switch does not reach workers.
  for (const worker of page.workers()) await worker.evaluate(() => globalThis.dispatchEvent(new Event("online")));
  const status = await page.evaluate(() => until(globalThis.waiting, "ready"));
  assert.deepEqual(status, { state: "ready", id: weights.id });
});
