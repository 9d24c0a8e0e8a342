// Many tabs on one memory: nothing lost, nothing doubled, heard of within a second, and background work in one tab
// at a time, which another takes over when it dies.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { gate } from "../fake/server.mjs";
import { Bare } from "./bare.mjs";
import { openBrowser, until } from "./browser.mjs";

const N_TABS = 8;
const N_WRITES = 3;

const isExtraction = (request) => Boolean(request.body.output_config?.format);
const noFacts = { content: [{ type: "text", text: '{"facts":[]}' }], stop_reason: "end_turn" };

let bare;
let context;
before(async () => (bare = await Bare.start()));
after(() => bare?.end());
let database = 0;
beforeEach(async () => {
  bare.fake.reset();
  database += 1;
  context = await openBrowser(bare.profile);
});
afterEach(() => context.close());

/** A tab with the memory open. It notes when it hears of what other tabs wrote. */
async function openTab() {
  const page = await context.newPage();
  await page.goto(bare.url);
  await page.locator("body[data-ready=true]").waitFor({ state: "attached" });
  await page.evaluate(async (database) => {
    globalThis.memory = await globalThis.createMemory({ database });
    globalThis.heard = [];
    globalThis.memory.subscribe((event) => {
      if (event.type === "changed" && event.elsewhere && event.kinds.includes("turn")) globalThis.heard.push(Date.now());
    });
  }, `tabs-${database}`);
  return page;
}

const openTabs = (n) => Promise.all(Array.from({ length: n }, openTab));
const counts = (page) => page.evaluate(async () => (await globalThis.memory.status()).counts);

test(`${N_TABS} tabs that write at once lose and double nothing`, async () => {
  // The queue waits until all is written and looked through.
  const held = gate();
  bare.fake.script([{ match: isExtraction, reply: { ...noFacts, slowFirstByte: held } }, { match: isExtraction, reply: noFacts, times: 999 }]);
  const tabs = await openTabs(N_TABS);
  const shared = await tabs[0].evaluate(async () => (await globalThis.memory.remember([{ role: "user", text: "shared 0" }])).session);
  // Each writes into a session of its own, and all into one: where two meet, one hears of the conflict and says it again.
  const write = async ({ tab, nWrites, shared }) => {
    let own;
    let nConflicts = 0;
    for (let n = 0; n < nWrites; n++) {
      own = (await globalThis.memory.remember([{ role: "user", text: `own ${tab} ${n}` }], own ? { session: own } : {})).session;
      for (let again = true; again; ) {
        again = false;
        try {
          await globalThis.memory.remember([{ role: "user", text: `shared ${tab} ${n}` }], { session: shared });
        } catch (error) {
          if (error.code !== "conflict" || !error.retryable) throw error;
          again = true;
          nConflicts += 1;
        }
      }
    }
    return nConflicts;
  };
  const conflicts = await Promise.all(tabs.map((page, tab) => page.evaluate(write, { tab, nWrites: N_WRITES, shared })));
  const expected = ["shared 0"];
  for (let tab = 0; tab < N_TABS; tab++) {
    for (let n = 0; n < N_WRITES; n++) expected.push(`own ${tab} ${n}`, `shared ${tab} ${n}`);
  }
  for (const page of tabs) {
    const texts = await page.evaluate(async () => {
      const sessions = await globalThis.memory.sessions.list();
      const turns = await Promise.all(sessions.map(({ id }) => globalThis.memory.sessions.turns(id)));
      return turns.flat().map((turn) => turn.text);
    });
    assert.deepEqual(texts.sort(), [...expected].sort());
  }
  const report = await tabs[3].evaluate(() => globalThis.memory.check());
  assert.deepEqual(report.findings, []);
  assert.equal(report.records.session, N_TABS + 1);
  held.release();
  assert.ok(conflicts.some((n) => n > 0), "no two tabs ever met: nothing was shown");
});

