// The fault matrix: what each public call does under each fault. `FAULTS` says how the store is disturbed, `CALLS` what
// is asked, `expected` what has to come of it.
//
// The engine runs in the page here, so that a fault can be put under it and taken away again between two calls; its
// code is the worker's.

/** Calls that are answered from memory, whatever becomes of the store; what a tool can not do, it says in its answer. */
const FROM_MEMORY = [
  "facts.list", "facts.history", "queue.list", "status", "countTokens", "models", "encryption.status", "evaluate", "files.list", "files.read",
  "tools.definitions", "tools.list", "tools.runnable", "tools.run",
];
/** Calls that read the store. */
const READS = [
  "recall", "block", "sessions.list", "sessions.turns", "turns.list", "turns.get", "check", "judgements.list", "export", "granted",
  "usage.list", "usage.totals", "chat.compact", "files.execute", "artifacts.list", "artifacts.get", "audit.list", "audit.verify", "audit.export",
];
/** Calls that write to it. */
const WRITES = [
  "remember", "facts.markStale", "facts.restore", "facts.correct", "queue.retry", "judge", "files.write", "files.rename", "files.remove", "artifacts.add", "artifacts.remove",
  "import", "facts.forget", "turns.forget", "sessions.forget", "erase",
];
/** Calls about something that a memory without a disk has not got. */
export const OF_WHAT_IS_STORED = /^facts\.(?!list|forget)|^sessions\.turns|^turns\.(?!forget)|^evaluate$|^judge$|^files\.read$|^artifacts\.get$|^chat\.compact$/;
export const CALLS = [...FROM_MEMORY, ...READS, ...WRITES, "chat.send"];

/** The same outcome for each call of a group. */
const outcomes = ({ memory = "ok", read = "ok", write = "ok", chat = "saved" }) =>
  Object.fromEntries([
    ...FROM_MEMORY.map((call) => [call, memory]),
    ...READS.map((call) => [call, read]),
    ...WRITES.map((call) => [call, write]),
    ["chat.send", chat],
  ]);

const HEALS = outcomes({});
const UNREACHABLE = outcomes({ read: "storage_unavailable", write: "storage_unavailable", chat: "notice storage_unavailable" });

/**
 * `arm` and `disarm` run in the page around each call. A fault `before` opening is there when the memory is opened; with
 * `quotaBytes` the disk is full while the calls are made.
 */
export const FAULTS = {
  none: { expected: HEALS },
  "a write is aborted once": {
    arm: () => globalThis.play.abortWrites(1),
    expected: HEALS,
  },
  "every write is aborted": {
    arm: () => globalThis.play.abortWrites(Infinity),
    expected: outcomes({ write: "storage", chat: "notice storage" }),
  },
  "the disk is full": {
    // The browser's own limit, reached by filling the origin. It is set before the origin has stored anything: Chromium
    // goes on for a while by what room there was when it last looked.
    quotaBytes: 8_000_000,
    expected: outcomes({ write: "quota_exceeded", chat: "notice quota_exceeded" }),
  },
  "the connections are closed": {
    arm: () => globalThis.play.closeConnections(),
    expected: HEALS,
  },
  "the connections are lost as Safari loses them": {
    arm: () => globalThis.play.loseConnections(),
    expected: HEALS,
  },
  "an upgrade is blocked, and opening again with it": {
    arm: () => globalThis.play.block(),
    disarm: () => globalThis.play.unblock(),
    expected: UNREACHABLE,
  },
  "another tab has a newer schema": {
    arm: (database) => globalThis.play.upgrade(database),
    keepsOn: true,
    expected: UNREACHABLE,
  },
  "there is no database": {
    before: () => Object.defineProperty(globalThis, "indexedDB", { value: undefined, configurable: true }),
    storage: "memory",
    expected: HEALS,
  },
  "the database is refused": {
    before: () => (IDBFactory.prototype.open = () => { throw new DOMException("no", "SecurityError"); }),
    storage: "memory",
    expected: HEALS,
  },
  "one record of each kind is corrupt": {
    before: (database) => globalThis.play.corrupt(database),
    expected: HEALS,
    findings: ["unreadable"],
  },
  "a segment of the kept index is corrupt": {
    before: async (database) => {
      await globalThis.play.keepIndex(database);
      await globalThis.play.corruptSegment(database);
    },
    expected: HEALS,
    findings: ["kept_index_damaged"],
    // An erasure has deleted it.
    findingsAfter: [],
  },
  "the number of the last commit is corrupt": {
    before: (database) => globalThis.play.corruptMeta(database),
    expected: HEALS,
  },
  "the log of commits is corrupt": {
    before: (database) => globalThis.play.corruptLog(database),
    expected: HEALS,
    findings: ["commit_missing"],
  },
  "the clock jumps back a year": {
    arm: () => globalThis.play.jumpBack(),
    expected: HEALS,
  },
};

