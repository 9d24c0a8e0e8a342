// `onhand/index` of the packed package, bundled into a page of its own, in a real browser.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { after, before, test } from "node:test";
import { openBrowser } from "../e2e/browser.mjs";
import { bundle, newProject } from "./project.mjs";

const stops = [];
let dist;
let context;
let address;
before(async () => {
  const project = await newProject();
  stops.push(project.remove);
  dist = await bundle(project, await readFile(new URL("vector-index.page.js", import.meta.url), "utf8"));
  const types = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
  const server = createServer(async (request, response) => {
    const path = request.url === "/" ? "/index.html" : new URL(request.url, "http://x").pathname;
    const file = await readFile(join(dist, path)).catch(() => null);
    response.writeHead(file ? 200 : 404, { "content-type": types[extname(path)] ?? "text/plain" }).end(file ?? "");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  stops.push(() => new Promise((resolve) => server.close(resolve)));
  address = `http://127.0.0.1:${server.address().port}/`;
  const profile = await mkdtemp(join(tmpdir(), "onhand-profile-"));
  stops.push(() => rm(profile, { recursive: true, force: true }));
  context = await openBrowser(profile);
  stops.push(() => context.close());
});
after(async () => {
  for (const stop of stops.reverse()) await stop();
});

async function openPage(prepare = async () => {}) {
  const page = await context.newPage();
  await prepare(page);
  await page.goto(address);
  await page.waitForFunction(() => globalThis.ready);
  return page;
}

test("it finds, filters, removes and refuses as it says, with both builds", async () => {
  const answers = [];
  for (const line of ["", "WebAssembly.validate = () => false;"]) {
    const loaded = [];
    const page = await openPage(async (page) => {
      page.on("request", (request) => request.url().endsWith(".wasm") && loaded.push(new URL(request.url()).pathname));
      await page.addInitScript(line);
    });
    answers.push(await page.evaluate(() => globalThis.findsAndRefuses()));
    assert.equal(loaded.length, 1, `one build is loaded: ${loaded}`);
    await page.close();
  }
  const [{ wrong, ...simd }, { wrong: _, ...scalar }] = answers;
  assert.deepEqual(wrong, [], "against a loop over all vectors");
  assert.deepEqual(simd, scalar, "both builds answer the same, bit by bit");
  assert.deepEqual(simd.refused, ["wrong_dimensions", "not_a_direction", "not_a_direction", "duplicate_id", "invalid_input", "unsupported_dimensions", "not_an_index", "corrupt_rows"]);
  assert.equal(simd.sizeAfterRefusals, simd.sizeBeforeRefusals);
});

test("a graph is built beside the page, which goes on, and can be broken off", async () => {
  const page = await openPage();
  const sealed = await page.evaluate(() => globalThis.seals());
  assert.equal(sealed.covered, sealed.size);
  assert.deepEqual(sealed.progress.at(-1), [sealed.size, sealed.size]);
  assert.ok(sealed.progress.length > 5 && sealed.progress.every(([done], at, all) => at === 0 || done > all[at - 1][0]));
  assert.ok(sealed.searchesMeanwhile > 0, "searches answer while the graph is built");
  assert.ok(sealed.agreement >= 0.98, `the graph finds ${sealed.agreement}`);
  assert.equal(sealed.choice.reason, "mode");
  assert.equal(sealed.newer, sealed.newerId);
  assert.equal(sealed.cancelled, "cancelled");
  assert.deepEqual([sealed.afterCancel.sealed, sealed.afterCancel.vectors], [0, sealed.size]);
  assert.equal(sealed.outdated, "corrupt_graph");
  await page.close();
});

test("auto measures and says what it chose and why", async () => {
  const page = await openPage();
  const { before, after } = await page.evaluate(() => globalThis.chooses());
  assert.deepEqual([before.uses, before.reason, before.measured], ["scan", "no_graph", null]);
  assert.ok(["faster", "slower", "low_recall"].includes(after.reason));
  assert.equal(after.uses, after.reason === "faster" ? "hnsw" : "scan");
  const { recall, warm, cold } = after.measured;
  assert.ok(recall > 0.9 && warm.scan > 0 && warm.hnsw > 0 && cold.scan > 0 && cold.hnsw > 0);
  await page.close();
});

test("its parts in IndexedDB outlive the page, and damage is noticed", async () => {
  const page = await openPage();
  const written = await page.evaluate(() => globalThis.persists());
  assert.deepEqual(written.afterOneInsert, ["head", "rows-00000015"]);
  await page.close();
  const next = await openPage();
  const read = await next.evaluate(() => globalThis.comesBack());
  assert.deepEqual(read.answers, written.answers);
  assert.deepEqual([read.stats.vectors, read.stats.sealed, read.stats.lostGraph], [written.stats.vectors, written.stats.sealed, false]);
  assert.equal(read.damagedRows, "corrupt_rows");
  assert.deepEqual([read.damagedGraph.lostGraph, read.damagedGraph.vectors], [true, written.stats.vectors]);
  await next.close();
});
