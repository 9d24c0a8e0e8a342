// A whole memory: beside the turns it writes the session, the audit's entry, the commit's, the job that will read facts, and with
// an embedder the vectors, and keeps what recall needs. Its engine runs in a worker, as by default.
import { createMemory } from "onhand";

export const opener = (embedder) => async (database) => {
  // Reading facts out of turns asks Claude: it is kept out by holding the lock that it runs under, so nobody is ever reached.
  const name = `store-${embedder}-${database}`;
  await new Promise((held) => void navigator.locks.request(`onhand:${name}:me:default:jobs`, () => (held(), new Promise(() => {}))));
  const memory = await createMemory({ database: name, embedder, persistence: "never", endpoint: "http://localhost:9" });
  // Session numbers of the bench, and the ids that the memory gave them.
  const sessions = new Map();
  return {
    async append(turns) {
      const { session } = turns[0];
      const known = sessions.get(session);
      const written = await memory.remember(turns.map(({ role, text }) => ({ role, text })), known ? { session: known } : {});
      sessions.set(session, written.session);
    },
    async newest(limit) {
      const [last] = await memory.sessions.list();
      return last ? (await memory.turns.list({ session: last.id })).turns.slice(-limit) : [];
    },
    count: async () => (await memory.status()).counts.turns,
    async export() {
      const parts = [];
      for (const reader = memory.export().getReader(); ; ) {
        const { done, value } = await reader.read();
        if (done) return new Blob(parts);
        parts.push(value);
      }
    },
    async import(file) {
      const { nRefused, nConflicts } = await memory.import(file);
      if (nRefused + nConflicts > 0) throw new Error(`${nRefused} refused, ${nConflicts} conflicts`);
    },
    close: () => memory.close(),
    async wipe() {
      memory.close();
      await new Promise((resolve, reject) => {
        const request = indexedDB.deleteDatabase(name);
        request.onsuccess = resolve;
        request.onerror = () => reject(request.error);
      });
    },
  };
};
