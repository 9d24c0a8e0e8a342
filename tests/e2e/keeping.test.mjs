// Whether what is stored will stay: asking the browser, the room that is left, and a database that is gone.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { until } from "./browser.mjs";
import { remembered, say, World, write } from "./world.mjs";

let world;
before(async () => (world = await World.start({ standIn: true })));
after(() => world?.end());
beforeEach(() => world.newProfile());
afterEach(() => world.closeBrowser());

const storage = (page) => page.evaluate(async () => (await globalThis.memory.status()).storage);

/** Waits until both witnesses say how many turns are stored. */
const witnessed = (page, turns) =>
  until(
    page,
    async (turns) => {
      const name = "onhand:onhand:me:default";
      const directory = await navigator.storage.getDirectory();
      const file = await directory.getFileHandle(`${encodeURIComponent(name)}.json`).then((handle) => handle.getFile(), () => null);
      // A file that is being written anew can not be read.
      const texts = [localStorage.getItem(name), await file?.text().catch(() => null)];
      return texts.every((text) => text && JSON.parse(text).turns === turns);
    },
    turns,
  );

const deleteDatabase = (page) =>
  page.evaluate(async () => {
    globalThis.memory.close();
    await new Promise((resolve, reject) => {
      const request = indexedDB.deleteDatabase("onhand");
      request.onsuccess = resolve;
      request.onerror = reject;
    });
  });

/** Another write of the file may just be ending. */
const deleteFile = (page) =>
  until(page, async () => {
    const directory = await navigator.storage.getDirectory();
    return directory.removeEntry(`${encodeURIComponent("onhand:onhand:me:default")}.json`).then(() => true, () => false);
  });

for (const [place, clear] of [
  ["local storage", deleteFile],
  ["a file of the origin", (page) => page.evaluate(() => localStorage.clear())],
]) {
  test(`after the database is gone the page says so, by the witness in ${place}`, async () => {
    let page = await world.openPage();
    assert.equal((await storage(page)).lost, null);
    await say(page, "my boat is called Aurora");
    await remembered(page, "Aurora");
    await witnessed(page, 2);
    const { store } = await storage(page);
    assert.match(store, /^[0-9A-Z]{26}$/);
    await deleteDatabase(page);
    await clear(page);
    await page.reload();
    const notice = page.locator(".notice[data-topic=lost]");
    await notice.waitFor();
    assert.match(await notice.innerText(), /removed your memory: 2 messages and 1 fact/);

    // What is said now does not hide the loss from the next visit.
    await say(page, "my cat is called Ada");
    await witnessed(page, 2);
    await world.closeBrowser();
    page = await world.openPage();
    await page.locator(".notice[data-topic=lost]").waitFor();
    assert.notEqual((await storage(page)).store, store);
    await page.locator(".notice[data-topic=lost]").getByRole("button", { name: "Dismiss this notice" }).click();
    await until(page, async () => (await globalThis.memory.status()).storage.lost === null);
    await page.reload();
    await page.locator("body[data-ready=true]").waitFor();
    assert.equal(await page.locator(".notice[data-topic=lost]").count(), 0);
    assert.equal((await storage(page)).lost, null);
  });
}

test("the witness holds no words", async () => {
  const page = await world.openPage();
  await say(page, "my boat is called Aurora");
  await witnessed(page, 2);
  const text = await page.evaluate(() => JSON.stringify({ ...localStorage }));
  assert.doesNotMatch(text, /boat|aurora/i);
});

test("the browser is asked to keep the data with the first thing saved, and never before", async () => {
  const page = await world.openPage((context) =>
    context.addInitScript(() => {
      globalThis.asked = 0;
      StorageManager.prototype.persisted = async () => false;
      StorageManager.prototype.persist = async () => ((globalThis.asked += 1), true);
    }),
  );
  assert.equal(await page.evaluate(() => globalThis.asked), 0);
  await say(page, "my boat is called Aurora");
  // Saved long after the click, perhaps: then the next key or click is the moment.
  await page.keyboard.press("Shift");
  await page.waitForFunction(() => globalThis.asked === 1);
  await say(page, "my cat is called Ada");
  await page.keyboard.press("Shift");
  assert.equal(await page.evaluate(() => globalThis.asked), 1);
});

// Chromium tells every page of 10 GiB beyond what it uses, whatever the quota is, so the test tells the page itself.
test("room that runs out is told at four fifths", async () => {
  const page = await world.openPage((context) =>
    context.addInitScript(() => {
      globalThis.room = { usage: 79, quota: 100 };
      StorageManager.prototype.estimate = async () => globalThis.room;
    }),
  );
  const notice = page.locator(".notice[data-topic=nearly-full]");
  assert.equal(await notice.count(), 0);
  await page.evaluate(() => (globalThis.room.usage = 80));
  await say(page, "my boat is called Aurora");
  await notice.waitFor();
  assert.match(await notice.innerText(), /^80 %/);
  const { usage, quota } = await storage(page);
  assert.deepEqual({ usage, quota }, { usage: 80, quota: 100 });
});

// Chromium asks for the quota rarely once a database is in use, so the disk is full from the beginning.
test("a full disk keeps the chat going, and what it refused is saved with the next message", async () => {
  const origin = new URL(world.edge.url).origin;
  let cdp;
  const page = await world.openPage(async (context) => {
    cdp = await context.newCDPSession(context.pages()[0]);
    await cdp.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1 });
  });
  await write(page, "my cat is called Ada");
  const mine = page.locator(".message.user").last();
  await mine.locator(".notice").waitFor();
  assert.match(await mine.innerText(), /storage for this site is full/);
  assert.equal((await storage(page)).tight, true);
  await cdp.send("Storage.overrideQuotaForOrigin", { origin });
  await say(page, "and what is my cat called?");
  assert.equal(await page.evaluate(async () => (await globalThis.memory.status()).counts.turns), 4);
});
