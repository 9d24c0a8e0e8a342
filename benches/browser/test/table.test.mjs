import assert from "node:assert/strict";
import { test } from "node:test";
import { number, ratio, share, withTables } from "../table.mjs";

const step = (ms) => ({ build: { ms: 1_500 }, warm: { p50: ms, p99: 9, processorMs: ms, ms, recall: 1 }, cold: { p50: 2 * ms } });
const run = {
  date: "2026-01-02T03:04:05Z",
  command: "node bench.mjs",
  browser: "Chrome/1",
  machine: { processor: "P", threads: 2, memoryGb: 8, system: "linux", loadBefore: 0, loadAfter: 0.5 },
  data: { text: "T", model: "M", dimensions: 384, base: { sha256: "a".repeat(64) }, queries: { vectors: 5, sha256: "b".repeat(64) } },
  settings: { k: 10, rounds: 1, perRound: 5, coldRounds: 1, perColdRound: 5, filtered: 5, inserts: 5, reference: "onhand-auto" },
  versions: { onhand: "1.0.0" },
  variants: [
    { key: "onhand-auto", label: "ours" },
    { key: "onhand-scan", label: "ours, scan" },
    { key: "other", label: "other" },
    { key: "broken", label: "broken" },
  ],
  limits: { 1000: { bytes: 48_000, ms: 0.001, gigabytesPerSecond: 48 } },
  results: [
    { n: 1000, variant: "onhand-auto", steps: step(0.2) },
    { n: 1000, variant: "onhand-scan", steps: step(0.1) },
    { n: 1000, variant: "other", steps: { ...step(3), load: { failed: "no | way" }, save: { ms: 12 } } },
    { n: 1000, variant: "broken", steps: { build: { failed: "no | way" } } },
  ],
};
const DOCUMENT = "before\n<!-- bench-index: written by `make bench-index` -->\nformer table\n<!-- /bench-index -->\nafter\n";

test("numbers keep what they are worth", () => {
  assert.deepEqual([0, 0.00312, 0.0456, 1.234, 45.67, 1234.5, undefined].map(number), ["0.00", "0.003", "0.046", "1.23", "45.7", "1,235", "-"]);
  assert.deepEqual([1, 0.99999, 0.5, undefined].map(share), ["1", "0.9999", "0.5000", "-"]);
  assert.deepEqual([ratio(3, 0.2), ratio(0.3, 0.2), ratio(1, undefined), ratio(undefined, 1)], ["15x", "1.5x", "-", "-"]);
});

test("the tables replace what was between the marks", () => {
  const text = withTables(DOCUMENT, run);
  assert.match(text, /^before\n<!-- bench-index/);
  assert.match(text, /<!-- \/bench-index -->\nafter\n$/);
  assert.ok(!text.includes("former table"));
  assert.equal(withTables(text, run), text, "writing it again changes nothing");
  assert.throws(() => withTables("no place", run), /no place/);
});

test("every row has a cell for each column, whatever failed", () => {
  const rows = withTables(DOCUMENT, run).split("\n").filter((line) => line.startsWith("| "));
  assert.equal(rows.length, 2 * (2 + 4));
  for (const table of [rows.slice(0, 6), rows.slice(6)]) {
    const columns = new Set(table.map((line) => line.split(/(?<!\\)\|/).length));
    assert.equal(columns.size, 1, table.join("\n"));
  }
});

test("a failure is in its cell with its reason below, and what was not measured is called so", () => {
  const text = withTables(DOCUMENT, run);
  assert.match(text, /\| other \| 12\.0 \| fails \[1\] \| not run \|/);
  assert.match(text, /\| broken \| fails \[1\] \|/);
  assert.match(text, /^\[1\] no \\\| way$/m);
});

test("ratios are against ours, and the limit against the scan", () => {
  const text = withTables(DOCUMENT, run);
  assert.match(text, /\| other \| 1\.50 \| not run \| \*\*3\.00\*\* \| 15x \|/);
  assert.match(text, /takes 100x that/);
});
