// What a user downloads, in bytes: raw, gzip -9 and brotli 11.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

/** The parts of the package, measured. A browser loads one of the two wasm builds. */
export function sizes(pkg) {
  const ofIndex = ["vector-index.js", "index-error.js", "seal.js", "seal-worker.js", "seal-protocol.js"];
  const all = readdirSync(join(pkg, "dist")).filter((name) => name.endsWith(".js"));
  const ofSandbox = all.filter((name) => name.startsWith("sandbox"));
  const scripts = all.filter((name) => !ofIndex.includes(name) && !ofSandbox.includes(name));
  const dist = (...names) => names.map((name) => join(pkg, "dist", name));
  return [
    row("engine, wasm with SIMD", dist("wasm/simd/onhand_bg.wasm")),
    row("engine, wasm without SIMD", dist("wasm/scalar/onhand_bg.wasm")),
    row("JavaScript", dist(...scripts, "wasm/simd/onhand.js", "wasm/scalar/onhand.js")),
    row("`onhand/index` by itself, wasm with SIMD", dist("wasm/index-simd/onhand_index_bg.wasm")),
    row("`onhand/index` by itself, JavaScript", dist(...ofIndex, "simd.js", "wasm/index-simd/onhand_index.js", "wasm/index-scalar/onhand_index.js")),
    row("`onhand/sandbox`, wasm of QuickJS", dist("quickjs/emscripten-module.wasm")),
    row("`onhand/sandbox`, JavaScript", dist(...ofSandbox, ...["core", "constants", "ffi", "loader"].map((name) => `quickjs/${name}.js`))),
    row("embedding table", [join(pkg, "model/static-128-int4.bin")]),
  ];
}

function row(part, files) {
  const bytes = Buffer.concat(files.map((file) => readFileSync(file)));
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
  return { part, raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotli.length };
}

/** The table as Markdown, in kB of 1,000 bytes. */
export function markdown(rows) {
  const kb = (bytes) => (bytes / 1000).toFixed(1);
  const line = ({ part, raw, gzip, brotli }) => `| ${part} | ${kb(raw)} | ${kb(gzip)} | ${kb(brotli)} |`;
  return ["| kB | raw | gzip | brotli |", "| --- | ---: | ---: | ---: |", ...rows.map(line)].join("\n");
}

export function printSizes(pkg) {
  console.log(markdown(sizes(pkg)));
}

const START = "<!-- sizes: written by `make sizes` -->";
const END = "<!-- /sizes -->";

/** Writes the table into the README, between its marks. */
export function writeSizes(pkg, readme) {
  const text = readFileSync(readme, "utf8");
  const [before, rest] = text.split(START);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`${readme} has no place for the sizes`);
  writeFileSync(readme, `${before}${START}\n${markdown(sizes(pkg))}\n${END}${after}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const pkg = join(dirname(fileURLToPath(import.meta.url)), "..");
  statSync(join(pkg, "dist"));
  if (process.argv[2]) writeSizes(pkg, process.argv[2]);
  printSizes(pkg);
}
