// Small statistics over times and answers. Times are in milliseconds.

/** The value below which the share `p` (0 to 1) of the values lies, by the nearest rank. */
export function percentile(values, p) {
  if (values.length === 0) throw new Error("a percentile of nothing");
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)];
}

export function mean(values) {
  if (values.length === 0) throw new Error("a mean of nothing");
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * The share of the true neighbours that were found, over all queries.
 *
 * `truth[i]` is `{ ids, scores }` of query i, best first, longer than `k` so that ties can be told: an id counts as right if its score
 * reaches the k-th best one. Texts that differ in case only have the same vector, and any of them is a right answer. A query
 * for which fewer than `k` vectors exist asks for as many as there are. An id that is named twice counts once.
 */
export function recall(found, truth, k) {
  let right = 0;
  let wanted = 0;
  found.forEach((ids, i) => {
    const n = Math.min(k, truth[i].ids.length);
    const threshold = truth[i].scores[n - 1] - TIE;
    const good = new Set(truth[i].ids.filter((_, at) => truth[i].scores[at] >= threshold));
    right += Math.min(n, new Set(ids.slice(0, k).filter((id) => good.has(id))).size);
    wanted += n;
  });
  return right / wanted;
}

/** Scores closer than this are equal: what float32 can tell apart at 1. */
const TIE = 1e-6;
