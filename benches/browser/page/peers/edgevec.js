// edgevec. Its ids are given by it, in order of insertion.
// Default metric l2, which ranks unit vectors as cosine does; `metric: "cosine"` returned the farthest vectors in 0.9.0.
import init, { EdgeVec, EdgeVecConfig, JsMetadataValue } from "edgevec";
import { openDatabase } from "../database.js";

class Edge {
  constructor(index) {
    this.index = index;
    this.theirs = new Map();
    this.ours = [];
  }

  fill(vectors, n) {
    const ids = this.index.insertBatchFlat(vectors.subarray(0, n * 384), n);
    ids.forEach((theirs, id) => this.#name(theirs, id));
    for (let id = 0; id < n; id += 10) {
      this.index.setMetadata(this.theirs.get(id), "tenth", JsMetadataValue.fromBoolean(true));
      if (id % 100 === 0) this.index.setMetadata(this.theirs.get(id), "hundredth", JsMetadataValue.fromBoolean(true));
    }
  }

  #name(theirs, id) {
    this.theirs.set(id, theirs);
    this.ours[theirs] = id;
  }

  search(query, k) {
    return this.index.search(query, k).map((hit) => this.ours[hit.id]);
  }

  filtered(query, k, every) {
    const filter = every === 10 ? "tenth = true" : "hundredth = true";
    return this.index.searchWithFilter(query, filter, k).map((hit) => this.ours[hit.id]);
  }

  insert(id, vector) {
    this.#name(this.index.insert(vector), id);
  }

  remove(ids) {
    this.index.softDeleteBatch(Uint32Array.from(ids, (id) => this.theirs.get(id)));
  }

  async save() {
    await this.index.save("bench");
    await (await openDatabase()).write([["edgevec-ids", this.ours]]);
  }
}

export async function open(options) {
  await init();
  const config = new EdgeVecConfig(384);
  if (options.metric) config.metric = options.metric;
  return new Edge(new EdgeVec(config));
}

export async function restore() {
  await init();
  const edge = new Edge(await EdgeVec.load("bench"));
  edge.ours = await (await openDatabase()).read("edgevec-ids");
  return edge;
}
