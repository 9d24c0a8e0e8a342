// hnswlib-wasm with the parameters of its own example of hnswlib: M 16, efConstruction 200; ef 100 when searching.
import { loadHnswlib, syncFileSystem } from "hnswlib-wasm";

const FILE = "bench.dat";
/** The room is fixed when the graph is made; the inserts of the benchmark need some. */
const SPARE = 1_000;
const CHUNK = 1_000;

class Hnsw {
  constructor(index) {
    this.index = index;
  }

  fill(vectors, n) {
    this.index.initIndex(n + SPARE, 16, 200, 100);
    this.index.setEfSearch(100);
    for (let start = 0; start < n; start += CHUNK) {
      const ids = Array.from({ length: Math.min(CHUNK, n - start) }, (_, i) => start + i);
      const rows = ids.map((id) => vectors.subarray(id * 384, (id + 1) * 384));
      this.index.addPoints(rows, ids, false);
    }
  }

  search(query, k) {
    return this.index.searchKnn(query, k, undefined).neighbors;
  }

  filtered(query, k, every) {
    return this.index.searchKnn(query, k, (label) => label % every === 0).neighbors;
  }

  insert(id, vector) {
    this.index.addPoint(vector, id, false);
  }

  remove(ids) {
    this.index.markDeleteItems(ids);
  }

  async save() {
    await this.index.writeIndex(FILE);
    await syncFileSystem("write");
  }
}

const made = (library) => new library.HierarchicalNSW("ip", 384, "");

export async function open() {
  return new Hnsw(made(await loadHnswlib()));
}

export async function restore({ n }) {
  const library = await loadHnswlib();
  await syncFileSystem("read");
  const index = made(library);
  await index.readIndex(FILE, n + SPARE);
  index.setEfSearch(100);
  return new Hnsw(index);
}
