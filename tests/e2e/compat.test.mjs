// A store of every released format opens, and tells what it told when it was written.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { restore, told } from "../compat/raw.mjs";
import { Bare } from "./bare.mjs";
import { openBrowser } from "./browser.mjs";

const folder = join(dirname(fileURLToPath(import.meta.url)), "../compat");
const versions = readdirSync(folder).filter((name) => /^v\d+$/.test(name));

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

/** `found` without what later versions of the package tell in addition. */
const asThen = (found, then) => {
  if (Array.isArray(then)) return found.map((item, i) => asThen(item, then[i]));
  if (then === null || typeof then !== "object" || !found) return found;
  return Object.fromEntries(Object.keys(then).map((key) => [key, asThen(found[key], then[key])]));
};

test("there is a store of version 1", () => assert.ok(versions.includes("v1")));

for (const version of versions) {
  test(`a store of ${version} opens and tells the same`, async () => {
    const raw = JSON.parse(readFileSync(join(folder, version, "store.json"), "utf8"));
    const expected = JSON.parse(readFileSync(join(folder, version, "told.json"), "utf8"));
    // The queue stays as it is: nothing is to be added while it is looked at.
    bare.fake.script([{ match: () => true, reply: { status: 529, type: "overloaded_error" }, times: 999 }]);
    const page = await context.newPage();
    await page.goto(bare.url);
    await page.locator("body[data-ready=true]").waitFor({ state: "attached" });
    await page.evaluate(restore, { name: version, ...raw });
    const found = await page.evaluate(
      async ({ database, told }) => {
        const memory = await globalThis.createMemory({ database });
        const found = await (0, eval)(`(${told})`)(memory);
        const [report, status] = [await memory.check(), await memory.status()];
        const { session } = await memory.remember([{ role: "user", text: "and it can be written to" }]);
        const turns = await memory.sessions.turns(session);
        memory.close();
        return { found, report, status, turns };
      },
      { database: version, told: String(told) },
    );
    assert.equal(found.status.storage.state, "disk", JSON.stringify(found.status.storage));
    assert.deepEqual(found.report.findings, []);
    assert.deepEqual(asThen(found.found, expected), expected);
    assert.equal(found.turns.length, 1);
  });
}
