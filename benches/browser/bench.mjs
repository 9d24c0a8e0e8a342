// Measures onhand's vector index against others in one Chromium and writes what it saw.
//
//   node bench.mjs [--sizes 1000,10000,50000,100000] [--peers onhand,js-loop] [--quick] [--out FILE]
//
//   --peers   variants by key (`onhand-scan`) or all of a peer (`onhand`)
//   --quick   sizes 1,000 and 10,000 and fewer queries: some minutes
//
// Only the full run is recorded as benches/results/index.json and written into docs/benchmarks.md; any other goes to a file beside it,
// and `node table.mjs FILE` writes it into the document.
//
// See docs/benchmarks.md for what each figure means.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, platform, release, totalmem } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openChromium, openPage } from "./chromium.mjs";
import { FIRST_INSERT, K, Measurement } from "./measure.mjs";
import { serve } from "./server.mjs";
import { writeTables } from "./table.mjs";
import { truthOf } from "./truth.mjs";
import { OURS, VARIANTS } from "./variants.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const data = join(here, "data/out");
const DIMENSIONS = 384;

const FULL = { rounds: 10, perRound: 50, coldRounds: 4, perColdRound: 25, filtered: 200, inserts: 200 };
const QUICK = { rounds: 4, perRound: 25, coldRounds: 2, perColdRound: 10, filtered: 50, inserts: 50 };

const { values: options } = parseArgs({
  options: {
    sizes: { type: "string" },
    peers: { type: "string" },
    quick: { type: "boolean", default: false },
    out: { type: "string" },
  },
});
const settings = options.quick ? QUICK : FULL;
const sizes = (options.sizes ?? (options.quick ? "1000,10000" : "1000,10000,50000,100000")).split(",").map(Number).sort((a, b) => a - b);
const wanted = options.peers?.split(",");
const variants = VARIANTS.filter(({ key, peer }) => !wanted || wanted.includes(key) || wanted.includes(peer));
if (variants.length === 0 || sizes.some((n) => !(n > 0))) throw new Error("nothing to measure: see --peers and --sizes");
const isFull = !options.quick && !options.peers && !options.sizes;
const out = options.out ?? join(root, "benches/results", isFull ? "index.json" : "index-partial.json");

const say = (what) => console.log(`[${new Date().toISOString().slice(11, 19)}] ${what}`);
const fixed = (value) => (value === undefined ? "-" : value.toFixed(3));

const vectors = (name, n) => {
  const bytes = readFileSync(join(data, `${name}.f32`));
  const all = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  if (n !== undefined && all.length < n * DIMENSIONS) throw new Error(`${name}.f32 has ${all.length / DIMENSIONS} vectors, ${n} are asked for`);
  return n === undefined ? all : all.subarray(0, n * DIMENSIONS);
};

function versionOf(name) {
  const path = join(here, "node_modules", name, "package.json");
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).version : undefined;
}

async function measureSize(n, truth, context, server) {
  const measurements = variants.filter(({ largest }) => n <= largest).map((variant) => new Measurement({ variant, n, truth, context, server, settings }));
  for (const measurement of measurements) {
    await measurement.build();
    const { build } = measurement.result.steps;
    say(`${n} ${measurement.variant.key}: ${build.failed ?? `built in ${(build.ms / 1000).toFixed(2)} s`}`);
  }
  // In turns, the order reversed every second time, so that a slow minute of the machine hits all alike.
  const order = (round) => (round % 2 ? [...measurements].reverse() : measurements);
  for (let round = 0; round < settings.rounds; round++) for (const measurement of order(round)) await measurement.warmRound(round);
  say(`${n}: warm queries done`);
  for (let round = 0; round < settings.coldRounds; round++) for (const measurement of order(round)) await measurement.coldRound(round);
  say(`${n}: cold queries done`);
  const results = [];
  for (const measurement of measurements) {
    const result = await measurement.finish();
    const { warm, cold } = result.steps;
    say(`${n} ${result.variant}: warm ${fixed(warm?.ms)} ms, cold ${fixed(cold?.p50)} ms, recall ${fixed(warm?.recall)}`);
    results.push(result);
  }
  return results;
}

/** The time that reading the 1-bit codes of `n` vectors takes, and nothing else. */
async function limits(context, server) {
  const page = await openPage(context, server.port, "limit");
  const found = {};
  for (const n of sizes) found[n] = await page.call("limit", [(n * DIMENSIONS) / 8]);
  await page.close();
  return found;
}

async function main() {
  if (!existsSync(join(data, "data.json"))) throw new Error("there are no vectors: run benches/browser/data/make.sh first");
  const about = JSON.parse(readFileSync(join(data, "data.json"), "utf8"));
  const largest = sizes.at(-1);
  const queries = vectors("queries", settings.rounds * settings.perRound);
  const truths = truthOf({ base: vectors("base", largest), queries, inserts: vectors("inserts", settings.inserts), firstInsert: FIRST_INSERT, dimensions: DIMENSIONS, sizes, say });
  const server = await serve(join(here, "dist"), data);
  const chromium = await openChromium();
  const started = new Date();
  const run = {
    what: "onhand vector index and others in one browser",
    date: started.toISOString(),
    command: ["node benches/browser/bench.mjs", ...process.argv.slice(2)].join(" "),
    commit: commit(),
    machine: { processor: cpus()[0].model.trim(), threads: cpus().length, memoryGb: Math.round(totalmem() / 2 ** 30), system: `${platform()} ${release()}`, loadBefore: loadavg()[0] },
    browser: chromium.version,
    node: process.version,
    data: about,
    settings: { k: K, ...settings, reference: OURS },
    versions: Object.fromEntries(["onhand", ...new Set(VARIANTS.flatMap((variant) => variant.package ?? [])), "@electric-sql/pglite-pgvector", "vite"].map((name) => [name, versionOf(name)])),
    variants: variants.map(({ key, label, package: name, options: set, largest: most }) => ({ key, label, package: name, options: set, largest: most })),
    limits: {},
    results: [],
  };
  const write = () => {
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(out, JSON.stringify(run, rounded, 1) + "\n");
  };
  try {
    run.limits = await limits(chromium.context, server);
    for (const n of sizes) {
      run.results.push(...(await measureSize(n, truths.get(n), chromium.context, server)));
      // Written after every size: an interrupted run keeps what it has.
      write();
    }
    run.machine.loadAfter = loadavg()[0];
    run.minutes = (Date.now() - started) / 60_000;
    write();
  } finally {
    await chromium.close();
    server.close();
  }
  say(`wrote ${relative(root, out)}`);
  // Another index that fails is a finding; ours is a fault.
  const broken = run.results.filter(({ variant, steps }) => variant.startsWith("onhand") && Object.values(steps).some((step) => step?.failed));
  if (broken.length > 0) {
    console.error(`onhand failed: ${broken.map(({ n, variant }) => `${variant} at ${n}`).join(", ")}`);
    process.exitCode = 1;
  }
  if (isFull) {
    writeTables(run, join(root, "docs/benchmarks.md"));
    say("wrote docs/benchmarks.md");
  }
}

/** Six digits are more than any of it is worth. */
function rounded(_, value) {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}

function commit() {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty"], { cwd: here, encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
}

await main();
