// What is measured: each variant is one index set up in one way, in a page of its own.
//   key      its name on the command line and in the recorded run; also the host name of its page
//   peer     the module in page/peers/
//   options  passed to that module
//   largest  not measured above this many vectors

/** The variant that the ratios are against. */
export const OURS = "onhand-auto";

export const VARIANTS = [
  { key: "onhand-auto", label: "**onhand**, auto", peer: "onhand", options: { mode: "auto" }, largest: 100_000 },
  { key: "onhand-scan", label: "**onhand**, scan", peer: "onhand", options: { mode: "scan" }, largest: 100_000 },
  { key: "onhand-compact", label: "**onhand**, scan, compact", peer: "onhand", options: { mode: "scan", compact: true }, largest: 100_000 },
  { key: "onhand-exact", label: "**onhand**, exact", peer: "onhand", options: { mode: "scan", exact: true }, largest: 100_000 },
  { key: "onhand-hnsw", label: "**onhand**, hnsw, sealed", peer: "onhand", options: { mode: "hnsw" }, largest: 100_000 },
  { key: "js-loop", label: "JavaScript loop", peer: "js-loop", largest: 100_000 },
  { key: "edgevec", label: "edgevec, l2, defaults", peer: "edgevec", package: "edgevec", options: {}, largest: 50_000 },
  // Not a contender: it shows whether the metric that most people would choose is still wrong in this version.
  { key: "edgevec-cosine", label: "edgevec, cosine", peer: "edgevec", package: "edgevec", options: { metric: "cosine" }, largest: 1_000 },
  { key: "hnswlib", label: "hnswlib-wasm, M 16, ef 100", peer: "hnswlib", package: "hnswlib-wasm", largest: 50_000 },
  { key: "voy", label: "voy", peer: "voy", package: "voy-search", largest: 50_000 },
  { key: "pglite-exact", label: "PGlite + pgvector, exact", peer: "pglite", package: "@electric-sql/pglite", options: { graph: false }, largest: 50_000 },
  { key: "pglite-hnsw", label: "PGlite + pgvector, HNSW", peer: "pglite", package: "@electric-sql/pglite", options: { graph: true }, largest: 50_000 },
  { key: "orama", label: "Orama", peer: "orama", package: "@orama/orama", largest: 50_000 },
  { key: "sqlite-vec", label: "sqlite-vec", peer: "sqlite-vec", package: "sqlite-vec-wasm-demo", largest: 50_000 },
];
