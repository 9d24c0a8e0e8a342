// Time per text of the transformer in Node, as JSON lines:
//
//   node benches/wasm/embed.mjs MODULE WEIGHTS...
//
// MODULE is `embed_wasm.wasm`, built by
//   source .toolchain/env.sh && CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="$ONHAND_WASM_RUSTFLAGS -Ctarget-feature=+simd128" \
//     cargo build --release --target wasm32-unknown-unknown --example embed_wasm
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const [module, ...files] = process.argv.slice(2);
const code = readFileSync(module);
console.log(JSON.stringify({ what: "size", bytes: code.length, gzip_bytes: gzipSync(code, { level: 9 }).length }));

const WORDS = ["the", "dog", "in", "my", "house", "is", "not", "old"];
const compiled = await WebAssembly.compile(code);

for (const file of files) {
  const { exports } = await WebAssembly.instantiate(compiled, {});
  const give = (bytes) => {
    const at = exports.room(bytes.length);
    new Uint8Array(exports.memory.buffer, at, bytes.length).set(bytes);
    return [at, bytes.length];
  };
  const weights = give(readFileSync(file));
  let start = performance.now();
  if (!exports.load(...weights)) throw new Error(`${file} is not a weight file`);
  console.log(JSON.stringify({ file, what: "load", ms: +(performance.now() - start).toFixed(1) }));
  for (const pieces of [16, 40, 128]) {
    const text = new TextEncoder().encode(Array.from({ length: pieces - 2 }, (_, i) => WORDS[i % WORDS.length]).join(" "));
    const times = [];
    let first;
    const cpu = process.cpuUsage();
    for (let round = 0; round < 25; round++) {
      start = performance.now();
      first = exports.first_component(...give(text));
      times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    // On a busy machine the processor's time says more than the clock. The first component is the same in every build.
    const cpu_ms = process.cpuUsage(cpu).user / 1000 / times.length;
    const line = { file, what: "embed", pieces, p50_ms: times[12], min_ms: times[0], cpu_ms, first };
    console.log(JSON.stringify(line, (_, x) => (typeof x === "number" ? +x.toPrecision(4) : x)));
  }
  console.log(JSON.stringify({ file, what: "memory", bytes: exports.memory.buffer.byteLength }));
}
