// A browser that dies within a write leaves half an entry at the end of its database's log. Chromium goes on behind it,
// and at the start after that takes it for damage and discards all that the origin has stored: a page that does no more
// than write with IndexedDB loses everything here.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Bare } from "./bare.mjs";
import { leaveHalfEntry } from "./half-entry.mjs";
import { Mortal } from "./mortal.mjs";

test("half an entry at the end of the browser's log does not cost the memory", { timeout: 120_000 }, async () => {
  const bare = await Bare.start();
  let mortal;
  const visit = async (work, ...given) => {
    mortal = await Mortal.start(bare.profile);
    const page = await mortal.openPage(bare.url);
    await page.evaluate(async () => void (globalThis.memory = await globalThis.createMemory()));
    const found = await page.evaluate(work, ...given);
    await mortal.kill();
    return found;
  };
  const remember = (text) => globalThis.memory.remember([{ role: "user", text }]);
  const animals = ["My cat is called Miso.", "My dog is called Natto.", "My horse is called Tempeh."];
  try {
    for (const text of animals) {
      await visit(remember, text);
      assert.ok(await leaveHalfEntry(bare.profile));
    }
    const found = await visit(async () => {
      const { memory } = globalThis;
      const texts = [];
      for (const { id } of await memory.sessions.list()) texts.push(...(await memory.sessions.turns(id)).map((turn) => turn.text));
      return { texts, findings: (await memory.check()).findings, lost: (await memory.status()).storage.lost };
    });
    assert.deepEqual(found.texts.sort(), animals.sort());
    assert.deepEqual(found.findings, []);
    assert.equal(found.lost, null);
  } finally {
    await mortal?.kill();
    await bare.end();
  }
});
