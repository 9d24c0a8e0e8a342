// What a browser may refuse: storage, the embedding table. The chat works, and the page says what is missing.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { newestUserTexts, remembered, say, World } from "./world.mjs";

let world;
before(async () => (world = await World.start({ standIn: true })));
after(() => world?.end());
beforeEach(() => world.newProfile());
afterEach(() => world.closeBrowser());

/** Runs a line of script in the engine's thread before anything else. */
const inEngine = (line) => (context) =>
  context.route(/engine-worker.*\.js/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${line}\n${await response.text()}` });
  });

for (const [name, line] of [
  ["without IndexedDB", 'Object.defineProperty(globalThis, "indexedDB", { value: undefined });'],
  ["with an IndexedDB that refuses", 'IDBFactory.prototype.open = () => { throw new DOMException("no", "SecurityError"); };'],
]) {
  test(`${name} the chat works in memory and the page says so`, async () => {
    const page = await world.openPage(inEngine(line));
    const notice = page.locator(".notice[data-topic=storage]");
    await notice.waitFor();
    assert.match(await notice.innerText(), /forgotten when you close this tab/);
    await say(page, "my boat is called Aurora");
    await remembered(page, "Aurora");
    await page.getByRole("button", { name: "New conversation" }).click();
    await say(page, "what is my boat called?");
    assert.match(newestUserTexts(world.chats.at(-1))[0], /Aurora/);
    assert.equal((await page.evaluate(() => globalThis.memory.status())).storage.state, "memory");
  });
}

test("without the embedding table recall goes by keywords and the page says so", async () => {
  const page = await world.openPage((context) => context.route(/static-128-int4.*\.bin/, (route) => route.fulfill({ status: 404 })));
  await page.locator(".notice[data-topic=embedder]").waitFor();
  await say(page, "my boat is called Aurora");
  await remembered(page, "Aurora");
  await page.getByRole("button", { name: "New conversation" }).click();
  await say(page, "what is my boat called?");
  assert.match(newestUserTexts(world.chats.at(-1))[0], /Aurora/);
});

test("a browser without SIMD gets the build without it", async () => {
  const page = await world.openPage(inEngine("WebAssembly.validate = () => false;"));
  const loaded = world.requests.filter(({ url }) => url.includes(".wasm")).map(({ url }) => url);
  assert.equal(loaded.length, 1);
  await say(page, "the boat house code is 4471");
  const found = await page.evaluate(() => globalThis.memory.recall("what is the boat house code?"));
  assert.match(JSON.stringify(found), /4471/);
});

test("the engine also runs in the page itself", async () => {
  const page = await world.openPage();
  const status = await page.evaluate(async () => {
    const own = await globalThis.memory.constructor.open({ thread: "page", database: "in-page", debug: true });
    await own.remember([{ role: "user", text: "the boat house code is 4471" }]);
    const found = await own.recall("boat house code");
    const crash = await own.crash().catch((error) => error.code);
    const again = await own.recall("boat house code");
    const status = await own.status();
    own.close();
    return { found: found.length, crash, again: again.length, storage: status.storage.state };
  });
  assert.deepEqual(status, { found: 1, crash: "engine_restarted", again: 1, storage: "disk" });
});
