// PGlite: one statement for a batch, and its own COPY to and from a Blob for files. `relaxedDurability` is off, its default: a query
// resolves when its file system has been told to keep what changed.
import { PGlite } from "@electric-sql/pglite";

export async function open(dataDir) {
  const database = await PGlite.create(dataDir);
  await database.exec(`
    CREATE TABLE IF NOT EXISTS turns (id text PRIMARY KEY, session int NOT NULL, index int NOT NULL, role text NOT NULL, text text NOT NULL, at bigint NOT NULL);
    CREATE INDEX IF NOT EXISTS turns_session ON turns (session);
    CREATE INDEX IF NOT EXISTS turns_at ON turns (at);`);
  return {
    append: (turns) =>
      database.query("INSERT INTO turns SELECT * FROM json_to_recordset($1::json) AS t(id text, session int, index int, role text, text text, at bigint)", [JSON.stringify(turns)]),
    newest: async (limit) => (await database.query("SELECT * FROM turns ORDER BY at DESC LIMIT $1", [limit])).rows,
    count: async () => (await database.query("SELECT count(*)::int AS n FROM turns")).rows[0].n,
    export: async () => (await database.query("COPY turns TO '/dev/blob'")).blob,
    import: (blob) => database.query("COPY turns FROM '/dev/blob'", [], { blob }),
    close: () => database.close(),
  };
}