/** In the page, before its scripts: the disturbances. */
export function playground() {
  const ended = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const own = IDBDatabase.prototype.transaction;
  const connections = new Set();
  let onBegin = () => {};
  IDBDatabase.prototype.transaction = function (...given) {
    if (!this.isOurs) connections.add(this);
    onBegin(this, given);
    const transaction = own.apply(this, given);
    if (!this.isOurs && given[1] === "readwrite" && globalThis.play.nAborts-- > 0) queueMicrotask(() => transaction.abort());
    return transaction;
  };
  const ourOwn = async (name, version) => Object.assign(await ended(indexedDB.open(name, version)), { isOurs: true });
  const overwrite = async (name, change) => {
    const database = await ourOwn(name);
    for (const store of database.objectStoreNames) {
      const records = database.transaction(store, "readwrite").objectStore(store);
      await change(store, records, await ended(records.getAllKeys()));
    }
    database.close();
  };
  // A month later: what was said in the store of the tests is not held in memory any more, whenever they run.
  const OwnDate = Date;
  const now = () => OwnDate.now() + globalThis.play.aheadMs;
  globalThis.Date = class extends OwnDate {
    constructor(...given) {
      super(...(given.length > 0 ? given : [now()]));
    }
    static now() {
      return now();
    }
  };
  globalThis.play = {
    aheadMs: 30 * 86_400_000,
    nAborts: 0,
    abortWrites: (n) => (globalThis.play.nAborts = n),
    closeConnections: () => connections.forEach((connection) => connection.close()),
    // Once for each connection: whoever opens anew is served.
    loseConnections() {
      const lost = new Set(connections);
      onBegin = (connection) => {
        if (lost.has(connection)) throw new DOMException("Connection to Indexed Database server lost. Refresh the page to try again", "UnknownError");
      };
    },
    async block() {
      // An upgrade that waits for a tab that does not let go, and every opening waits for the upgrade, which then fails.
      globalThis.play.holder = await ourOwn(globalThis.database);
      connections.forEach((connection) => connection.close());
      const upgrade = indexedDB.open(globalThis.database, 2);
      upgrade.onupgradeneeded = () => upgrade.transaction.abort();
      globalThis.play.upgraded = ended(upgrade).catch(() => {});
      // Only now nobody else has the database: one that was being opened meanwhile has been asked to let go, too.
      await new Promise((blocked) => (upgrade.onblocked = blocked));
    },
    async unblock() {
      globalThis.play.holder.close();
      await globalThis.play.upgraded;
    },
    async upgrade(name) {
      (await ourOwn(name, 2)).close();
    },
    corrupt: (name) =>
      overwrite(name, async (store, records, keys) => {
        // Not what the calls are about: that is the newest fact and the oldest session.
        const key = store === "facts" ? keys[0] : keys.at(-1);
        if (!["meta", "commits"].includes(store)) await ended(records.put({ v: 1, junk: true }, key));
      }),
    /** Says so much that an index is kept, and lets none be kept after that. */
    async keepIndex(name) {
      const memory = await globalThis.createMemory({ database: name, thread: "page" });
      await memory.remember(Array.from({ length: 600 }, (_, i) => ({ role: "user", text: `on day ${i} we sailed ${i * 3} miles` })));
      while ((await memory.status()).keptIndex.segments === 0) await new Promise((done) => setTimeout(done, 100));
      memory.close();
      // As if another tab kept it.
      await new Promise((got) => void navigator.locks.request(`onhand:${name}:me:default:index`, () => (got(), new Promise(() => {}))));
    },
    corruptSegment: (name) =>
      overwrite(name, async (store, records, keys) => {
        if (store !== "segments") return;
        for (const key of keys) {
          const segment = await ended(records.get(key));
          if (segment.name === "manifest") continue;
          segment.bytes[segment.bytes.length >> 1] ^= 1;
          await ended(records.put(segment, key));
        }
      }),
    corruptMeta: (name) => overwrite(name, async (store, records) => store === "meta" && (await ended(records.put("junk", "commit")))),
    corruptLog: (name) =>
      overwrite(name, async (store, records, keys) => {
        if (store === "commits") for (const key of keys) await ended(records.put("junk", key));
      }),
    /** Writes until nothing more fits, in pieces that get smaller. */
    async fill() {
      const opening = indexedDB.open("filler", 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore("bytes", { autoIncrement: true });
      const database = Object.assign(await ended(opening), { isOurs: true });
      for (const size of [256_000, 16_000, 1_000, 100, 10]) {
        // Random, so that it can not be packed.
        const put = () =>
          new Promise((resolve) => {
            const bytes = new Uint8Array(size);
            for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
            const transaction = database.transaction("bytes", "readwrite");
            transaction.objectStore("bytes").put(bytes);
            transaction.oncomplete = () => resolve(true);
            transaction.onabort = () => resolve(false);
          });
        while (await put());
      }
      database.close();
    },
    jumpBack: () => (globalThis.play.aheadMs = -365 * 86_400_000),
    /** Back to a browser that works. */
    rest() {
      globalThis.play.nAborts = 0;
      onBegin = () => {};
      connections.clear();
    },
  };
}

/** In the page: does one call; gives its outcome, and after how many milliseconds it showed. */
export async function call(name) {
  const { memory, ids } = globalThis;
  globalThis.nCalls ??= 0;
  const calls = {
    recall: () => memory.recall("what is my boat called?"),
    block: () => memory.block("what is my boat called?"),
    remember: () => memory.remember([{ role: "user", text: "brought by the host" }]),
    judge: () => memory.judge("what is my boat called?", `fact:${ids.fact}`, true),
    "judgements.list": () => memory.judgements.list(),
    evaluate: () => memory.evaluate({ questions: [{ query: "what is my boat called?", evidence: [`fact:${ids.fact}`] }] }),
    // Not through a Response, which turns every error into a TypeError.
    export: async () => {
      for (const reader = memory.export().getReader(); ; ) if ((await reader.read()).done) return;
    },
    import: () => memory.import(`- flies a kite of ${++globalThis.nCalls} colours`),
    granted: async () => {
      await memory.granted("work").turns.list();
      await memory.recall("what is my boat called?", { projects: ["work"] });
    },
    "files.list": () => memory.files.list(),
    "files.read": () => memory.files.read("/memories/boat.md"),
    "files.execute": () => memory.files.execute({ command: "view", path: "/memories" }),
    "files.write": () => memory.files.write("/memories/new.md", `line ${++globalThis.nCalls}`),
    "files.rename": async () => {
      const from = `/memories/${++globalThis.nCalls}.md`;
      await memory.files.write(from, "to be moved");
      await memory.files.rename(from, `/memories/moved/${globalThis.nCalls}.md`);
    },
    "files.remove": async () => {
      const path = `/memories/${++globalThis.nCalls}.md`;
      await memory.files.write(path, "to be removed");
      await memory.files.remove(path);
    },
    "artifacts.list": () => memory.artifacts.list(),
    "artifacts.get": () => memory.artifacts.get(ids.artifact),
    "artifacts.add": () => memory.artifacts.add("log", `line ${++globalThis.nCalls}`),
    "artifacts.remove": async () => {
      const { id } = await memory.artifacts.add("log", "to be removed");
      await memory.artifacts.remove(id);
    },
    countTokens: () => memory.countTokens("how long is this?"),
    models: async () => {
      const { models, tableDate } = await memory.models();
      if (models.length < 11 || !tableDate) throw new Error("a table without models");
    },
    "usage.list": () => memory.usage.list(),
    "usage.totals": () => memory.usage.totals({ by: "day" }),
    "audit.list": () => memory.audit.list(),
    "audit.verify": () => memory.audit.verify(),
    "audit.export": () => memory.audit.export(),
    "encryption.status": () => memory.encryption.status(),
    // What is forgotten is made for it: the other calls still ask for what was there.
    "facts.forget": async () => {
      await memory.import(`- owns ${++globalThis.nCalls} spare oars`);
      const fact = (await memory.facts.list()).find(({ statement }) => statement.includes(`${globalThis.nCalls} spare oars`));
      await memory.facts.forget(fact.id);
    },
    "turns.forget": async () => {
      const { turns } = await memory.remember([{ role: "user", text: "to be forgotten" }]);
      await memory.turns.forget(turns[0]);
    },
    "sessions.forget": async () => {
      const { session } = await memory.remember([{ role: "user", text: "to be forgotten" }]);
      await memory.sessions.forget(session);
    },
    erase: async () => {
      const { session } = await memory.remember([{ role: "user", text: "to be erased" }]);
      await memory.erase({ session });
    },
    "facts.list": () => memory.facts.list(),
    "tools.definitions": () => memory.tools.definitions(),
    "tools.list": () => memory.tools.list(),
    "tools.runnable": () => memory.tools.runnable(),
    "tools.run": () => memory.tools.run("recall", { query: "spare oars" }),
    "facts.history": () => memory.facts.history(ids.fact),
    "facts.markStale": () => memory.facts.markStale(ids.fact, "no longer so"),
    "facts.restore": () => memory.facts.restore(ids.fact),
    "facts.correct": async () => void (ids.fact = (await memory.facts.correct(ids.fact, "In other words.")).id),
    "sessions.list": () => memory.sessions.list(),
    "sessions.turns": () => memory.sessions.turns(ids.session),
    "turns.list": () => memory.turns.list({ session: ids.session }),
    "turns.get": () => memory.turns.get(ids.turn),
    "queue.list": () => memory.queue.list(),
    "queue.retry": () => memory.queue.retry(),
    // All of its turns are to stay, so nothing is written.
    "chat.compact": () => memory.chat({ session: ids.session }).compact({ keepTurns: 1_000 }),
    status: () => memory.status(),
    check: () => memory.check(),
  };
  const began = performance.now();
  let firstSign;
  const sign = () => (firstSign ??= Math.round(performance.now() - began));
  try {
    if (name !== "chat.send") {
      const value = await calls[name]();
      return { outcome: "ok", ms: sign(), findings: value?.findings };
    }
    const seen = [];
    for await (const event of memory.chat().send("what is my boat called?")) {
      if (event.type === "notice") {
        sign();
        seen.push(`notice ${event.code}`);
      } else if (event.type === "saved") {
        sign();
        seen.push("saved");
      }
    }
    return { outcome: [...new Set(seen)].join(), ms: sign() };
  } catch (error) {
    // Anything but the package's own error is a bug.
    return { outcome: error.code ?? `untyped ${error}`, ms: sign() };
  }
}
