// One object store in IndexedDB, for indexes that leave the storing to their user.

const STORE = "values";

export async function openDatabase() {
  const request = indexedDB.open("bench", 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  const database = await done(request);
  return {
    /** Writes all of `entries` ([key, value], no value: delete) in one transaction; resolves when it is on disk. */
    async write(entries) {
      const transaction = database.transaction(STORE, "readwrite", { durability: "strict" });
      const store = transaction.objectStore(STORE);
      for (const [key, value] of entries) value == null ? store.delete(key) : store.put(value, key);
      transaction.commit();
      await new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
      });
    },
    read: (key) => done(database.transaction(STORE).objectStore(STORE).get(key)),
    async readAll() {
      const store = database.transaction(STORE).objectStore(STORE);
      const [keys, values] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
      return keys.map((key, i) => [key, values[i]]);
    },
  };
}

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
