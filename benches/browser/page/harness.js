// What every page runs, whatever the index: it holds the queries, calls the index and takes the times.
// The node side drives it through `window.bench`. A peer's module exports `open(options)` and `restore(options)`, which give:
//   fill(vectors, n)            ids are 0 to n - 1
//   search(query, k)            ids, best first; may be a promise, as everything here
//   filtered(query, k, every)   the same among the ids that are multiples of `every` (10 or 100)
//   insert(id, vector), remove(ids), save()
import { wasmBytes } from "./memories.js";
import { measureReads } from "./limit.js";

const DIMENSIONS = 384;
const peers = import.meta.glob("./peers/*.js");
/** More than the last-level caches that most machines have. */
const COLD_BYTES = 96 << 20;

let store;
let base;
let queries = [];
let inserts = [];
let coldBuffer;

async function vectorsOf(name, n) {
  const headers = n === undefined ? {} : { range: `bytes=0-${n * DIMENSIONS * 4 - 1}` };
  const response = await fetch(`/data/${name}.f32`, { headers });
  if (!response.ok) throw new Error(`${name}.f32: ${response.status}`);
  return new Float32Array(await response.arrayBuffer());
}

/** Rows with a buffer each: some libraries pass on the whole buffer of a view. */
function rowsOf(vectors) {
  return Array.from({ length: vectors.length / DIMENSIONS }, (_, i) => vectors.slice(i * DIMENSIONS, (i + 1) * DIMENSIONS));
}

async function timed(work) {
  const start = performance.now();
  const result = await work();
  return { ms: performance.now() - start, result };
}

function peerOf(name) {
  const load = peers[`./peers/${name}.js`];
  if (!load) throw new Error(`there is no peer called ${name}`);
  return load();
}

let sink = 0;
/** Pushes the index out of the processor's caches. */
function readColdBuffer() {
  coldBuffer ??= new Float64Array(COLD_BYTES / 8).fill(1);
  for (let i = 0; i < coldBuffer.length; i += 8) sink += coldBuffer[i];
}

window.bench = {
  async prepare() {
    queries = rowsOf(await vectorsOf("queries"));
    inserts = rowsOf(await vectorsOf("inserts"));
    return { isolated: crossOriginIsolated, queries: queries.length, inserts: inserts.length };
  },

  /** Keeps this page's thread busy, so that its process can be told. */
  spin(ms) {
    const end = performance.now() + ms;
    while (performance.now() < end) sink += 1;
  },

  async open(peer, options) {
    const { ms, result } = await timed(async () => (await peerOf(peer)).open(options));
    store = result;
    return { ms };
  },

  async fetchBase(n) {
    base = await vectorsOf("base", n);
  },

  async fill(n) {
    const { ms } = await timed(() => store.fill(base, n));
    return { ms };
  },

  /** What comes after filling and does not keep an index from being searched. Only ours has it. */
  async seal() {
    const { ms, result } = await timed(() => store.seal?.());
    return { ms, remark: result };
  },

  dropBase() {
    base = undefined;
  },

  /** `count` queries from `from` on, after `warmup` others. With `empty`, the same without the index: the harness's own cost. */
  async round({ from, count, warmup = 0, k, every, cold = false, empty = false }) {
    const search = empty ? () => [] : every ? (query) => store.filtered(query, k, every) : (query) => store.search(query, k);
    const at = (i) => queries[(i + queries.length) % queries.length];
    for (let i = 0; i < warmup; i++) await search(at(from - 1 - i));
    const times = [];
    const found = [];
    for (let i = from; i < from + count; i++) {
      if (cold) readColdBuffer();
      const query = at(i);
      const start = performance.now();
      const ids = await search(query);
      times.push(performance.now() - start);
      found.push(Array.from(ids, Number));
    }
    return { times, found };
  },

  dropColdBuffer() {
    coldBuffer = undefined;
  },

  async insert(firstId, count) {
    const times = [];
    for (let i = 0; i < count; i++) {
      const start = performance.now();
      await store.insert(firstId + i, inserts[i]);
      times.push(performance.now() - start);
    }
    return { times };
  },

  /** How many of the inserted are among the ten nearest of their own vector. */
  async findInserted(firstId, count) {
    let found = 0;
    for (let i = 0; i < count; i++) if (Array.from(await store.search(inserts[i], 10), Number).includes(firstId + i)) found += 1;
    return found;
  },

  async remove(ids) {
    const { ms } = await timed(() => store.remove(ids));
    return { ms };
  },

  async save() {
    const { ms, result } = await timed(() => store.save());
    return { ms, bytes: result };
  },

  /** From nothing in the page, not even code, to the first answer. */
  async restore(peer, options, k) {
    let first;
    const { ms } = await timed(async () => {
      store = await (await peerOf(peer)).restore(options);
      first = await store.search(queries[0], k);
    });
    return { ms, first: Array.from(first, Number) };
  },

  wasmBytes,

  about: () => store.about?.(),

  limit: (bytes) => measureReads(bytes),
};

// Some libraries throw what is no Error; the record needs words.
for (const [name, method] of Object.entries(window.bench)) {
  window.bench[name] = async (...args) => {
    try {
      return await method(...args);
    } catch (error) {
      throw new Error(error instanceof Error ? error.message : typeof error === "string" ? error : (error?.message ?? JSON.stringify(error)));
    }
  };
}
