// Whether what is stored will stay: asking the browser, the room that is left, and a database that is gone.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { remembered, say, World } from "./world.mjs";

let world;
before(async () => (world = await World.start({ standIn: true })));
after(() => world?.end());
beforeEach(() => world.newProfile());
afterEach(() => world.closeBrowser());

const storage = (page) => page.evaluate(async () => (await globalThis.memory.status()).storage);

/** Waits until both witnesses say how many turns are stored. */
const witnessed = (page, turns) =>
  page.waitForFunction(async (turns) => {
    const name = "onhand:onhand:me:default";
    const directory = await navigator.storage.getDirectory();
    const file = await directory.getFileHandle(`${encodeURIComponent(name)}.json`).then((handle) => handle.getFile(), () => null);
    const texts = [localStorage.getItem(name), await file?.text()];
    return texts.every((text) => text && JSON.parse(text).turns === turns);
  }, turns);

const deleteDatabase = (page) =>
  page.evaluate(async () => {
    globalThis.memory.close();
    await new Promise((resolve, reject) => {
      const request = indexedDB.deleteDatabase("onhand");
      request.onsuccess = resolve;
      request.onerror = reject;
    });
  });

for (const [place, clear] of [
  ["local storage", async (page) => page.evaluate(async () => (await navigator.storage.getDirectory()).removeEntry(`${encodeURIComponent("onhand:onhand:me:default")}.json`))],
  ["a file of the origin", async (page) => page.evaluate(() => localStorage.clear())],
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
    await notice.waitFor.call(page.locator(".notice[data-topic=lost]"));
    assert.notEqual((await storage(page)).store, store);
    await page.locator(".notice[data-topic=lost]").getByRole("button", { name: "Dismiss this notice" }).click();
    await page.waitForFunction(async () => (await globalThis.memory.status()).storage.lost === null);
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

test("room that runs out is told at four fifths, and a full disk keeps the chat going", async () => {
  const page = await world.openPage();
  await say(page, "my boat is called Aurora");
  const cdp = await world.context.newCDPSession(page);
  const { usage } = await storage(page).then(async (before) => (before.usage ? before : page.evaluate(() => navigator.storage.estimate())));
  const origin = new URL(world.edge.url).origin;
  await cdp.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: Math.round(usage * 1.1) });
  await page.reload();
  await page.locator(".notice[data-topic=nearly-full]").waitFor();

  await cdp.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1 });
  await page.getByLabel("Message", { exact: true }).fill("my cat is called Ada");
  await page.getByRole("button", { name: "Send" }).click();
  await page.locator(".message .notice, .message .note").first().waitFor();
  assert.match(await page.locator(".message.user").last().innerText(), /storage for this site is full/);
  await cdp.send("Storage.overrideQuotaForOrigin", { origin });
  await say(page, "and what is my boat called?");
  const turns = await page.evaluate(async () => (await globalThis.memory.status()).counts.turns);
  assert.equal(turns, 6, "what the full disk refused was saved with the next message");
});
