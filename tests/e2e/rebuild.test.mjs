// A large memory whose kept index is gone: the page has it at once, hears how far it is read, and in the end it answers as before.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Bare } from "./bare.mjs";
import { openBrowser } from "./browser.mjs";
import { sentences } from "../recall/made.mjs";

const SESSIONS = 45;
const TURNS = 60;
const said = sentences(20261121);
const TEXTS = Array.from({ length: SESSIONS * TURNS }, () => said.next().value);
const QUESTIONS = [3, 700, 1_500, 2_690].map((i) => `What about ${TEXTS[i]}?`);

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

async function visit() {
  const page = await context.newPage();
  await page.goto(bare.url);
  await page.locator("body[data-ready=true]").waitFor({ state: "attached" });
  await page.evaluate(() => {
    const ended = (request) => new Promise((resolve, reject) => ((request.onsuccess = () => resolve(request.result)), (request.onerror = () => reject(request.error))));
    // Facts that are read out of turns meanwhile would answer, too: the lock under which that is done is held here.
    void navigator.locks.request("onhand:rebuild:me:default:jobs", () => new Promise(() => {}));
    globalThis.open = async () => {
      globalThis.memory = await globalThis.createMemory({ database: "rebuild" });
      globalThis.heard = [];
      globalThis.rebuilt = new Promise((resolve) => {
        memory.subscribe((event) => {
          if (event.type !== "rebuild") return;
          heard.push(event);
          if (event.done === event.total) resolve();
        });
      });
    };
    globalThis.answers = async (questions) => {
      const found = [];
      for (const question of questions) found.push((await memory.recall(question, { level: "loose", limit: 20 })).map(({ record, score }) => [record, score]));
      return found;
    };
    globalThis.untilKept = async () => {
      for (;;) {
        const { segments, unkept } = (await memory.status()).keptIndex;
        if (segments > 0 && unkept < 64) return;
        await new Promise((done) => setTimeout(done, 100));
      }
    };
    globalThis.loseSegments = async () => {
      const database = await ended(indexedDB.open("rebuild"));
      await ended(database.transaction("segments", "readwrite").objectStore("segments").clear());
      database.close();
    };
  });
  return page;
}

test("a large memory without its kept index answers from the newest on, and in the end as before", async () => {
  let page = await visit();
  await page.evaluate(
    async ([texts, turns]) => {
      await open();
      for (let i = 0; i < texts.length; i += turns) await memory.remember(texts.slice(i, i + turns).map((text, i) => ({ role: i % 2 ? "assistant" : "user", text })));
    },
    [TEXTS, TURNS],
  );
  const expected = await page.evaluate((questions) => answers(questions), QUESTIONS);
  const { counts } = await page.evaluate(() => untilKept().then(() => memory.status()));
  await page.evaluate(() => loseSegments());
  await page.close();

  page = await visit();
  const first = await page.evaluate(async () => {
    await open();
    const found = await memory.recall("where is the piano?", { level: "loose" });
    const { rebuilding, counts } = await memory.status();
    const said = await memory.remember([{ role: "user", text: "My zebra is called Quaxolotl." }]);
    const zebra = await memory.recall("what is my zebra called?", { level: "loose" });
    const block = await memory.block("what is my zebra called?");
    const sessions = await memory.sessions.list();
    const turns = await memory.turns.list({ session: sessions.at(-1).id });
    return { partial: found.partial, rebuilding, counts, said: said.turns, zebra: zebra[0]?.record, block: block.partial, unread: sessions.filter(({ unread }) => unread).length, turns: turns.turns.length };
  });
  const total = SESSIONS * TURNS;
  assert.equal(first.partial?.total, total);
  assert.ok(first.partial.done < total && first.rebuilding.done >= first.partial.done);
  assert.deepEqual({ ...first.counts, jobs: 0 }, { ...counts, jobs: 0 }, "what is still to be read is no loss");
  assert.equal(first.zebra, `turn:${first.said[0]}`);
  assert.ok(first.block && first.unread > 0, JSON.stringify(first));
  assert.equal(first.turns, TURNS, "what is not read for recall can be looked up");

  await page.evaluate(() => rebuilt);
  const heard = await page.evaluate(() => heard);
  assert.ok(heard.length > 4 && heard.every(({ done }, i) => i === 0 || done > heard[i - 1].done), JSON.stringify(heard));
  assert.ok(heard.slice(0, -1).every(({ done, total }) => done < total));
  const status = await page.evaluate(() => memory.status());
  assert.deepEqual([status.rebuilding, status.keptIndex.used, status.keptIndex.reason], [null, false, null]);
  const afterwards = await page.evaluate(async () => {
    const found = await memory.recall("zebra");
    await memory.erase({ session: (await memory.sessions.list())[0].id });
    return { partial: found.partial, keys: Object.keys(found).length, found: found.length, unread: (await memory.sessions.list()).filter(({ unread }) => unread).length };
  });
  assert.deepEqual(afterwards, { partial: null, keys: afterwards.found, found: afterwards.found, unread: 0 });
  assert.deepEqual(await page.evaluate((questions) => answers(questions), QUESTIONS), expected);
  assert.deepEqual((await page.evaluate(() => memory.check())).findings, []);
  await page.evaluate(() => untilKept());
  await page.close();

  page = await visit();
  const again = await page.evaluate(() => open().then(() => memory.status()));
  assert.deepEqual([again.keptIndex.used, again.rebuilding], [true, null], "it was kept anew");
  assert.deepEqual(await page.evaluate((questions) => answers(questions), QUESTIONS), expected);
  await page.close();
});

test("a memory closed while it is read leaves nothing behind, and the next one begins anew", async () => {
  let page = await visit();
  await page.evaluate(async () => {
    await open();
    await loseSegments();
    memory.close();
    await open();
    memory.close();
  });
  assert.deepEqual(await page.evaluate(() => memory.recall("zebra").catch(({ code }) => code)), "closed");
  await page.evaluate(() => open());
  const receipt = await page.evaluate(async () => memory.erase({ session: (await memory.sessions.list())[0].id }));
  assert.deepEqual([receipt.left, receipt.erased.turn], [0, TURNS]);
  const { rebuilding, counts } = await page.evaluate(() => memory.status());
  assert.deepEqual([rebuilding, counts.turns], [null, (SESSIONS - 1) * TURNS], "it waited until all was read");
  await page.close();
});
