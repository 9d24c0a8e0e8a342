// Each gives a function that opens a store by name. A store has `append(turns)`, durable when it resolves, `newest(limit)`,
// `count()`, `export()` to a Blob, `import(blob)` into an empty store, `close()` and `wipe()`.
// Every one is loaded by its page only.
export const CONTENDERS = {
  onhand: async () => (await import("./onhand.js")).opener("default"),
  "onhand-words": async () => (await import("./onhand.js")).opener("none"),
  dexie: async () => (await import("./dexie.js")).open,
  "pglite-idb": async () => (await import("./pglite.js")).openInPage,
  "pglite-opfs": async () => (await import("./pglite.js")).openInWorker,
};
