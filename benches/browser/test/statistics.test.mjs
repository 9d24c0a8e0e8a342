import assert from "node:assert/strict";
import { test } from "node:test";
import { mean, percentile, recall } from "../statistics.mjs";
import { afterChanges, isDeleted, truthOf } from "../truth.mjs";

test("percentiles are values that occurred", () => {
  const values = [5, 1, 4, 2, 3];
  assert.deepEqual([0, 0.5, 0.8, 0.99, 1].map((p) => percentile(values, p)), [1, 3, 4, 5, 5]);
  assert.deepEqual(values, [5, 1, 4, 2, 3], "the input keeps its order");
  assert.equal(percentile([7], 0.5), 7);
  assert.throws(() => percentile([], 0.5));
  assert.equal(mean([1, 2, 6]), 3);
});

const truth = { ids: [1, 2, 3, 4], scores: [0.9, 0.8, 0.7, 0.7] };

test("recall counts what was found of what could be found", () => {
  assert.equal(recall([[1, 2]], [truth], 2), 1);
  assert.equal(recall([[1, 9]], [truth], 2), 0.5);
  assert.equal(recall([[]], [truth], 2), 0);
  assert.equal(recall([[9, 8, 1]], [truth], 2), 0, "only the first k count");
  assert.equal(recall([[1, 1]], [truth], 2), 0.5, "an id counts once");
  assert.equal(recall([[1, 2, 3, 4], []], [truth, truth], 4), 0.5, "over all queries");
});

test("vectors as near as the k-th best are right answers", () => {
  assert.equal(recall([[1, 2, 4]], [truth], 3), 1);
  assert.equal(recall([[4, 3, 2, 1]], [truth], 3), 2 / 3 + 1 / 3, "never more than all");
});

test("where fewer exist, fewer are asked for", () => {
  assert.equal(recall([[1, 2, 3, 4]], [truth], 10), 1);
});

/** Two components: the angle is the id in degrees, so the nearest to a query are known. */
const circle = (degrees) => Float32Array.from(degrees.flatMap((angle) => [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)]));

test("the exact neighbours of every size, filtered, with inserts and without deleted ones", () => {
  const base = circle(Array.from({ length: 100 }, (_, i) => i));
  const input = { base, queries: circle([20.3]), inserts: circle([20.4, 90]), firstInsert: 1_000, dimensions: 2 };
  const truths = truthOf({ ...input, sizes: [15, 100] });
  assert.deepEqual(truths.get(15).base[0].ids.slice(0, 3), [14, 13, 12]);
  assert.equal(truths.get(15).base[0].ids.length, 15);
  assert.deepEqual(truths.get(100).base[0].ids.slice(0, 4), [20, 21, 19, 22]);
  assert.deepEqual(truths.get(100).tenth[0].ids.slice(0, 3), [20, 30, 10]);
  assert.deepEqual(truths.get(100).hundredth[0].ids, [0]);
  const after = afterChanges(truths.get(100), 2)[0];
  assert.deepEqual(after.ids.slice(0, 6), [1_000, 20, 21, 19, 22, 18]);
  assert.ok(!after.ids.some((id) => id < 1_000 && isDeleted(id)));
  assert.ok(!afterChanges(truths.get(100), 0)[0].ids.includes(1_000));
});
