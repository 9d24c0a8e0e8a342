// A memory as a page holds it, filled with made sentences and asked. The node side drives it through `window.bench`.
import { createMemory } from "onhand";
import { randomOf, sentences } from "../../../../tests/recall/made.mjs";
import { watchThread } from "./watch.js";

const SEED = 1;
const TURNS_PER_SESSION = 40;
const DATABASE = "bench-recall";
const REPLY = ["user", "assistant"];

let memory;
let text;
let n = 0;
let releaseIndex = () => {};

/** Reading facts out of turns asks Claude: it is kept out by holding the lock that it runs under. */
async function holdQueue(user) {
  await new Promise((held) => void navigator.locks.request(`onhand:${DATABASE}:${user}:default:jobs`, () => (held(), new Promise(() => {}))));
}

/** While this is held no index is kept, so that the next opening reads all records. */
async function holdIndex(user) {
  await new Promise((held) => void navigator.locks.request(`onhand:${DATABASE}:${user}:default:index`, () => (held(), new Promise((release) => (releaseIndex = release)))));
}

const timed = async (work) => {
  const start = performance.now();
  const value = await work();
  return { ms: performance.now() - start, value };
};

window.bench = {
  /** Opens the memory and asks once: what a visit costs before the first answer, and until an answer goes by all of it. */
  async open({ embedder, user, keeps = true }) {
    await holdQueue(user);
    if (!keeps) await holdIndex(user);
    const watch = watchThread();
    const start = performance.now();
    const opened = await timed(() => createMemory({ database: DATABASE, user, embedder }));
    memory = opened.value;
    const whole = new Promise((resolve) => {
      const stop = memory.subscribe((event) => event.type === "rebuild" && event.done === event.total && (stop(), resolve()));
    });
    const first = await timed(() => memory.recall("Who repaired the wooden piano?", { level: "loose" }));
    if (first.value.partial) await whole;
    return { openMs: opened.ms, firstRecallMs: first.ms, items: first.value.length, partial: first.value.partial, wholeMs: performance.now() - start, thread: watch.end() };
  },

  /** Records turns, a session at a time, until there are `total`. */
  async fill(total) {
    text ??= sentences(SEED);
    const watch = watchThread();
    const before = n;
    const start = performance.now();
    while (n < total) {
      const turns = [];
      for (let i = 0; i < TURNS_PER_SESSION && n + turns.length < total; i++) turns.push({ role: REPLY[i % 2], text: text.next().value });
      await memory.remember(turns);
      n += turns.length;
    }
    return { ms: performance.now() - start, turns: n - before, thread: watch.end() };
  },

  /** Imports facts: sentences as another product lists them. */
  async learn(total) {
    const like = sentences(SEED + 1);
    const lines = new Set();
    while (lines.size < total) lines.add(like.next().value);
    const { ms, value } = await timed(() => memory.import([...lines].join("\n")));
    return { ms, facts: value.added };
  },

  /** Waits until the index is kept, and says how long that took and how it held up the page. */
  async kept() {
    releaseIndex();
    const watch = watchThread();
    const { ms } = await timed(async () => {
      while ((await memory.status()).keptIndex.unkept >= 64) await new Promise((done) => setTimeout(done, 100));
    });
    return { ms, segments: (await memory.status()).keptIndex.segments, thread: watch.end() };
  },

  /** Waits until every text has its vector. */
  async settle() {
    for (;;) {
      const changed = new Promise((resolve) => {
        const stop = memory.subscribe(() => (stop(), resolve()));
      });
      const { embedder } = await memory.status();
      if (embedder.state !== "embedding" && embedder.state !== "loading") return embedder;
      await changed;
    }
  },

  /** Questions made of words of sentences like those that are stored. */
  async ask({ count, warmup, seed }) {
    const random = randomOf(seed);
    const like = sentences(seed);
    const question = () => {
      const words = like.next().value.match(/[\p{L}\d]+/gu).filter((word) => word.length > 2 && random() < 0.6);
      return `What about ${words.join(" ")}?`;
    };
    for (let i = 0; i < warmup; i++) await memory.recall(question());
    const watch = watchThread();
    const times = [];
    let items = 0;
    for (let i = 0; i < count; i++) {
      const asked = question();
      const { ms, value } = await timed(() => memory.recall(asked));
      times.push(ms);
      items += value.length;
    }
    return { times, items: items / count, thread: watch.end() };
  },

  /** From the call that records a turn to the answer that holds it. */
  async fresh(count) {
    const times = [];
    const calls = [];
    let missed = 0;
    for (let i = 0; i < count; i++) {
      const word = `quux${n}x${i}`;
      const start = performance.now();
      const { turns } = await memory.remember([{ role: "user", text: `The spare key is called ${word}.` }]);
      calls.push(performance.now() - start);
      const found = await memory.recall(`What is ${word}?`, { level: "loose" });
      times.push(performance.now() - start);
      if (!found.some(({ record }) => record === `turn:${turns[0]}`)) missed += 1;
    }
    n += count;
    return { times, calls, missed };
  },

  counted: (known) => (n = known),
  status: () => memory.status(),
  close: () => memory.close(),
};
