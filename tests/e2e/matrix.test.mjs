// Every fault × every public call: it heals, or fails visibly and typed, within two seconds.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, afterEach, beforeEach, test } from "node:test";
import { restore } from "../compat/raw.mjs";
import { Bare } from "./bare.mjs";
import { openBrowser } from "./browser.mjs";
import { call, CALLS, OF_WHAT_IS_STORED, FAULTS, playground } from "./matrix.mjs";

const LIMIT_MS = 2_000;
const here = dirname(fileURLToPath(import.meta.url));
const raw = JSON.parse(readFileSync(join(here, "../compat/v1/store.json"), "utf8"));
const told = JSON.parse(readFileSync(join(here, "../compat/v1/told.json"), "utf8"));
/** What the calls are about: the newest version of a fact, and the oldest session and artifact. */
const ids = { fact: told.facts.find((fact) => fact.current).id, session: told.sessions.at(-1).id, turn: told.turns.at(-1).id, artifact: told.artifacts[0].id };

let bare;
let context;
// An origin for each fault: what one leaves behind is nothing to the next.
beforeEach(async () => {
  bare = await Bare.start();
  context = await openBrowser(bare.profile);
});
afterEach(async () => {
  await context?.close();
  await bare?.end();
});

const rows = [];
after(() => {
  const width = Math.max(...Object.keys(FAULTS).map((fault) => fault.length));
  console.log(`${"".padEnd(width)}  ${CALLS.join(" | ")}`);
  for (const [fault, cells] of rows) console.log(`${fault.padEnd(width)}  ${cells.map(({ outcome, ms }) => `${outcome} ${ms} ms`).join(" | ")}`);
});

/** Not asked of the store: `storage` speaks with the browser and the witness of losses, which have tests of their own. */
const EXEMPT = ["subscribe", "close", "crash", "chat", "storage.acknowledgeLoss", "storage.persist"];
/** Changes what is tried here as a whole: `encryption.test.mjs` tries it. */
const OF_ENCRYPTION = /^encryption\.(?!status)/;

test("every public call has a column", async () => {
  const page = await context.newPage();
  await page.goto(bare.url);
  await page.locator("body[data-ready=true]").waitFor({ state: "attached" });
  const calls = await page.evaluate(async () => {
    const memory = await globalThis.createMemory({ database: "columns" });
    const named = (object) => Object.entries(object).flatMap(([name, value]) => (typeof value === "function" ? [name] : []));
    const inherited = (object) => (object === Object.prototype ? [] : Object.getOwnPropertyNames(object).filter((name) => name !== "constructor"));
    const methods = (object) => [...named(object), ...inherited(Object.getPrototypeOf(object))];
    const own = Object.getOwnPropertyNames(Object.getPrototypeOf(memory)).filter((name) => name !== "constructor");
    const nested = Object.entries(memory).flatMap(([group, value]) => (typeof value === "object" && value ? methods(value).map((name) => `${group}.${name}`) : []));
    memory.close();
    return [...own, ...nested];
  });
  assert.deepEqual(calls.filter((call) => !EXEMPT.includes(call) && !OF_ENCRYPTION.test(call)).sort(), CALLS.filter((call) => !call.startsWith("chat.")).sort());
  await page.close();
});

for (const [fault, { before: beforeOpening, arm, disarm, quotaBytes, keepsOn, storage = "disk", findings = [], findingsAfter = findings, expected }] of Object.entries(FAULTS)) {
  test(fault, async () => {
    // Jobs stay where they are: the queue is not what is tested.
    bare.fake.reset();
    bare.fake.script([{ match: (request) => Boolean(request.body.output_config?.format), reply: { status: 529, type: "overloaded_error" }, times: 9_999 }]);
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    const { origin } = new URL(bare.url);
    if (quotaBytes) await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: quotaBytes });
    await page.addInitScript(playground);
    await page.goto(bare.url);
    await page.locator("body[data-ready=true]").waitFor({ state: "attached" });
    const database = `matrix ${fault}`;
    await page.evaluate(restore, { name: database, ...raw });
    if (beforeOpening) await page.evaluate(beforeOpening, database);
    const status = await page.evaluate(
      async ({ database, ids }) => {
        Object.assign(globalThis, { database, ids });
        globalThis.memory = await globalThis.createMemory({ database, thread: "page", grants: [{ project: "work", recall: true }] });
        return globalThis.memory.status();
      },
      { database, ids },
    );
    assert.equal(status.storage.state, storage);
    assert.equal(Boolean(status.storage.reason), storage === "memory", "what is missing is said");
    // A memory that is not on the disk begins empty, and has nothing to mend.
    const calls = storage === "disk" ? CALLS : CALLS.filter((call) => !OF_WHAT_IS_STORED.test(call));
    if (quotaBytes) await page.evaluate(() => globalThis.play.fill());
    const cells = [];
    for (const name of calls) {
      if (arm) await page.evaluate(arm, database);
      const cell = await page.evaluate(call, name);
      cells.push({ name, ...cell });
      if (disarm) await page.evaluate(disarm);
      await page.evaluate(() => globalThis.play.rest());
    }
    if (quotaBytes) await session.send("Storage.overrideQuotaForOrigin", { origin });
    rows.push([fault, cells]);
    for (const { name, outcome, ms, findings: found } of cells) {
      assert.equal(outcome, expected[name], `${fault}: ${name}`);
      assert.ok(ms < LIMIT_MS, `${fault}: ${name} took ${ms} ms`);
      if (found) assert.deepEqual([...new Set(found.map(({ problem }) => problem))], findings, JSON.stringify(found));
    }
    // The fault is over: all is well again, and nothing was torn.
    if (!keepsOn) {
      // After opening failed, a memory rests before it tries again.
      const over = performance.now();
      let again;
      do again = await page.evaluate(call, "remember");
      while (again.outcome !== "ok" && performance.now() - over < LIMIT_MS);
      assert.equal(again.outcome, "ok");
      assert.equal((await page.evaluate(call, "chat.send")).outcome, "saved");
      const report = await page.evaluate(() => globalThis.memory.check());
      assert.deepEqual([...new Set(report.findings.map(({ problem }) => problem))], findingsAfter, JSON.stringify(report.findings));
    }
    await page.close();
  });
}
