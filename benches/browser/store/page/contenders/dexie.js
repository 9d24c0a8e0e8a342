// Dexie as its documentation has it: bulk operations, and `chromeTransactionDurability` for durability `strict`. Exports by its own
// addon, dexie-export-import.
import Dexie from "dexie";
import { exportDB, importInto } from "dexie-export-import";

export async function open(name) {
  const database = new Dexie(`dexie-${name}`, { chromeTransactionDurability: "strict" });
  database.version(1).stores({ turns: "id, session, at" });
  await database.open();
  return {
    append: (turns) => database.turns.bulkAdd(turns),
    newest: (limit) => database.turns.orderBy("at").reverse().limit(limit).toArray(),
    count: () => database.turns.count(),
    export: () => exportDB(database),
    import: (file) => importInto(database, file, { acceptNameDiff: true }),
    close: () => database.close(),
    wipe: () => database.delete(),
  };
}
