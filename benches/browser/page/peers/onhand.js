// onhand/index, the subpath that anyone can import without the rest.
import { VectorIndex } from "onhand/index";
import { openDatabase } from "../database.js";

const DIMENSIONS = 384;
/** Rows per call of `add`: as a host would that reads from its store in batches. */
const BATCH = 1_000;
// Labels, each with the share of the vectors that has it.
const LABELS = { 10: 1, 100: 2 };

class Ours {
  constructor(index, options) {
    this.index = index;
    this.options = options.exact ? { exact: true } : {};
    this.mode = options.mode;
  }

  async fill(vectors, n) {
    for (let start = 0; start < n; start += BATCH) {
      const end = Math.min(start + BATCH, n);
      // Labels are given per call, so the rows of a batch are added in groups of equal labels.
      const groups = { none: [], tenth: [], hundredth: [] };
      for (let id = start; id < end; id++) groups[id % 100 === 0 ? "hundredth" : id % 10 === 0 ? "tenth" : "none"].push(id);
      this.#add(groups.none, vectors, undefined);
      this.#add(groups.tenth, vectors, [LABELS[10]]);
      this.#add(groups.hundredth, vectors, [LABELS[10], LABELS[100]]);
    }
  }

  /** What an index does in the background, in a worker of its own: it can be searched meanwhile. Gives a remark for the record. */
  async seal() {
    if (this.mode === "scan") return undefined;
    await this.index.seal();
    if (this.mode === "hnsw") return "";
    await this.index.selfCheck();
    const { uses, reason, measured } = this.index.stats().choice;
    if (!measured) return `chose ${uses}: ${reason}`;
    const { recall, warm, cold } = measured;
    const ms = (figure) => figure.toFixed(2);
    return `chose ${uses} (the graph: ${reason}); its own self-check saw a recall of ${recall.toFixed(3)} and, in ms, warm ${ms(warm.scan)} by scan, ${ms(warm.hnsw)} by graph, cold ${ms(cold.scan)} and ${ms(cold.hnsw)}`;
  }

  #add(ids, vectors, labels) {
    if (ids.length === 0) return;
    const rows = new Float32Array(ids.length * DIMENSIONS);
    ids.forEach((id, i) => rows.set(vectors.subarray(id * DIMENSIONS, (id + 1) * DIMENSIONS), i * DIMENSIONS));
    this.index.add(ids, rows, labels && { labels });
  }

  search(query, k) {
    return this.index.search(query, k, this.options).ids;
  }

  filtered(query, k, every) {
    return this.index.search(query, k, { ...this.options, labels: [[LABELS[every]]] }).ids;
  }

  insert(id, vector) {
    this.index.add([id], vector);
  }

  remove(ids) {
    this.index.remove(ids);
  }

  async save() {
    const changes = this.index.takeChanges();
    await (await openDatabase()).write(changes.map(({ key, bytes }) => [key, bytes]));
    return changes.reduce((sum, { bytes }) => sum + (bytes?.byteLength ?? 0), 0);
  }

  about() {
    return this.index.stats();
  }
}

export async function open(options) {
  const { mode, compact = false } = options;
  return new Ours(await VectorIndex.create({ dimensions: DIMENSIONS, mode, compact }), options);
}

export async function restore(options) {
  const parts = await (await openDatabase()).readAll();
  return new Ours(await VectorIndex.fromParts(parts.map(([key, bytes]) => ({ key, bytes }))), options);
}
