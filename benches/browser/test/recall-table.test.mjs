import assert from "node:assert/strict";
import { test } from "node:test";
import { withTables } from "../recall/table.mjs";

const spread = { p50: 2, p95: 4, n: 10 };
const thread = (longTasks) => ({ longestGapMs: 3, longTasks, longestTaskMs: longTasks ? 61 : null });
const memory = (longTasks) => ({ n: 1_000, ingest: { perSecond: 2_500, thread: thread(longTasks) }, recall: { ...spread, thread: thread(longTasks) }, byWords: spread, fresh: { ...spread, missed: 1 }, open: { openMs: 50, firstRecallMs: 10 }, memory: { bytes: 40e6 } });
const times = Object.fromEntries([16, 40, 128].map((n) => [n, { p50: n }]));
const run = {
  date: "2026-01-02T03:04:05Z",
  command: "node bench.mjs",
  machine: { processor: "X", threads: 2, memoryGb: 4, system: "linux 6", loadBefore: 0.5, loadAfter: 1 },
  versions: { onhand: "0.1.0", vite: undefined },
  settings: { tokens: [16, 40, 128] },
  modelBytes: { table: 2e6, minilm: 22e6, onnx: 21e6 },
  browsers: [
    { name: "chrome", version: "Chrome/1", memory: [memory(2)], embedders: { minilm: { times, codeBytes: 700_000, loadMs: 900, cosineToOrt: 0.99951 }, ort: { times: { 16: { p50: 32 }, 40: { p50: 80 }, 128: { p50: 256 } }, codeBytes: 3e6, loadMs: 1_000, cosineToOrt: 1 }, transformers: { failed: "a | b" } } },
    { name: "firefox", version: "firefox/1", memory: [memory(null)] },
    { name: "other", not_run: "it is not installed" },
  ],
};
const document = "before\n<!-- bench-recall: written by `make bench-recall` -->\nstale rows\n<!-- /bench-recall -->\nafter\n";

test("the tables stand between the marks, with what failed and what was not run", () => {
  const text = withTables(document, run);
  assert.ok(text.startsWith("before\n") && text.endsWith("\nafter\n") && !text.includes("stale rows"));
  assert.match(text, /\| 1,000 \| 2,500 \| \*\*2\.00\*\* \| 4\.00 .* 2\.00 \(1 of 10 not found\) .* 60\.0 \| 40\.0 \| 3\.00 \(2 tasks over 50 ms, longest 61\.0\)/);
  assert.match(text, /40\.0 \| 3\.00 \| 3\.00 \|/);
  assert.match(text, /onnxruntime-web, int8 ONNX \| 32\.0 \| 2\.0x/);
  assert.match(text, /fails: a \\\| b/);
  assert.match(text, /Not run: it is not installed\./);
});

test("a document without a place is not written", () => {
  assert.throws(() => withTables("nothing", run), /no place/);
});
