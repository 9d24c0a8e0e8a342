// What the test's page can do. The data is random but seeded: the same in every browser.
import { VectorIndex, VectorIndexError } from "onhand/index";

const DIMENSIONS = 48;

function random(seed) {
  let state = seed >>> 0;
  return () => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Vectors around 20 centres. */
function vectors(n, seed) {
  const next = random(seed);
  const centres = Float32Array.from({ length: 20 * DIMENSIONS }, () => next() - 0.5);
  return Float32Array.from({ length: n * DIMENSIONS }, (_, i) => centres[(Math.floor(i / DIMENSIONS) % 20) * DIMENSIONS + (i % DIMENSIONS)] + next() - 0.5);
}

const row = (data, i) => data.subarray(i * DIMENSIONS, (i + 1) * DIMENSIONS);
const range = (n, from = 0) => Uint32Array.from({ length: n }, (_, i) => from + i);

function cosine(a, b) {
  let [dot, aa, bb] = [0, 0, 0];
  a.forEach((x, i) => ((dot += x * b[i]), (aa += x * x), (bb += b[i] * b[i])));
  return dot / Math.sqrt(aa * bb);
}

const code = (call) => {
  try {
    call();
    return "none";
  } catch (error) {
    if (!(error instanceof VectorIndexError)) throw error;
    return error.code;
  }
};
const codeOf = (promise) => promise.then(() => "none", (error) => error.code);
const list = ({ ids, scores }) => [...ids].map((id, i) => [id, scores[i]]);

globalThis.findsAndRefuses = async () => {
  const n = 6_000;
  const data = vectors(n, 1);
  const queries = vectors(20, 2);
  const wrong = [];
  const answers = [];
  for (const metric of ["cosine", "dot", "euclidean"]) {
    for (const compact of [false, true]) {
      const index = await VectorIndex.create({ dimensions: DIMENSIONS, metric, compact });
      index.add(range(n / 2), data.subarray(0, data.length / 2), { labels: [1] });
      index.add(range(n / 2, n / 2), data.subarray(data.length / 2), { labels: [2, 3] });
      index.remove(range(100));
      for (let q = 0; q < 20; q++) {
        const query = row(queries, q);
        const found = [index.search(query, 10), index.search(query, 10, { exact: true }), index.search(query, 10, { labels: [[2, 9], [3]] }), index.search(query, 10, { allow: range(50, 80) })];
        answers.push(found.map(list));
        if (metric !== "cosine") continue;
        found.forEach(({ ids, scores }, way) => {
          ids.forEach((id, i) => {
            const exact = cosine(row(data, id), query);
            const allowed = way < 2 ? id >= 100 : way === 2 ? id >= n / 2 : id >= 100 && id < 130;
            if (!allowed || Math.abs(exact - scores[i]) > (compact ? 0.02 : 1e-4)) wrong.push([way, id, exact, scores[i]]);
          });
          if (ids.length !== 10) wrong.push([way, ids.length]);
        });
      }
      index.free();
    }
  }
  const index = await VectorIndex.create({ dimensions: DIMENSIONS });
  index.add(range(100), data.subarray(0, 100 * DIMENSIONS));
  const sizeBeforeRefusals = index.size;
  const bad = row(data, 0).slice();
  bad[3] = NaN;
  const two = new Float32Array([...row(data, 1), ...new Float32Array(DIMENSIONS)]);
  const file = index.save();
  file[file.length - 5] ^= 1;
  const refused = [
    code(() => index.add([500], data.subarray(0, 7))),
    code(() => index.search(bad, 3)),
    // The second of two: the first is not added either.
    code(() => index.add([500, 501], two)),
    code(() => index.add([5], row(data, 1))),
    code(() => index.add([-1], row(data, 1))),
    await codeOf(VectorIndex.create({ dimensions: 15 })),
    await codeOf(VectorIndex.load(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9]))),
    await codeOf(VectorIndex.load(file)),
  ];
  return { wrong, answers, refused, sizeBeforeRefusals, sizeAfterRefusals: index.size };
};

