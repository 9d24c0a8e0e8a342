// One store in its page. The node side drives it through `window.bench`; the page's host name says which store it is.
import { randomOf, sentences } from "../../../../tests/recall/made.mjs";
import { CONTENDERS } from "./contenders/index.js";

const SEED = 1;
const ROLES = ["user", "assistant"];
/** Turns of a session: a batch never spans two. */
const TURNS_PER_SESSION = 100;
/** Sentences of a turn, from one to this many: some 200 characters in the mean. */
const MOST_SENTENCES = 6;

const name = location.hostname.split(".")[0].replace(/-\d+$/, "");
const text = sentences(SEED);
const random = randomOf(SEED);
let store;
let n = 0;
let file;

function turn() {
  const words = [];
  for (let i = Math.floor(random() * MOST_SENTENCES); i >= 0; i--) words.push(text.next().value);
  const index = n % TURNS_PER_SESSION;
  const session = Math.floor(n / TURNS_PER_SESSION);
  const made = { id: `${String(session).padStart(8, "0")}.${String(index).padStart(8, "0")}`, session, index, role: ROLES[n % 2], text: words.join(" "), at: 1_760_000_000_000 + n * 1_000 };
  n += 1;
  return made;
}

const timed = async (work) => {
  const start = performance.now();
  const value = await work();
  return { ms: performance.now() - start, value };
};

window.bench = {
  /** The store is opened and asked once: what a visit costs until the last conversation is on the page. */
  async open() {
    const loaded = await CONTENDERS[name]();
    const { ms } = await timed(async () => {
      store = await loaded("bench");
      await store.newest(20);
    });
    return { ms };
  },

  /** Writes so many turns, so many in a transaction; each is durable before the next begins. */
  async write({ turns, perTransaction }) {
    const batches = [];
    for (let left = turns; left > 0; left -= perTransaction) batches.push(Array.from({ length: Math.min(perTransaction, left) }, turn));
    const { ms } = await timed(async () => {
      for (const batch of batches) await store.append(batch);
    });
    return { ms, perSecond: (turns / ms) * 1_000 };
  },

  count: () => store.count(),

  /** Everything as one file, which stays here. */
  async export() {
    const { ms, value } = await timed(() => store.export());
    file = value;
    return { ms, bytes: file.size };
  },

  /** The file into an empty store, which goes again. */
  async import() {
    const fresh = await (await CONTENDERS[name]())(`import-${Math.floor(performance.now())}`);
    const { ms } = await timed(() => fresh.import(file));
    const count = await fresh.count();
    await fresh.wipe();
    return { ms, count };
  },

  /** The next turn is this one. */
  goOn: (next) => void (n = next),

  close: () => store.close(),

  /** Keeps the page's process busy, so that it can be told from others. */
  spin(ms) {
    const end = performance.now() + ms;
    while (performance.now() < end);
  },
};
