// A database as text: what JSON has no word for is written as an object with one field.
//   a BigInt: {"$bigint": "1795165200000"}      bytes: {"$bytes": "base64"}

/** In the page: everything in a database, by object store, as pairs of key and value. */
export async function dump(name) {
  const ended = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const plain = (value) => {
    if (typeof value === "bigint") return { $bigint: String(value) };
    if (value instanceof Uint8Array) return { $bytes: btoa(String.fromCharCode(...value)) };
    if (Array.isArray(value)) return value.map(plain);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, value]) => [key, plain(value)]));
  };
  const database = await ended(indexedDB.open(name));
  const stores = {};
  for (const store of database.objectStoreNames) {
    const records = database.transaction(store).objectStore(store);
    const [keys, values] = await Promise.all([ended(records.getAllKeys()), ended(records.getAll())]);
    stores[store] = keys.map((key, i) => [key, plain(values[i])]);
  }
  const { version } = database;
  database.close();
  return { version, stores };
}

/** In the page: makes a database of what `dump` gave. */
export async function restore({ name, version, stores }) {
  const ended = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const rich = (value) => {
    if (Array.isArray(value)) return value.map(rich);
    if (value === null || typeof value !== "object") return value;
    if ("$bigint" in value) return BigInt(value.$bigint);
    if ("$bytes" in value) return Uint8Array.from(atob(value.$bytes), (c) => c.charCodeAt(0));
    return Object.fromEntries(Object.entries(value).map(([key, value]) => [key, rich(value)]));
  };
  const opening = indexedDB.open(name, version);
  opening.onupgradeneeded = () => {
    for (const store of Object.keys(stores)) opening.result.createObjectStore(store);
  };
  const database = await ended(opening);
  const transaction = database.transaction(Object.keys(stores), "readwrite");
  for (const [store, records] of Object.entries(stores)) {
    for (const [key, value] of records) transaction.objectStore(store).put(rich(value), key);
  }
  await new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
  database.close();
}

/** In the page: what the package tells of a memory. */
export async function told(memory) {
  const sessions = await memory.sessions.list();
  const turns = [];
  for (const { id } of sessions) turns.push(...(await memory.sessions.turns(id)));
  const { counts } = await memory.status();
  return { counts, sessions, turns, facts: await memory.facts.list(), jobs: await memory.queue.list(), artifacts: await memory.artifacts.list() };
}
