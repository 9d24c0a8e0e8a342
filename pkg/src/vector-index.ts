/**
 * A vector index for the browser, by itself: `import { VectorIndex } from "onhand/index"`.
 *
 * ```js
 * const index = await VectorIndex.create({ dimensions: 384 });
 * index.add([7, 8], vectors);                    // a Float32Array, row after row
 * const { ids, scores } = index.search(query, 10);
 * ```
 *
 * Searches run where it was made, in well under a millisecond at 50,000 vectors; make it in a worker of yours for more.
 */
import * as scalar from "./wasm/index-scalar/onhand_index.js";
import * as simd from "./wasm/index-simd/onhand_index.js";
import { hasSimd } from "./simd.js";
import { VectorIndexError, type IndexErrorCode } from "./index-error.js";
import { buildGraph } from "./seal.js";

export { VectorIndexError, type IndexErrorCode } from "./index-error.js";

export interface VectorIndexOptions {
  /** Components of every vector, 16 to 4,096. */
  dimensions: number;
  /**
   * `scan` (default) looks at every vector: nothing to build, right up to some 100,000.
   * `hnsw` walks a graph once {@link VectorIndex.seal} built one. `auto` walks it only if it proves better on this device.
   */
  mode?: "scan" | "hnsw" | "auto";
  /** Default `cosine`. A `euclidean` score is the distance, negated: greater is always nearer. */
  metric?: "cosine" | "dot" | "euclidean";
  /** 8 instead of 16 bits a component: half the memory, about 1 of 100 results differs. */
  compact?: boolean;
}

export interface SearchOptions {
  /** Only these ids; unknown ones are passed over. */
  allow?: Uint32Array | readonly number[];
  /** Only vectors that bear at least one label of each list. */
  labels?: readonly (readonly number[])[];
  /** Misses nothing, in time proportional to the number of vectors let through. */
  exact?: boolean;
}

/** The nearest first; equal scores by ascending id. */
export interface SearchResult {
  ids: Uint32Array;
  scores: Float32Array;
}

/** What `auto` decided, and from what. */
export interface IndexChoice {
  uses: "scan" | "hnsw";
  /** `mode`: it had no choice. `no_graph`: nothing sealed. `low_recall`, `slower` or `faster`: the graph. */
  reason: "mode" | "no_graph" | "low_recall" | "slower" | "faster";
  /** Share of the true first ten that the graph found, and milliseconds a query. */
  measured: { recall: number; warm: { scan: number; hnsw: number }; cold: { scan: number; hnsw: number } } | null;
}

export interface IndexStats {
  vectors: number;
  /** Room of removed vectors, which {@link VectorIndex.compact} gives back. */
  gaps: number;
  /** Vectors that the graph covers; the others are scanned. */
  sealed: number;
  /** Memory for vectors, codes, ids and labels. */
  bytes: number;
  /** A saved graph could not be read: the index scans until it is sealed again. */
  lostGraph: boolean;
  choice: IndexChoice | null;
}

/** A piece of the index, to be kept under its key; `bytes: null` is to be deleted. */
export interface IndexPart {
  key: string;
  bytes: Uint8Array | null;
}

export class VectorIndex {
  readonly #raw: simd.RawIndex;

  private constructor(raw: simd.RawIndex) {
    this.#raw = raw;
  }

  /** An empty index. Loads the WebAssembly, with SIMD where the browser has it, at the first call. */
  static async create({ dimensions, mode = "scan", metric = "cosine", compact = false }: VectorIndexOptions): Promise<VectorIndex> {
    const { RawIndex } = await loadIndexWasm();
    return new VectorIndex(attempt(() => new RawIndex(dimensions, mode, metric, compact)));
  }

  /** What {@link VectorIndex.save} wrote. */
  static async load(bytes: Uint8Array): Promise<VectorIndex> {
    const { RawIndex } = await loadIndexWasm();
    return new VectorIndex(attempt(() => RawIndex.load(bytes)));
  }

  /** All parts that {@link VectorIndex.takeChanges} ever gave, the latest of each key. */
  static async fromParts(parts: Iterable<IndexPart>): Promise<VectorIndex> {
    const { RawIndex } = await loadIndexWasm();
    const kept = [...parts].filter((part) => part.bytes !== null);
    return new VectorIndex(attempt(() => RawIndex.from_parts(kept.map((part) => part.key), kept.map((part) => part.bytes))));
  }

