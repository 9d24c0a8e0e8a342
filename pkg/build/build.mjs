// Builds the npm package: the engine's and the index's wasm, each with and without SIMD, the TypeScript around them, the licences.
//   node build/build.mjs [--fast]   for working on the code: quick to build, large, and the builds without SIMD are copies of those with it
import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { copyQuickJs } from "./quickjs.mjs";
import { printSizes } from "./sizes.mjs";

const pkg = join(dirname(fileURLToPath(import.meta.url)), "..");
const root = join(pkg, "..");
const target = "wasm32-unknown-unknown";
const fast = process.argv.includes("--fast");

const SIMD = "-Ctarget-feature=+simd128";
// The index is small and all loops, so it is built for speed. Binaryen's higher levels make the engine a little smaller, but a tenth
// larger to download: what they fold compresses worse.
const INDEX = { module: "onhand_index", features: ["--no-default-features", "--features", "vector-index"], optLevel: "3", wasmOpt: "-O3" };
const ENGINE = { module: "onhand", features: [], optLevel: "s", wasmOpt: "-O1" };
const builds = [
  { name: "simd", flags: SIMD, ...ENGINE },
  { name: "scalar", flags: "", ...ENGINE, copyOf: "simd" },
  { name: "index-simd", flags: SIMD, ...INDEX },
  { name: "index-scalar", flags: "", ...INDEX, copyOf: "index-simd" },
];
const FAST_PROFILE = { CARGO_PROFILE_RELEASE_LTO: "off", CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "16" };
// Features that every engine of the last two years has; anything newer would not load there.
const features = ["--enable-bulk-memory", "--enable-nontrapping-float-to-int", "--enable-sign-ext", "--enable-mutable-globals", "--enable-reference-types", "--enable-multivalue"];

const toolchain = readToolchain();
// The messages of panics name sources: not by where this machine keeps them.
const crates = join(process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "registry/src");
const dist = join(pkg, "dist");
rmSync(dist, { recursive: true, force: true });

// A linked wasm is one thread's work, so two are made at a time.
const waiting = builds.filter(({ copyOf }) => !(fast && copyOf));
const makeNext = async () => {
  for (let next; (next = waiting.shift()); ) await make(next);
};
await Promise.all([makeNext(), makeNext()]);
if (fast) for (const { name, copyOf } of builds) if (copyOf) cpSync(join(dist, "wasm", copyOf), join(dist, "wasm", name), { recursive: true });

step("TypeScript");
// The compiler needs the glue's types beside the sources.
rmSync(join(pkg, "src/wasm"), { recursive: true, force: true });
cpSync(join(dist, "wasm"), join(pkg, "src/wasm"), { recursive: true });
copyQuickJs(pkg);
await run(process.execPath, [join(pkg, "node_modules/typescript/bin/tsc")], pkg);

for (const licence of ["LICENSE-MIT", "LICENSE-APACHE"]) cpSync(join(root, licence), join(dist, licence));
if (!existsSync(join(pkg, "model/static-128-int4.bin"))) throw new Error("model/static-128-int4.bin is missing");
printSizes(pkg);

async function make({ name, flags, module, features: crateFeatures, optLevel, wasmOpt }) {
  step(`wasm, ${name}`);
  const rustflags = [toolchain.rustflags, flags, `--remap-path-prefix=${crates}=crates`].filter(Boolean).join(" ");
  const targetDir = join(root, "target", `wasm-${name}${fast ? "-fast" : ""}`);
  const env = { ...toolchain.env, ...(fast ? FAST_PROFILE : {}), CARGO_PROFILE_RELEASE_OPT_LEVEL: optLevel, CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: rustflags };
  await run("cargo", ["build", "--quiet", "--release", "--lib", "--locked", "--target", target, "--target-dir", targetDir, ...crateFeatures], root, env);
  const out = join(dist, "wasm", name);
  mkdirSync(out, { recursive: true });
  // The reset function starts a new instance where the engine runs in the page; a worker is simply replaced.
  await run("wasm-bindgen", ["--target", "web", "--experimental-reset-state-function", "--remove-name-section", "--remove-producers-section", "--out-dir", out, "--out-name", module, join(targetDir, target, "release", "onhand.wasm")], root, env);
  if (fast) return;
  const wasm = join(out, `${module}_bg.wasm`);
  const simd = flags === SIMD ? ["--enable-simd"] : [];
  await run(process.execPath, [join(pkg, "node_modules/binaryen/bin/wasm-opt"), wasmOpt, ...features, ...simd, wasm, "-o", wasm], pkg);
}

function step(what) {
  console.log(`\x1b[1m==> ${what}\x1b[0m`);
}

/** Rejects if the command fails. */
function run(command, args, cwd, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: "inherit" });
    child.on("error", reject);
    child.on("exit", (code, signal) => (code === 0 ? resolve() : reject(new Error(`${command} ended with ${code ?? signal}`))));
  });
}

/** What .ci/setup.sh wrote: where cargo and wasm-bindgen are, and the flags of the wasm target. */
function readToolchain() {
  const file = join(root, ".toolchain/env.sh");
  if (!existsSync(file)) throw new Error("run `make setup` first");
  const text = execFileSync("bash", ["-c", `. "$0" && printf '%s\\0%s' "$PATH" "$ONHAND_WASM_RUSTFLAGS"`, file], { encoding: "utf8" });
  const [path, rustflags] = text.split("\0");
  return { env: { ...process.env, PATH: path }, rustflags };
}
