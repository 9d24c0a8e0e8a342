// PGlite in its two places. In IndexedDB it asks for the browser's default durability, which in Chromium does not wait for the disk:
// here every transaction that writes is made `strict`, as the others' are. In the private file system it flushes, and needs a worker.
const removeDatabase = (name) =>
  new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = resolve;
    request.onerror = () => reject(request.error);
  });

export async function openInPage(name) {
  const begin = IDBDatabase.prototype.transaction;
  IDBDatabase.prototype.transaction = function (stores, mode, options) {
    return begin.call(this, stores, mode, mode === "readwrite" ? { ...options, durability: "strict" } : options);
  };
  const { open } = await import("./pglite-store.js");
  const store = await open(`idb://${name}`);
  return {
    ...store,
    async wipe() {
      await store.close();
      await removeDatabase(`/pglite/${name}`);
    },
  };
}

export async function openInWorker(name) {
  const worker = new Worker(new URL("./pglite-worker.js", import.meta.url), { type: "module" });
  const calls = new Map();
  let last = 0;
  worker.onmessage = ({ data: { id, value, error } }) => {
    const { resolve, reject } = calls.get(id);
    calls.delete(id);
    error ? reject(new Error(error)) : resolve(value);
  };
  worker.onerror = (event) => calls.forEach(({ reject }) => reject(new Error(event.message || "the worker failed")));
  const call = (method, ...args) =>
    new Promise((resolve, reject) => {
      calls.set(++last, { resolve, reject });
      worker.postMessage({ id: last, method, args });
    });
  await call("open", `opfs-ahp://${name}`);
  const end = async () => {
    await call("close");
    worker.terminate();
  };
  return {
    append: (turns) => call("append", turns),
    newest: (limit) => call("newest", limit),
    count: () => call("count"),
    export: () => call("export"),
    import: (file) => call("import", file),
    close: end,
    async wipe() {
      await end();
      await (await navigator.storage.getDirectory()).removeEntry(name, { recursive: true });
    },
  };
}
