// sqlite-vec in SQLite's own wasm build. 0.1.7-alpha.2 is the last that starts: 0.1.9 aborts (a build with assertions).
import sqlite3Init from "sqlite-vec-wasm-demo";
import { openDatabase } from "../database.js";

const bytes = (vector) => new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);

class SqliteVec {
  constructor(sqlite3, db) {
    this.sqlite3 = sqlite3;
    this.db = db;
    this.statements = new Map();
  }

  #prepare(sql) {
    if (!this.statements.has(sql)) this.statements.set(sql, this.db.prepare(sql));
    return this.statements.get(sql);
  }

  #run(sql, values) {
    this.#prepare(sql).bind(values).stepReset();
  }

  fill(vectors, n) {
    this.db.exec("CREATE VIRTUAL TABLE memory USING vec0(id integer primary key, embedding float[384], tenth boolean, hundredth boolean)");
    this.db.exec("BEGIN");
    for (let id = 0; id < n; id++) this.#insert(id, vectors.subarray(id * 384, (id + 1) * 384), id % 10 === 0, id % 100 === 0);
    this.db.exec("COMMIT");
  }

  #insert(id, vector, tenth, hundredth) {
    this.#run("INSERT INTO memory VALUES (?, ?, ?, ?)", [id, bytes(vector), tenth, hundredth]);
  }

  search(query, k) {
    return this.#nearest("", query, k);
  }

  filtered(query, k, every) {
    return this.#nearest(every === 10 ? "AND tenth = true" : "AND hundredth = true", query, k);
  }

  #nearest(where, query, k) {
    const statement = this.#prepare(`SELECT id FROM memory WHERE embedding MATCH ? AND k = ? ${where} ORDER BY distance`);
    statement.bind([bytes(query), k]);
    const ids = [];
    while (statement.step()) ids.push(statement.getInt(0));
    statement.reset();
    return ids;
  }

  insert(id, vector) {
    this.#insert(id, vector, false, false);
  }

  remove(ids) {
    this.db.exec("BEGIN");
    for (const id of ids) this.#run("DELETE FROM memory WHERE id = ?", [id]);
    this.db.exec("COMMIT");
  }

  async save() {
    const image = this.sqlite3.capi.sqlite3_js_db_export(this.db);
    await (await openDatabase()).write([["sqlite", image]]);
    return image.byteLength;
  }
}

export async function open() {
  const sqlite3 = await sqlite3Init();
  return new SqliteVec(sqlite3, new sqlite3.oo1.DB(":memory:"));
}

export async function restore() {
  const [sqlite3, image] = await Promise.all([sqlite3Init(), openDatabase().then((database) => database.read("sqlite"))]);
  const { capi, wasm } = sqlite3;
  const db = new sqlite3.oo1.DB(":memory:");
  const at = wasm.allocFromTypedArray(image);
  const flags = capi.SQLITE_DESERIALIZE_FREEONCLOSE | capi.SQLITE_DESERIALIZE_RESIZEABLE;
  db.checkRc(capi.sqlite3_deserialize(db.pointer, "main", at, image.byteLength, image.byteLength, flags));
  return new SqliteVec(sqlite3, db);
}
