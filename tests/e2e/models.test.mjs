// What is known of models, and when Claude's API is asked.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "./browser.mjs";
import { say, World } from "./world.mjs";

let world;
before(async () => (world = await World.start({ standIn: true })));
after(() => world?.end());

const isList = (entry) => entry.path === "/v1/models" && entry.outcome !== "pending";
const lists = () => world.fake.journal.filter(isList);
const known = (page) => page.evaluate(() => globalThis.memory.models());

/** Waits until the page knows how its last question ended. */
const answered = (page) =>
  until(page, async () => {
    const { refreshed, error } = await globalThis.memory.models();
    return refreshed !== null || error !== null;
  });

/** What a model can and may, and who says so, apart. */
const split = (models) => {
  const values = models.map((model) => Object.entries(model).filter(([, said]) => said?.source));
  return [
    values.map((said) => Object.fromEntries(said.map(([name, { value }]) => [name, value]))),
    [...new Set(values.flatMap((said) => said.map(([, { source }]) => source)))],
  ];
};

test("the API is asked after the first message, once a day, and says what the table says", async () => {
  let page = await world.openPage();
  const before = await known(page);
  assert.deepEqual([before.refreshed, before.error, before.models.length], [null, null, 11]);
  assert.match(before.tableDate, /^\d{4}-\d\d-\d\d$/);
  assert.equal(lists().length, 0, "not before there is anything to say");
  await say(page, "I'm allergic to peanuts");
  await world.fake.until(isList);
  await answered(page);

  const models = await known(page);
  assert.equal(models.error, null);
  assert.ok(Math.abs(models.refreshed - Date.now()) < 60_000);
  // Two tables, written apart: this package's and the fake's.
  const [told, sources] = split(models.models);
  assert.deepEqual([told, sources], [split(before.models)[0], ["api"]]);
  assert.deepEqual(models.models.map(({ price }) => price), before.models.map(({ price }) => price));
  const sonnet = models.models.find(({ id }) => id === "claude-sonnet-5-5");
  assert.deepEqual([sonnet.name, sonnet.lifecycle, sonnet.listed, sonnet.price.output], ["Claude Sonnet 5.5", "active", true, 10]);
  const { models: status } = await page.evaluate(() => globalThis.memory.status());
  assert.deepEqual(status, { tableDate: models.tableDate, refreshed: models.refreshed, error: null });

  // Nothing goes with it: no body, no content, nothing in its address.
  const [asked] = world.requests.filter(({ url }) => new URL(url).pathname === "/v1/models");
  assert.deepEqual([new URL(asked.url).search, asked.body], ["?limit=1000", null]);
  const [arrived] = lists();
  assert.deepEqual([arrived.method, arrived.body, arrived.status, arrived.violations], ["GET", null, 200, []]);

  await page.locator("#model", { hasText: "Claude Sonnet 5.5 reads up to 1,000,000 tokens at once, as Claude's API says." }).waitFor();
  await world.closeBrowser();
  page = await world.openPage();
  assert.deepEqual(await known(page), models, "it is kept over a reload");
  await say(page, "what do you know of me?");
  await say(page, "and now?");
  assert.equal(lists().length, 1, "not twice a day");
  assert.equal((await page.evaluate(() => globalThis.memory.check())).clean, true);
});

test("a list that can not be had changes nothing and is told", async () => {
  await world.closeBrowser();
  await world.newProfile();
  const before = lists().length;
  world.fake.script([{ path: "/v1/models", reply: { status: 529 } }]);
  const page = await world.openPage();
  await say(page, "hello");
  await answered(page);
  const { error, models, refreshed } = await known(page);
  assert.deepEqual([error.code, error.status, refreshed], ["api", 529, null]);
  assert.deepEqual(split(models)[1], ["built-in"]);
  await say(page, "and hello again");
  assert.equal(lists().length, before + 1, "it is not tried with every message");
  assert.deepEqual(world.fake.unused(), []);
  assert.deepEqual(world.pageErrors ?? [], []);
});

test("nothing is asked where the page turned it off", async () => {
  const page = world.context.pages()[0];
  const ask = async (refresh) => {
    const before = world.requests.length;
    const refreshed = await page.evaluate(async (refresh) => {
      const memory = await globalThis.memory.constructor.open({ database: `refresh-${refresh}`, preset: "episodic", models: { refresh } });
      // What the first message led to is on its way before the second one.
      for (const text of ["hello", "and hello again"]) for await (const _ of memory.chat().send(text)) void _;
      const { refreshed } = await memory.models();
      memory.close();
      return refreshed !== null;
    }, refresh);
    const asked = world.requests.slice(before).map(({ url }) => new URL(url).pathname);
    return [refreshed, asked.filter((path) => path === "/v1/models").length];
  };
  assert.deepEqual(await ask(false), [false, 0]);
  assert.deepEqual(await ask(true), [true, 1]);
});
