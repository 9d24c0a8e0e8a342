// PGlite with pgvector: PostgreSQL. In memory while it is measured, which is faster than its IndexedDB file system; saving makes
// a database in IndexedDB of it, and restoring opens that one.
import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";

const extensions = { vector };
/** Rows per COPY, PostgreSQL's way to load many. */
const CHUNK = 1_000;
const SAVED = "idb://bench";

const literal = (components) => `[${Array.prototype.join.call(components, ",")}]`;

class Postgres {
  constructor(db, options) {
    this.db = db;
    this.graph = options.graph;
  }

  async fill(vectors, n) {
    await this.db.exec("CREATE EXTENSION vector; CREATE TABLE memory (id integer PRIMARY KEY, embedding vector(384), tenth boolean, hundredth boolean)");
    for (let start = 0; start < n; start += CHUNK) {
      const lines = [];
      for (let id = start; id < Math.min(start + CHUNK, n); id++) {
        lines.push(`${id}\t${literal(vectors.subarray(id * 384, (id + 1) * 384))}\t${id % 10 === 0}\t${id % 100 === 0}\n`);
      }
      await this.db.query("COPY memory FROM '/dev/blob'", [], { blob: new Blob(lines) });
    }
    if (this.graph) {
      // pgvector asks for enough of it to hold the whole graph.
      await this.db.exec("SET maintenance_work_mem = '512MB'; CREATE INDEX ON memory USING hnsw (embedding vector_ip_ops)");
    }
    // Lets a filtered search through the graph go on until it has enough, as pgvector's documentation advises.
    if (this.graph) await this.db.exec("SET hnsw.iterative_scan = strict_order");
    await this.db.exec("ANALYZE memory");
  }

  search(query, k) {
    return this.#nearest("", query, k);
  }

  filtered(query, k, every) {
    return this.#nearest(every === 10 ? "WHERE tenth" : "WHERE hundredth", query, k);
  }

  async #nearest(where, query, k) {
    const { rows } = await this.db.query(`SELECT id FROM memory ${where} ORDER BY embedding <#> $1 LIMIT ${k}`, [literal(query)]);
    return rows.map((row) => row.id);
  }

  async insert(id, components) {
    await this.db.query("INSERT INTO memory VALUES ($1, $2, false, false)", [id, literal(components)]);
  }

  async remove(ids) {
    await this.db.query("DELETE FROM memory WHERE id = ANY($1)", [ids]);
  }

  async save() {
    const dump = await this.db.dumpDataDir("none");
    const saved = await PGlite.create(SAVED, { extensions, loadDataDir: dump });
    await saved.close();
    return dump.size;
  }

  async about() {
    return { ef: (await this.db.query("SHOW hnsw.ef_search").catch(() => undefined))?.rows };
  }
}

export async function open(options) {
  return new Postgres(await PGlite.create({ extensions }), options);
}

export async function restore(options) {
  return new Postgres(await PGlite.create(SAVED, { extensions }), options);
}