  /**
   * Adds vectors, given row after row, under ids that are not in use; all of them or, if one is refused, none.
   * Labels are numbers of your own meaning, for {@link SearchOptions.labels}.
   */
  add(ids: Uint32Array | readonly number[], vectors: Float32Array, { labels = [] }: { labels?: readonly number[] } = {}): void {
    attempt(() => this.#raw.add(numbers(ids), vectors, numbers(labels)));
  }

  /** Removes vectors and returns how many were there. Their components are wiped at once. */
  remove(ids: Uint32Array | readonly number[]): number {
    return this.#raw.remove(numbers(ids));
  }

  search(query: Float32Array, k: number, options: SearchOptions = {}): SearchResult {
    if (query.length !== this.dimensions) {
      throw new VectorIndexError("wrong_dimensions", `The query has ${query.length} components, the index ${this.dimensions}.`);
    }
    return this.searchBatch(query, k, options)[0]!;
  }

  /** One result for each query, given row after row. */
  searchBatch(queries: Float32Array, k: number, { allow, labels = [], exact = false }: SearchOptions = {}): SearchResult[] {
    const lists = new Uint32Array(labels.flatMap((list) => [list.length, ...list]));
    const found = attempt(() => this.#raw.search(queries, k, allow && numbers(allow), lists, exact));
    const results: SearchResult[] = [];
    for (let at = 0; at < found.length; ) {
      const n = found[at]!;
      const ids = found.slice(at + 1, at + 1 + n);
      const scores = new Float32Array(found.slice(at + 1 + n, at + 1 + 2 * n).buffer);
      results.push({ ids, scores });
      at += 1 + 2 * n;
    }
    return results;
  }

  has(id: number): boolean {
    return this.#raw.contains(id);
  }

  get size(): number {
    return this.#raw.size;
  }

  get dimensions(): number {
    return this.#raw.dimensions;
  }

  stats(): IndexStats {
    const { vectors, gaps, sealed, bytes, lost_graph, choice } = this.#raw.stats();
    return { vectors, gaps, sealed, bytes, lostGraph: lost_graph, choice: choice ? toChoice(choice) : null };
  }

  /**
   * Builds the graph in a worker of its own, about 2,000 vectors a second, and then takes it; mode `auto` compares it with the
   * scan there first. Meanwhile the index can be used and changed; compacting it makes the graph useless and the promise
   * fail. Returns how many vectors the graph covers. At the beginning and at the end it copies the index, some 2 ms for 1,000 vectors.
   */
  async seal({ onProgress, signal }: { onProgress?: (done: number, total: number) => void; signal?: AbortSignal } = {}): Promise<number> {
    if (this.#raw.mode === "scan") return 0;
    this.#raw.compact();
    const graph = await buildGraph(this.#raw.save(), onProgress, signal);
    const sealed = attempt(() => this.#raw.adopt_graph(graph));
    if (this.#raw.mode === "hnsw") this.selfCheck();
    return sealed;
  }

  /**
   * Measures on this device and data whether the graph pays, which mode `auto` goes by. `seal` does so by itself; a loaded index
   * scans until it is asked. It takes some 5 ms for 1,000 vectors, here.
   */
  selfCheck(): IndexChoice {
    return toChoice(this.#raw.choose(() => performance.now()));
  }

  /** Gives back the room of removed vectors. Ids stay; a graph with gaps is dropped. */
  compact(): void {
    this.#raw.compact();
  }

  /** The whole index as bytes. */
  save(): Uint8Array {
    return this.#raw.save();
  }

  /** What changed since the last call: write and delete all of it in one transaction. */
  takeChanges(): IndexPart[] {
    return this.#raw.take_changes().map(([key, bytes]: [string, Uint8Array | null]) => ({ key, bytes }));
  }

  /** Frees its memory; the index is not usable any more. */
  free(): void {
    this.#raw.free();
  }

  [Symbol.dispose](): void {
    this.free();
  }
}

let loading: Promise<typeof simd> | undefined;

/** The build that this browser runs. Both have the same exports. */
export function loadIndexWasm(): Promise<typeof simd> {
  const build = hasSimd() ? simd : (scalar as unknown as typeof simd);
  loading ??= build.default().then(() => build);
  // So that a page that was offline can try again.
  loading.catch(() => (loading = undefined));
  return loading;
}

function numbers(list: Uint32Array | readonly number[]): Uint32Array {
  if (list instanceof Uint32Array) return list;
  for (const number of list) {
    if (!Number.isInteger(number) || number < 0 || number > 0xffff_ffff) {
      throw new VectorIndexError("invalid_input", `${number} is no id or label: use whole numbers from 0 to 4,294,967,295.`);
    }
  }
  return Uint32Array.from(list);
}

function toChoice({ walks, reason, measured }: simd.RawChoice): IndexChoice {
  const [recall, warmScan, warmGraph, coldScan, coldGraph] = measured;
  return {
    uses: walks ? "hnsw" : "scan",
    reason: reason as IndexChoice["reason"],
    measured: recall === undefined ? null : { recall, warm: { scan: warmScan!, hnsw: warmGraph! }, cold: { scan: coldScan!, hnsw: coldGraph! } },
  };
}

/** The wasm throws a pair of code and message. */
function attempt<T>(call: () => T): T {
  try {
    return call();
  } catch (thrown) {
    if (Array.isArray(thrown)) throw new VectorIndexError(thrown[0] as IndexErrorCode, thrown[1] as string);
    throw thrown;
  }
}
