// The kill test: a browser that writes is killed at a random moment, again and again, on one profile. After each
// death the store opens, all that was acknowledged is there once, and a look through the memory finds nothing.
//
// Half of the deaths are made to leave half an entry in the browser's log: by itself that takes a busy machine.
//
// What it can not show: SIGKILL leaves the operating system's cache alive, so a loss of power is not played.
import assert from "node:assert/strict";
import { Bare } from "./bare.mjs";
import { leaveHalfEntry } from "./half-entry.mjs";
import { Mortal } from "./mortal.mjs";

/** Chats that write at the same time. */
const N_WRITERS = 3;
/** The moment of death, counted from the first acknowledgement: from amid the first commits to some hundred later. */
const LATEST_DEATH_MS = 1_200;

/** mulberry32: a small generator, so that a seed is enough to do it again. */
export function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Runs so many rounds; `say` hears how each went. Throws at the first loss. */
export async function killRounds(nRounds, seed, say) {
  const random = dice(seed);
  const bare = await Bare.start();
  /** Acknowledged texts of each session. */
  const acknowledged = new Map();
  let mortal;
  let nAcknowledged = 0;
  try {
    for (let round = 1; round <= nRounds; round++) {
      mortal = await Mortal.start(bare.profile);
      const page = await mortal.openPage(bare.url);
      await survey(page, acknowledged, `seed ${seed}, before round ${round}`);
      let first;
      const begun = new Promise((resolve) => (first = resolve));
      await page.exposeFunction("acknowledge", (session, texts) => {
        if (!acknowledged.has(session)) acknowledged.set(session, []);
        acknowledged.get(session).push(...texts);
        nAcknowledged += texts.length;
        first();
      });
      const before = nAcknowledged;
      // Not awaited: it ends with the browser.
      page.evaluate(write, { round, nWriters: N_WRITERS, texts: randomTexts(random) }).catch(() => {});
      await begun;
      const deathMs = Math.floor(random() * LATEST_DEATH_MS);
      await new Promise((resolve) => setTimeout(resolve, deathMs));
      await mortal.kill();
      mortal = undefined;
      const torn = random() < 0.5 && (await leaveHalfEntry(bare.profile));
      say(`round ${round}: killed ${deathMs} ms after the first of ${nAcknowledged - before} acknowledged turns${torn ? ", its log torn" : ""}`);
    }
    mortal = await Mortal.start(bare.profile);
    const report = await survey(await mortal.openPage(bare.url), acknowledged, `seed ${seed}, at the end`);
    say(`${nAcknowledged} acknowledged turns, ${report.records.turn} stored, commit ${report.commit}, nothing lost`);
  } finally {
    await mortal?.kill();
    await bare.end();
  }
}

/** Lengths vary from a word to several pages, so that batches of all sizes are torn. */
function randomTexts(random) {
  return Array.from({ length: 40 }, () => "lorem ipsum ".repeat(1 + Math.floor(random() ** 4 * 2_000)));
}

/** In the page: several chats that are recorded as fast as the store takes them. */
async function write({ round, nWriters, texts }) {
  const { memory } = globalThis;
  const writer = async (number) => {
    let session;
    for (let n = 0; ; n++) {
      const said = [
        { role: "user", text: `round ${round} writer ${number} says ${n}: ${texts[(n * nWriters + number) % texts.length]}` },
        { role: "assistant", text: `round ${round} writer ${number} hears ${n}` },
      ];
      const saved = await memory.remember(said, session ? { session } : {});
      session = saved.session;
      // Heard of before the next is written: otherwise what was acknowledged and what was not could not be told apart.
      await globalThis.acknowledge(session, said.map((turn) => turn.text));
    }
  };
  await Promise.all(Array.from({ length: nWriters }, (_, number) => writer(number)));
}

/** Opens the memory and looks through it. */
async function survey(page, acknowledged, when) {
  const found = await page.evaluate(async () => {
    globalThis.memory = await globalThis.createMemory();
    const sessions = await globalThis.memory.sessions.list();
    const turns = {};
    for (const { id } of sessions) turns[id] = (await globalThis.memory.sessions.turns(id)).map((turn) => turn.text);
    return { turns, report: await globalThis.memory.check(), status: await globalThis.memory.status() };
  });
  assert.equal(found.status.storage.state, "disk", `${when}: ${JSON.stringify(found.status.storage)}`);
  assert.deepEqual(found.report.findings, [], `${when}: ${JSON.stringify(found.status.keptIndex)}`);
  assert.deepEqual(found.status.unreadable, [], when);
  for (const [session, texts] of acknowledged) {
    const stored = found.turns[session] ?? [];
    const all = `${found.report.records.turn} turns in ${Object.keys(found.turns).length} sessions, commit ${found.report.commit}`;
    const shown = `${when}: session ${session}, ${texts.length} acknowledged, ${stored.length} stored (${all})`;
    assert.deepEqual(stored.slice(0, texts.length), texts, shown);
    // Turns are written in pairs: half of one would be half of a batch.
    assert.equal(stored.length % 2, 0, shown);
    // Written, and killed before it could be acknowledged: one batch at most.
    assert.ok(stored.length - texts.length <= 2, shown);
  }
  return found.report;
}
