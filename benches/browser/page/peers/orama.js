// Orama, its vector search without the text search.
import { create, insert, insertMultiple, load, removeMultiple, save, searchVector } from "@orama/orama";
import { openDatabase } from "../database.js";

const schema = { embedding: "vector[384]", tenth: "boolean", hundredth: "boolean" };
const document = (id, vector) => ({ id: String(id), embedding: Array.from(vector), tenth: id % 10 === 0, hundredth: id % 100 === 0 });

class OramaStore {
  constructor(db) {
    this.db = db;
  }

  async fill(vectors, n) {
    const documents = Array.from({ length: n }, (_, id) => document(id, vectors.subarray(id * 384, (id + 1) * 384)));
    await insertMultiple(this.db, documents, 1_000);
  }

  search(query, k) {
    return this.#nearest(query, k, {});
  }

  filtered(query, k, every) {
    return this.#nearest(query, k, { where: every === 10 ? { tenth: true } : { hundredth: true } });
  }

  async #nearest(query, k, options) {
    // Below its default similarity of 0.8 it returns nothing; sentences that fit reach 0.5.
    const { hits } = await searchVector(this.db, { mode: "vector", vector: { value: query, property: "embedding" }, similarity: -1, limit: k, ...options });
    return hits.map((hit) => Number(hit.id));
  }

  async insert(id, vector) {
    await insert(this.db, { ...document(id, vector), tenth: false, hundredth: false });
  }

  async remove(ids) {
    await removeMultiple(this.db, ids.map(String));
  }

  async save() {
    await (await openDatabase()).write([["orama", await save(this.db)]]);
  }
}

export const open = () => new OramaStore(create({ schema }));

export async function restore() {
  const db = create({ schema });
  await load(db, await (await openDatabase()).read("orama"));
  return new OramaStore(db);
}
