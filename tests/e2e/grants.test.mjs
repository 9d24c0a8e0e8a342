// A page that lets a memory read another project: what it reads, what it can not, and that a locked one reads nothing.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { World } from "./world.mjs";

let world;
let page;
before(async () => {
  world = await World.start({ standIn: true });
  page = await world.openPage();
});
after(() => world?.end());
afterEach(() => world.closeBrowser());

test("a granted project is recalled and listed, in one direction, and never written", async () => {
  const result = await page.evaluate(async () => {
    const open = (more) => globalThis.memory.constructor.open({ database: "granted", endpoint: "http://127.0.0.1:9", ...more });
    const codeOf = (promise) => promise.then(() => "ok", (error) => error.code ?? String(error));
    const work = await open({ project: "work" });
    await work.remember([{ role: "user", text: "the boat at work leaks at the bow" }]);
    await work.files.write("/memories/boat.md", "It leaks.");
    const home = await open({ project: "home", grants: [{ project: "work", recall: true }, { project: "secret", recall: false }] });
    await home.remember([{ role: "user", text: "the boat at home leaks at the stern" }]);
    const query = "where does the boat leak?";
    const both = await home.recall(query, { level: "loose", projects: ["work"] });
    const alone = await home.recall(query, { level: "loose" });
    const granted = home.granted("work");
    const { turns } = await granted.turns.list();
    const refused = {
      unknown: await codeOf(home.recall(query, { projects: ["work", "other"] })),
      notRecall: await codeOf(home.recall(query, { projects: ["secret"] })),
      back: await codeOf(work.recall(query, { projects: ["home"] })),
      list: await codeOf(work.granted("home").facts.list()),
    };
    const listed = {
      facts: (await granted.facts.list()).length,
      sessions: (await granted.sessions.list()).length,
      turn: (await granted.turns.get(turns[0].id)).text,
      files: (await granted.files.list()).map(({ path }) => path),
      file: (await granted.files.read("/memories/boat.md")).text,
      missing: await codeOf(granted.files.read("/memories/none.md")),
    };
    const before = (await work.audit.list()).length;
    await work.remember([{ role: "user", text: "the second boat at work leaks, too" }]);
    const later = (await granted.turns.list()).turns.length;
    await home.encryption.enable({ passphrase: "correct horse" });
    await home.encryption.lock();
    const locked = [await codeOf(home.recall(query, { projects: ["work"] })), await codeOf(granted.turns.list())];
    await home.encryption.unlock({ passphrase: "correct horse" });
    const unlocked = (await granted.turns.list()).turns.length;
    work.close();
    home.close();
    return { both: both.map(({ project, turn }) => [project, turn?.text ?? null]), alone: alone.map(({ project }) => project ?? null), refused, listed, before, later, locked, unlocked };
  });
  const turns = result.both.filter(([, text]) => text).sort();
  assert.deepEqual(turns, [
    ["home", "the boat at home leaks at the stern"],
    ["work", "the boat at work leaks at the bow"],
  ]);
  assert.deepEqual(result.alone, [null], "nothing of it comes up unasked");
  assert.deepEqual(result.refused, { unknown: "not_granted", notRecall: "not_granted", back: "not_granted", list: "not_granted" });
  assert.deepEqual(result.listed, { facts: 0, sessions: 1, turn: "the boat at work leaks at the bow", files: ["/memories/boat.md"], file: "It leaks.", missing: "not_found" });
  assert.equal(result.later, 2, "what is said meanwhile shows");
  assert.deepEqual(result.locked, ["locked", "locked"]);
  assert.equal(result.unlocked, 2);
});
