// The kept index in a browser: a large memory opens from it, answers as before, and reads its records where it is damaged.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Bare } from "./bare.mjs";
import { openBrowser } from "./browser.mjs";

const MANY = 1_200;
const QUESTIONS = ["what did we see on day 77?", "where is the lighthouse?", "how many miles was it, 333?", "zebra"];

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

/** A page that has the memory open; `more` are further options. */
async function visit(more = {}) {
  const page = await context.newPage();
  await page.goto(bare.url);
  await page.locator("body[data-ready=true]").waitFor({ state: "attached" });
  await page.evaluate(async (more) => {
    const ended = (request) => new Promise((resolve, reject) => ((request.onsuccess = () => resolve(request.result)), (request.onerror = () => reject(request.error))));
    globalThis.memory = await globalThis.createMemory({ database: "opening", ...more });
    globalThis.answers = async (questions) => {
      const found = [];
      for (const question of questions) found.push((await memory.recall(question, { level: "loose", limit: 20 })).map(({ record, score }) => [record, score]));
      return found;
    };
    /** Until all is kept but what a start reads one by one. */
    globalThis.untilKept = async () => {
      for (;;) {
        const { segments, unkept } = (await memory.status()).keptIndex;
        if (segments > 0 && unkept < 64) return;
        await new Promise((done) => setTimeout(done, 100));
      }
    };
    globalThis.segments = async (change) => {
      const database = await ended(indexedDB.open("opening"));
      const store = database.transaction("segments", "readwrite").objectStore("segments");
      const found = [];
      for (const key of await ended(store.getAllKeys())) {
        const segment = await ended(store.get(key));
        const bytes = segment.bytes ?? segment.sealed;
        found.push({ name: key[2], text: new TextDecoder("latin1").decode(bytes), isSealed: "sealed" in segment });
        if (change && key[2] !== "manifest") {
          bytes[bytes.length >> 1] ^= 1;
          await ended(store.put(segment, key));
        }
      }
      database.close();
      return found;
    };
  }, more);
  return page;
}

test("a large memory opens from segments, from records where they are damaged, and answers the same", async () => {
  let page = await visit();
  await page.evaluate(async (many) => {
    const said = (i) => ({ role: i % 2 ? "assistant" : "user", text: `On day ${i} we saw ${["a lighthouse", "two whales", "the canary"][i % 3]} after ${i * 3} miles.` });
    await memory.remember(Array.from({ length: many }, (_, i) => said(i)));
    await memory.import(Array.from({ length: 100 }, (_, i) => `- The lighthouse number ${i} is ${20 + i} metres high`).join("\n"));
  }, MANY);
  const expected = await page.evaluate((questions) => answers(questions), QUESTIONS);
  assert.ok(expected[0].length > 0 && expected[1].length > 0);
  const { keptIndex, counts } = await page.evaluate(() => untilKept().then(() => memory.status()));
  assert.equal(keptIndex.used, false);
  assert.equal(keptIndex.reason, null);
  const kinds = await page.evaluate(async () => {
    const heard = [];
    memory.subscribe((event) => event.type === "changed" && heard.push(...event.kinds));
    await memory.remember([{ role: "user", text: "The canary sings at noon." }]);
    return heard;
  });
  assert.ok(!kinds.includes("segment"), "nobody hears of the kept index");
  const later = await page.evaluate((questions) => answers(questions), QUESTIONS);
  await page.close();

  page = await visit();
  const opened = await page.evaluate(() => memory.status());
  assert.equal(opened.keptIndex.used, true);
  assert.deepEqual(opened.counts, { ...counts, sessions: counts.sessions + 1, turns: MANY + 1, jobs: opened.counts.jobs });
  assert.deepEqual(await page.evaluate((questions) => answers(questions), QUESTIONS), later);
  const report = await page.evaluate(() => memory.check());
  assert.deepEqual(report.findings, []);
  assert.ok((await page.evaluate(() => segments(true))).some(({ text }) => text.includes("canary")), "terms are kept as they are");
  await page.close();

  page = await visit();
  const damaged = (await page.evaluate(() => memory.status())).keptIndex;
  assert.deepEqual([damaged.used, damaged.reason], [false, "segment_damaged"]);
  assert.deepEqual(await page.evaluate((questions) => answers(questions), QUESTIONS), later);
  await page.evaluate(() => untilKept());
  await page.close();

  page = await visit();
  assert.equal((await page.evaluate(() => memory.status())).keptIndex.used, true, "it was kept anew");
  assert.deepEqual(await page.evaluate((questions) => answers(questions), QUESTIONS), later);
  await page.close();
});

test("an encrypted memory has its segments sealed and opens from them once it has its key", async () => {
  let page = await visit();
  const expected = await page.evaluate((questions) => answers(questions), QUESTIONS);
  await page.evaluate(async () => {
    await memory.encryption.enable({ passphrase: "correct horse" });
    while ((await memory.encryption.status()).state !== "sealed") await new Promise((done) => setTimeout(done, 20));
    await untilKept();
  });
  const stored = await page.evaluate(() => segments());
  assert.ok(stored.length > 1 && stored.every(({ isSealed, text }) => isSealed && !text.includes("canary") && !text.includes("maker")));
  await page.close();

  page = await visit();
  assert.equal((await page.evaluate(() => memory.status())).locked, true);
  await page.evaluate(() => memory.encryption.unlock({ passphrase: "correct horse" }));
  assert.equal((await page.evaluate(() => memory.status())).keptIndex.used, true);
  assert.deepEqual(await page.evaluate((questions) => answers(questions), QUESTIONS), expected);
  const receipt = await page.evaluate(async () => memory.erase({ session: (await memory.sessions.list())[0].id }));
  assert.ok(receipt.erased.segment > 1 && receipt.left === 0, JSON.stringify(receipt));
  await page.close();
});
