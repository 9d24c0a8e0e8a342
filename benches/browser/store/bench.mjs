// Writes, opens, exports and imports the same turns with onhand, Dexie and PGlite, in turns in one Chromium.
//
//   node store/bench.mjs [--quick] [--sizes 1000,10000] [--only onhand,dexie] [--out FILE] [--remark TEXT]
//
// Only the full run is recorded as benches/results/store.json and written into docs/benchmarks.md; any other goes to a file beside it, and
// `node store/table.mjs FILE` writes it into the document. docs/benchmarks.md says what each figure means and what each store guarantees.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, platform, release, totalmem } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openChromium } from "../chromium.mjs";
import { browserProcessorMs } from "../processor.mjs";
import { serve } from "../server.mjs";
import { percentile } from "../statistics.mjs";
import { writeTables } from "./table.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../../..");

const CONTENDERS = ["onhand", "onhand-words", "dexie", "pglite-idb", "pglite-opfs"];
/** `exchanges` of two turns are written one transaction each; a size is reached in `chunks`, in batches of `perBatch`. */
const FULL = { sizes: [1_000, 10_000, 100_000], chunks: 5, perBatch: 100, rounds: 5, exchanges: 20, opens: 5, transfers: 3 };
const QUICK = { sizes: [1_000, 10_000], chunks: 3, perBatch: 100, rounds: 3, exchanges: 10, opens: 3, transfers: 1 };
/** A store that is slower than this with a step is left out from then on, and the table says so. */
const STEP_LIMIT_MS = 300_000;

const { values: options } = parseArgs({
  options: { quick: { type: "boolean", default: false }, sizes: { type: "string" }, only: { type: "string" }, out: { type: "string" }, remark: { type: "string" } },
});
const settings = options.quick ? { ...QUICK } : { ...FULL };
if (options.sizes) settings.sizes = options.sizes.split(",").map(Number).sort((a, b) => a - b);
const names = options.only?.split(",") ?? CONTENDERS;
const isFull = !options.quick && !options.sizes && !options.only;
const out = options.out ?? join(root, "benches/results", isFull ? "store.json" : "store-partial.json");

const say = (what) => console.log(`[${new Date().toISOString().slice(11, 19)}] ${what}`);
const firstLine = (error) => String(error.message ?? error).split("\n")[0].replace(/^page\.evaluate: /, "");

/** The stores in turns, the order reversed every second time, so that none always comes after the same one. */
class Race {
  constructor(browser, port) {
    this.browser = browser;
    this.port = port;
    this.pages = new Map();
    this.out = new Map();
    this.turn = 0;
  }

  async open(name) {
    const page = await this.browser.context.newPage();
    await page.goto(`http://${name}.localhost:${this.port}/`);
    await page.waitForFunction(() => window.bench);
    this.pages.set(name, page);
    return this.call(name, "open");
  }

  async close(name) {
    await this.call(name, "close");
    await this.pages.get(name).close();
  }

  /** Calls a method of `window.bench`; adds what the whole browser used of the processor. Rejects after the limit. */
  async call(name, method, argument) {
    const before = browserProcessorMs();
    let timer;
    const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`no answer in ${STEP_LIMIT_MS / 1000} s`)), STEP_LIMIT_MS)));
    const answer = this.pages.get(name).evaluate(([method, argument]) => window.bench[method](argument), [method, argument]);
    answer.catch(() => {});
    try {
      const value = await Promise.race([answer, late]);
      return typeof value === "object" && value ? { ...value, processorMs: browserProcessorMs() - before } : value;
    } finally {
      clearTimeout(timer);
    }
  }

  /** `work(name)` for each store that is still in; gives what came of it by name. */
  async each(work) {
    const found = {};
    const order = names.filter((name) => !this.out.has(name));
    if (this.turn++ % 2 === 1) order.reverse();
    for (const name of order) {
      try {
        found[name] = await work(name);
      } catch (error) {
        this.out.set(name, firstLine(error));
        say(`${name} is out: ${firstLine(error)}`);
      }
    }
    return found;
  }
}

/** Results of rounds as one figure: the middle one of times, the sum of processor time by turn. */
function gathered(rounds, turnsOf) {
  const ms = rounds.map((round) => round.ms);
  const turns = rounds.map(turnsOf);
  return {
    perSecond: percentile(rounds.map((round, i) => (turns[i] / round.ms) * 1_000), 0.5),
    slowest: Math.min(...rounds.map((round, i) => (turns[i] / round.ms) * 1_000)),
    processorMsPerTurn: rounds.reduce((sum, round) => sum + round.processorMs, 0) / turns.reduce((sum, n) => sum + n, 0),
    ms: ms.reduce((sum, n) => sum + n, 0),
    rounds: rounds.length,
  };
}

