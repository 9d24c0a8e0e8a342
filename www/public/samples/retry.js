// Requests that are tried again. A sample for the review demo, without a mistake of the kind it looks for.

const RETRYABLE = new Set([408, 429, 500, 502, 503, 504, 529]);
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000;

/** Half of each wait is random, so that many clients that failed together do not come back together. */
export function waitMs(attempt, random = Math.random) {
  const full = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
  return full / 2 + (full / 2) * random();
}

export class GaveUp extends Error {
  constructor(url, attempts, last) {
    super(`${url} failed ${attempts} times; the last time with ${last}.`);
    this.code = "gave_up";
  }
}

export async function fetchWithRetries(url, { attempts = 4, signal, sleep, fetcher = fetch } = {}) {
  let last = "no answer";
  for (let attempt = 0; attempt < attempts; attempt++) {
    signal?.throwIfAborted();
    if (attempt > 0) await sleep(waitMs(attempt - 1), signal);
    try {
      const response = await fetcher(url, { signal });
      if (!RETRYABLE.has(response.status)) return response;
      last = `status ${response.status}`;
      await response.body?.cancel();
    } catch (error) {
      if (error.name === "AbortError") throw error;
      last = error.message;
    }
  }
  throw new GaveUp(url, attempts, last);
}