globalThis.seals = async () => {
  const n = 2_000;
  const data = vectors(n + 1, 3);
  const queries = vectors(30, 4);
  const index = await VectorIndex.create({ dimensions: DIMENSIONS, mode: "hnsw" });
  index.add(range(n), data.subarray(0, n * DIMENSIONS));
  const progress = [];
  let building = true;
  let searchesMeanwhile = 0;
  const search = () => {
    if (!building) return;
    index.search(row(queries, 0), 10);
    searchesMeanwhile++;
    setTimeout(search);
  };
  search();
  const covered = await index.seal({ onProgress: (done, total) => progress.push([done, total]) });
  building = false;
  let same = 0;
  for (let q = 0; q < 30; q++) {
    const exact = new Set(index.search(row(queries, q), 10, { exact: true }).ids);
    same += index.search(row(queries, q), 10).ids.filter((id) => exact.has(id)).length;
  }
  const newerId = 9_999;
  index.add([newerId], row(data, n));
  const newer = index.search(row(data, n), 1).ids[0];

  const other = await VectorIndex.create({ dimensions: DIMENSIONS, mode: "hnsw" });
  other.add(range(n), data.subarray(0, n * DIMENSIONS));
  const controller = new AbortController();
  const cancelled = await codeOf(other.seal({ signal: controller.signal, onProgress: () => controller.abort() }));
  const afterCancel = other.stats();
  // Rows that get new numbers while the graph is built.
  const outdated = await codeOf(other.seal({ onProgress: () => (other.remove([3]), other.compact()) }));
  return { covered, size: n, progress, searchesMeanwhile, agreement: same / 300, choice: index.stats().choice, newer, newerId, cancelled, afterCancel, outdated };
};

globalThis.chooses = async () => {
  const index = await VectorIndex.create({ dimensions: DIMENSIONS, mode: "auto" });
  index.add(range(3_000), vectors(3_000, 5));
  const before = index.selfCheck();
  await index.seal();
  return { before, after: index.stats().choice };
};

const openDatabase = () =>
  new Promise((resolve, reject) => {
    const request = indexedDB.open("vector-index-test", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("parts");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const done = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });

async function write(parts) {
  const database = await openDatabase();
  const transaction = database.transaction("parts", "readwrite");
  for (const { key, bytes } of parts) bytes ? transaction.objectStore("parts").put(bytes, key) : transaction.objectStore("parts").delete(key);
  await done(transaction);
  database.close();
  return parts.map((part) => part.key).sort();
}

async function read() {
  const database = await openDatabase();
  const store = database.transaction("parts").objectStore("parts");
  const get = (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
  const [keys, values] = await Promise.all([get(store.getAllKeys()), get(store.getAll())]);
  database.close();
  return keys.map((key, i) => ({ key, bytes: values[i] }));
}

const answersOf = (index) => Array.from({ length: 10 }, (_, q) => list(index.search(row(vectors(10, 7), q), 5)));

globalThis.persists = async () => {
  const index = await VectorIndex.create({ dimensions: DIMENSIONS, mode: "hnsw" });
  index.add(range(1_000), vectors(1_000, 6), { labels: [4] });
  await index.seal();
  await write(index.takeChanges());
  index.add([5_000], row(vectors(1, 8), 0));
  const afterOneInsert = await write(index.takeChanges());
  index.remove([17]);
  await write(index.takeChanges());
  return { afterOneInsert, answers: answersOf(index), stats: index.stats() };
};

globalThis.comesBack = async () => {
  const parts = await read();
  const index = await VectorIndex.fromParts(parts);
  const damage = (name) => parts.map(({ key, bytes }) => ({ key, bytes: key === name ? bytes.map((byte, i) => (i === 40 ? byte ^ 4 : byte)) : bytes }));
  const damagedRows = await codeOf(VectorIndex.fromParts(damage("rows-00000003")));
  const damagedGraph = (await VectorIndex.fromParts(damage("graph"))).stats();
  return { answers: answersOf(index), stats: index.stats(), damagedRows, damagedGraph };
};

globalThis.ready = true;