test("every other tab knows of a commit within a second", async () => {
  const tabs = await openTabs(4);
  const before = await counts(tabs[0]);
  const saved = await tabs[0].evaluate(async () => {
    await globalThis.memory.remember([{ role: "user", text: "the boat house code is 4471" }]);
    return Date.now();
  });
  for (const page of tabs.slice(1)) {
    await page.waitForFunction(() => globalThis.heard.length > 0);
    const [heard] = await page.evaluate(() => globalThis.heard);
    assert.ok(heard - saved < 1_000, `heard after ${heard - saved} ms`);
    assert.equal((await counts(page)).turns, before.turns + 1);
    const found = await page.evaluate(() => globalThis.memory.recall("what is the boat house code?"));
    assert.match(JSON.stringify(found), /4471/);
  }
});

test("a tab that did not hear of commits catches up when it is looked at again", async () => {
  const [one, deaf] = await openTabs(2);
  // As a browser does with a page that it froze: the messages are gone.
  await deaf.addInitScript(() => {
    globalThis.BroadcastChannel = class {
      postMessage() {}
      close() {}
    };
  });
  await deaf.reload();
  await deaf.locator("body[data-ready=true]").waitFor({ state: "attached" });
  await deaf.evaluate(async (database) => {
    globalThis.memory = await globalThis.createMemory({ database });
  }, `tabs-${database}`);
  const before = await counts(deaf);
  await one.evaluate(() => globalThis.memory.remember([{ role: "user", text: "meanwhile" }]));
  assert.deepEqual(await counts(deaf), before);
  await deaf.evaluate(async () => {
    const changed = new Promise((resolve) => globalThis.memory.subscribe((event) => event.type === "changed" && resolve()));
    document.dispatchEvent(new Event("visibilitychange"));
    await changed;
  });
  assert.equal((await counts(deaf)).turns, before.turns + 1);
});

/** A scripted answer, and a promise of the time at which it is asked for. */
function asked(reply) {
  let ask;
  const at = new Promise((resolve) => (ask = resolve));
  return { at, reply: () => (ask(Date.now()), reply) };
}

/** Whether a tab holds the lock of the queue. */
const isAtWork = (page) =>
  page.evaluate(() =>
    navigator.locks.request("who asks", async () => {
      const { held } = await navigator.locks.query();
      const { clientId } = held.find((lock) => lock.name === "who asks");
      return held.some((lock) => lock.name.endsWith(":jobs") && lock.clientId === clientId);
    }),
  );

for (const [name, end] of [
  ["closed", (page) => page.close()],
  // The renderer process dies as of a fault of its own.
  ["killed", async (page) => void (await context.newCDPSession(page)).send("Page.crash").catch(() => {})],
]) {
  test(`background work runs in one tab, and in another within two seconds after that one is ${name}`, async () => {
    const tabs = await openTabs(3);
    const held = gate();
    const first = asked({ ...noFacts, slowFirstByte: held });
    const second = asked(noFacts);
    bare.fake.script([{ match: isExtraction, reply: first.reply }, { match: isExtraction, reply: second.reply }, { match: isExtraction, reply: noFacts, times: 99 }]);
    await tabs[0].evaluate(() => globalThis.memory.remember([{ role: "user", text: "my boat is called Aurora" }]));
    await first.at;
    // All know of the job by now. One has taken it, not always the one that wrote it down, and no other does.
    for (const page of tabs) await until(page, async () => (await globalThis.memory.status()).counts.jobs === 1);
    assert.equal(bare.extractions.length, 1);
    const atWork = [];
    for (const page of tabs) if (await isAtWork(page)) atWork.push(page);
    assert.equal(atWork.length, 1);
    const others = tabs.filter((page) => page !== atWork[0]);
    const ended = Date.now();
    await end(atWork[0]);
    const taken = await second.at;
    assert.ok(taken - ended < 2_000, `taken over after ${taken - ended} ms`);
    for (const page of others) await until(page, async () => (await globalThis.memory.status()).counts.jobs === 0);
    assert.equal(bare.extractions.length, 2, "exactly one of the two took it");
    held.release();
  });
}
