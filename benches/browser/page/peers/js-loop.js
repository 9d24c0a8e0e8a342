// What one writes without a library: all vectors in one Float32Array, an inner product with each.
import { openDatabase } from "../database.js";

const DIMENSIONS = 384;

class Loop {
  constructor(ids, vectors) {
    this.ids = ids;
    this.vectors = vectors;
    this.n = ids.length;
  }

  fill(vectors, n) {
    this.vectors = vectors.slice(0, n * DIMENSIONS);
    this.ids = Uint32Array.from({ length: n }, (_, i) => i);
    this.n = n;
  }

  search(query, k) {
    return this.#nearest(query, k, 1);
  }

  filtered(query, k, every) {
    return this.#nearest(query, k, every);
  }

  #nearest(query, k, every) {
    const { ids, vectors, n } = this;
    const topIds = [];
    const topScores = [];
    let least = -Infinity;
    for (let row = 0, at = 0; row < n; row++, at += DIMENSIONS) {
      if (ids[row] % every !== 0) continue;
      // Four sums: one would make each addition wait for the one before.
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      for (let i = 0; i < DIMENSIONS; i += 4) {
        a += query[i] * vectors[at + i];
        b += query[i + 1] * vectors[at + i + 1];
        c += query[i + 2] * vectors[at + i + 2];
        d += query[i + 3] * vectors[at + i + 3];
      }
      const score = a + b + c + d;
      if (score <= least) continue;
      let place = topScores.length;
      while (place > 0 && topScores[place - 1] < score) place -= 1;
      topScores.splice(place, 0, score);
      topIds.splice(place, 0, ids[row]);
      if (topIds.length > k) {
        topIds.pop();
        topScores.pop();
      }
      if (topIds.length === k) least = topScores[k - 1];
    }
    return topIds;
  }

  insert(id, vector) {
    if (this.n === this.ids.length) {
      const grow = (array, length) => {
        const larger = new array.constructor(length);
        larger.set(array);
        return larger;
      };
      const rows = Math.ceil(this.n * 1.2) + 64;
      this.ids = grow(this.ids, rows);
      this.vectors = grow(this.vectors, rows * DIMENSIONS);
    }
    this.ids[this.n] = id;
    this.vectors.set(vector, this.n * DIMENSIONS);
    this.n += 1;
  }

  remove(ids) {
    const gone = new Set(ids);
    let kept = 0;
    for (let row = 0; row < this.n; row++) {
      if (gone.has(this.ids[row])) continue;
      this.ids[kept] = this.ids[row];
      this.vectors.copyWithin(kept * DIMENSIONS, row * DIMENSIONS, (row + 1) * DIMENSIONS);
      kept += 1;
    }
    this.n = kept;
  }

  async save() {
    const ids = this.ids.slice(0, this.n);
    const vectors = this.vectors.slice(0, this.n * DIMENSIONS);
    await (await openDatabase()).write([["loop", { ids, vectors }]]);
    return ids.byteLength + vectors.byteLength;
  }
}

export const open = () => new Loop(new Uint32Array(0), new Float32Array(0));

export async function restore() {
  const { ids, vectors } = await (await openDatabase()).read("loop");
  return new Loop(ids, vectors);
}
