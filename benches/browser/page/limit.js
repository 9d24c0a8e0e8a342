// How fast one wasm thread reads memory: what no scan can beat.

// A module that exclusive-ors all of its memory from `at` to `end` (multiples of 128 bytes apart) with eight 16-byte loads a turn, into
// four sums so that loads do not wait for each other:
//   (loop (local.set $a (v128.xor (local.get $a) (v128.load (local.get $at)))) ... and b, c, d, twice, at += 128)
const MODULE =
  "AGFzbQEAAAABBwFgAn9/AX4DAgEABQMBAAEHEQIGbWVtb3J5AgAEcmVhZAAACogBAYUBAQR7A0AgAiAA/QAEAP1RIQIgAyAA/QAEEP1RIQMgBCAA/QAEIP1RIQQgBSAA/QAEMP1RIQUgAiAA/QAEQP1RIQIgAyAA/QAEUP1RIQMgBCAA/QAEYP1RIQQgBSAA/QAEcP1RIQUgAEGAAWoiACABSQ0ACyACIAP9USAEIAX9Uf1R/R0ACw==";
/** Passes are repeated for this long, so that the clock's steps do not count. */
const TIMED_MS = 20;
const REPEATS = 15;

/** The best of several timings of reading `bytes` over and over: milliseconds for one pass, and GB/s. */
export async function measureReads(bytes) {
  const { instance } = await WebAssembly.instantiate(Uint8Array.from(atob(MODULE), (c) => c.charCodeAt(0)));
  const { memory, read } = instance.exports;
  const end = Math.ceil(bytes / 128) * 128;
  memory.grow(Math.ceil(end / 65_536));
  // Untouched pages would all be the same page of zeros.
  new Uint8Array(memory.buffer).fill(1);
  let best = Infinity;
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    let passes = 0;
    const start = performance.now();
    do {
      read(0, end);
      passes += 1;
    } while (performance.now() - start < TIMED_MS);
    best = Math.min(best, (performance.now() - start) / passes);
  }
  return { bytes, ms: best, gigabytesPerSecond: bytes / best / 1e6 };
}