async function measure(race, results, write) {
  await race.each((name) => race.open(name));
  let filled = 0;
  for (const n of settings.sizes) {
    const of = Object.fromEntries(names.map((name) => [name, { n }]));
    const keep = async (rounds, argument, as, turnsOf) => {
      const all = {};
      for (let i = 0; i < rounds; i++) {
        const found = await race.each((name) => (typeof argument === "function" ? argument(name) : race.call(name, "write", argument)));
        for (const [name, value] of Object.entries(found)) (all[name] ??= []).push(value);
      }
      for (const [name, values] of Object.entries(all)) if (!race.out.has(name)) of[name][as] = gathered(values, turnsOf);
    };
    const perChunk = Math.round((n - filled) / settings.chunks / settings.perBatch) * settings.perBatch;
    await keep(settings.chunks, { turns: perChunk, perTransaction: settings.perBatch }, "batches", () => perChunk);
    filled += perChunk * settings.chunks;
    await keep(settings.rounds, { turns: 2 * settings.exchanges, perTransaction: 2 }, "exchanges", () => 2 * settings.exchanges);
    filled += settings.rounds * 2 * settings.exchanges;
    const counts = await race.each((name) => race.call(name, "count"));
    for (const [name, count] of Object.entries(counts)) if (count !== filled) throw new Error(`${name} holds ${count} of ${filled}`);

    const opened = async (name) => {
      await race.close(name);
      return race.open(name);
    };
    await keep(settings.opens, opened, "open", () => 1);
    await keep(settings.transfers, (name) => race.call(name, "export"), "export", () => filled);
    await keep(settings.transfers, (name) => race.call(name, "import"), "import", () => filled);
    for (const name of names) {
      if (race.out.has(name)) of[name].failed = race.out.get(name);
      results.push({ name, turns: filled, ...of[name] });
    }
    const rates = names.filter((name) => of[name].exchanges).map((name) => `${name} ${Math.round(of[name].exchanges.perSecond)}/${Math.round(of[name].batches.perSecond)}`);
    say(`${n}: turns a second, exchanges and batches: ${rates.join(", ")}`);
    write();
    // A page counts its turns from nothing: ids go on where the others left off.
    await race.each((name) => race.pages.get(name).evaluate((n) => window.bench.goOn(n), filled));
  }
}

function versionOf(name) {
  const path = join(here, "../node_modules", name, "package.json");
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).version : undefined;
}

function commit() {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty"], { cwd: here, encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
}

/** Six digits are more than any of it is worth. */
const rounded = (_, value) => (typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value);

async function main() {
  const server = await serve(join(here, "../dist-store"), join(here, "../data"));
  const browser = await openChromium();
  const started = new Date();
  const run = {
    what: "the store in the page",
    date: started.toISOString(),
    command: ["node benches/browser/store/bench.mjs", ...process.argv.slice(2).filter((argument, i, all) => argument !== "--remark" && all[i - 1] !== "--remark")].join(" "),
    commit: commit(),
    machine: { processor: cpus()[0].model.trim(), threads: cpus().length, memoryGb: Math.round(totalmem() / 2 ** 30), system: `${platform()} ${release()}`, loadBefore: loadavg()[0] },
    browser: browser.version,
    node: process.version,
    versions: Object.fromEntries(["onhand", "dexie", "dexie-export-import", "@electric-sql/pglite", "playwright-core", "vite"].map((name) => [name, versionOf(name)])),
    remark: options.remark,
    settings,
    results: [],
  };
  const write = () => {
    mkdirSync(dirname(out), { recursive: true });
    run.machine.loadAfter = loadavg()[0];
    run.minutes = (Date.now() - started) / 60_000;
    writeFileSync(out, JSON.stringify(run, rounded, 1) + "\n");
  };
  try {
    await measure(new Race(browser, server.port), run.results, write);
  } finally {
    write();
    await browser.close();
    server.close();
  }
  say(`wrote ${relative(root, out)}`);
  if (isFull) {
    writeTables(run, join(root, "docs/benchmarks.md"));
    say("wrote docs/benchmarks.md");
  }
}

await main();
