// The exact nearest neighbours, computed here and not by any of the measured ones.

/** Neighbours kept per query: enough that ten are left when every tenth vector is deleted, and that ties show. */
const KEPT = 60;

/** One vector in ten, and one in a hundred, pass the filters. */
export const FILTERS = { tenth: 10, hundredth: 100 };
export const passes = (id, every) => id % every === 0;
/** The vectors that are deleted: one in ten, none of which passes a filter. */
export const isDeleted = (id) => id % 10 === 3;

/** The best of a stream of scores, sorted when read. */
class Best {
  constructor() {
    this.entries = [];
    this.least = -Infinity;
  }
  offer(id, score) {
    if (this.entries.length >= KEPT && score <= this.least) return;
    this.entries.push({ id, score });
    // Sorting now and then is cheaper than a heap in JavaScript, and simpler.
    if (this.entries.length >= 4 * KEPT) this.sort();
  }
  sort() {
    this.entries.sort((a, b) => b.score - a.score || a.id - b.id);
    this.entries.length = Math.min(this.entries.length, KEPT);
    if (this.entries.length === KEPT) this.least = this.entries[KEPT - 1].score;
    return this.entries;
  }
}

const listed = (entries) => ({ ids: entries.map((entry) => entry.id), scores: entries.map((entry) => entry.score) });

function dot(a, atA, b, atB, dimensions) {
  let sum = 0;
  for (let d = 0; d < dimensions; d++) sum += a[atA + d] * b[atB + d];
  return sum;
}

/**
 * For each of `sizes` (ascending) and each query: the nearest among the first `n` of `base`, among those that pass each filter,
 * and the scores of all `inserts`, whose ids are `firstInsert` and up. Sums are in float64.
 */
export function truthOf({ base, queries, inserts, firstInsert, dimensions, sizes, say = () => {} }) {
  const nQueries = queries.length / dimensions;
  const bests = Array.from({ length: nQueries }, () => ({ base: new Best(), tenth: new Best(), hundredth: new Best() }));
  const inserted = Array.from({ length: nQueries }, (_, q) => Array.from({ length: inserts.length / dimensions }, (_, i) => dot(queries, q * dimensions, inserts, i * dimensions, dimensions)));
  const truths = new Map();
  let row = 0;
  for (const n of sizes) {
    say(`exact neighbours among ${n}`);
    for (; row < n; row++) {
      for (let q = 0; q < nQueries; q++) {
        const score = dot(queries, q * dimensions, base, row * dimensions, dimensions);
        bests[q].base.offer(row, score);
        for (const [name, every] of Object.entries(FILTERS)) if (passes(row, every)) bests[q][name].offer(row, score);
      }
    }
    const read = (name) => bests.map((best) => listed(best[name].sort()));
    truths.set(n, { base: read("base"), tenth: read("tenth"), hundredth: read("hundredth"), inserts: inserted, firstInsert });
  }
  return truths;
}

/** The truth after the deletions and the first `nInserts` inserts. */
export function afterChanges(truth, nInserts) {
  return truth.base.map((base, q) => {
    const entries = base.ids.map((id, at) => ({ id, score: base.scores[at] })).filter(({ id }) => !isDeleted(id));
    for (let i = 0; i < nInserts; i++) entries.push({ id: truth.firstInsert + i, score: truth.inserts[q][i] });
    return listed(entries.sort((a, b) => b.score - a.score || a.id - b.id));
  });
}
