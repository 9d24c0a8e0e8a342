// Measures a whole memory in Chromium and Firefox, and the embedders beside others, and writes what it saw.
//
//   node recall/bench.mjs [--quick] [--sizes 1000,10000] [--browsers chrome,firefox] [--only memory|embedders|opening] [--out FILE] [--remark TEXT]
//
// Only the full run is recorded as benches/results/recall.json and written into docs/benchmarks.md; any other goes to a file beside it, and
// `node recall/table.mjs FILE` writes it into the document. docs/benchmarks.md says what each figure means.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, platform, release, totalmem } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { downloadBytes, serve } from "../server.mjs";
import { mean, percentile } from "../statistics.mjs";
import { openBrowser } from "./browsers.mjs";
import { writeTables } from "./table.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../../..");
const data = join(here, "../data/out");
const models = join(data, "models");

const FULL = { openTurns: 50_000, openFacts: 10_000, openings: 7, sizes: [1_000, 10_000, 60_000, 200_000], asked: 300, warmup: 20, fresh: 20, rounds: 8, perRound: 4 };
const QUICK = { openTurns: 5_000, openFacts: 1_000, openings: 3, sizes: [1_000, 10_000], asked: 100, warmup: 10, fresh: 10, rounds: 3, perRound: 3 };
const CONTENDERS = ["table", "minilm", "ort", "transformers"];
const TOKENS = [16, 40, 128];

const { values: options } = parseArgs({
  options: { quick: { type: "boolean", default: false }, sizes: { type: "string" }, browsers: { type: "string" }, only: { type: "string" }, out: { type: "string" }, remark: { type: "string" } },
});
const settings = options.quick ? { ...QUICK } : { ...FULL };
if (options.sizes) settings.sizes = options.sizes.split(",").map(Number).sort((a, b) => a - b);
const names = (options.browsers ?? "chrome,firefox").split(",");
const isFull = !options.quick && !options.sizes && !options.browsers && !options.only;
const out = options.out ?? join(root, "benches/results", isFull ? "recall.json" : "recall-partial.json");

const say = (what) => console.log(`[${new Date().toISOString().slice(11, 19)}] ${what}`);
const spread = (times) => ({ p50: percentile(times, 0.5), p95: percentile(times, 0.95), n: times.length });

/** One memory that grows from size to size. Recall is measured with the table and, on the same turns, by words alone. */
async function memories(browser, port, settings) {
  const url = `http://localhost:${port}/memory.html`;
  const results = [];
  let before = 0;
  for (const n of settings.sizes) {
    const result = { n };
    const open = { embedder: "default", user: "table" };
    let page = await browser.open(url);
    await page.call("open", open);
    await page.call("counted", before);
    const filled = await page.call("fill", n);
    result.ingest = { turns: filled.turns, ms: filled.ms, perSecond: (filled.turns / filled.ms) * 1000, thread: filled.thread };
    say(`${n}: ${Math.round(result.ingest.perSecond)} turns a second`);
    result.fresh = await page.call("fresh", settings.fresh).then(({ times, calls, missed }) => ({ ...spread(times), recordMs: percentile(calls, 0.5), missed }));
    before = n + settings.fresh;
    await page.call("close");
    await page.close();

    // As on the next visit.
    page = await browser.open(url);
    const empty = browser.bytes();
    result.open = await page.call("open", open);
    const asked = await page.call("ask", { count: settings.asked, warmup: settings.warmup, seed: 2 });
    result.recall = { ...spread(asked.times), items: asked.items, thread: asked.thread };
    result.memory = { bytes: browser.bytes() - empty };
    result.counts = (await page.call("status")).counts;
    await page.call("close");
    await page.close();

    page = await browser.open(url);
    await page.call("open", { embedder: "none", user: "table" });
    const words = await page.call("ask", { count: settings.asked, warmup: settings.warmup, seed: 2 });
    result.byWords = spread(words.times);
    await page.call("close");
    result.complaints = page.complaints;
    await page.close();
    say(`${n}: recall ${result.recall.p50.toFixed(2)} ms, p95 ${result.recall.p95.toFixed(2)}, by words ${result.byWords.p50.toFixed(2)}; first answer after ${Math.round(result.open.openMs + result.open.firstRecallMs)} ms`);
    results.push(result);
  }
  return results;
}

/** Each contender is loaded once; then they answer in turns, the order reversed every second time. */
async function embedders(browser, server, settings, host) {
  const page = await browser.open(`http://${host}.localhost:${server.port}/embedders.html`);
  const bytes = readFileSync(join(models, "minilm.bin"));
  const weights = { ...weightsOf(), url: "/data/models/minilm.bin", bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  const results = {};
  const seen = () => new Set(server.requested.get(host) ?? []);
  const harness = seen();
  for (const name of CONTENDERS) {
    // The table and the transformer are one module: what the first of the two fetched serves the second, too.
    const before = name === "minilm" ? harness : seen();
    try {
      const { ms } = await page.call("loadAs", { name, weights });
      const files = [...seen()].filter((path) => !before.has(path) && !path.endsWith(".bin"));
      results[name] = { loadMs: ms, codeBytes: files.reduce((sum, path) => sum + downloadBytes(path), 0), files: files.map((path) => path.split("/").pop()), times: Object.fromEntries(TOKENS.map((tokens) => [tokens, []])) };
      say(`${name} is loaded after ${Math.round(ms)} ms`);
    } catch (error) {
      results[name] = { failed: String(error.message ?? error).split("\n")[0].slice(0, 300) };
      say(`${name} fails: ${results[name].failed}`);
    }
  }
  const working = CONTENDERS.filter((name) => !results[name].failed);
  for (let round = 0; round < settings.rounds; round++) {
    for (const name of round % 2 ? [...working].reverse() : working) {
      for (const tokens of TOKENS) results[name].times[tokens].push(...(await page.call("time", { name, tokens, count: settings.perRound, round })));
    }
  }
  const vectors = {};
  for (const name of working) vectors[name] = await page.call("vector", name);
  const cosine = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  for (const name of working) {
    const result = results[name];
    result.times = Object.fromEntries(TOKENS.map((tokens) => [tokens, { ...spread(result.times[tokens]), mean: mean(result.times[tokens]), least: Math.min(...result.times[tokens]) }]));
    if (name !== "table" && vectors.ort) result.cosineToOrt = cosine(vectors[name], vectors.ort);
    say(`${name}: ${TOKENS.map((tokens) => `${tokens} tokens ${result.times[tokens].p50.toFixed(2)} ms`).join(", ")}`);
  }
  await page.close();
  return results;
}

/** Openings of one memory with many turns and facts, first from its records, then from the kept index; and of an empty one beside it. */
async function opening(name, port, settings) {
  const url = `http://localhost:${port}/memory.html`;
  const result = { turns: settings.openTurns, facts: settings.openFacts };
  let browser = await openBrowser(name);
  const visit = async (options) => {
    const page = await browser.open(url);
    const { openMs, firstRecallMs, items, partial, wholeMs, thread } = await page.call("open", { embedder: "default", user: "opening", ...options });
    const { keptIndex, counts } = await page.call("status");
    await page.call("close");
    await page.close();
    return { totalMs: openMs + firstRecallMs, openMs, firstRecallMs, items, partial, wholeMs, used: keptIndex.used, counts, thread };
  };
  const visits = async (options) => {
    const all = [];
    for (let i = 0; i < settings.openings; i++) all.push(await visit(options));
    return { totals: spread(all.map(({ totalMs }) => totalMs)), whole: spread(all.map(({ wholeMs }) => wholeMs)), all };
  };
  try {
    const page = await browser.open(url);
    await page.call("open", { embedder: "default", user: "opening", keeps: false });
    await page.call("fill", settings.openTurns);
    result.learnt = await page.call("learn", settings.openFacts);
    await page.call("close");
    await page.close();
    say("filled");

    result.fromRecords = await visits({ keeps: false });
    say(`from records: an answer after ${Math.round(result.fromRecords.totals.p50)} ms, by all of it after ${Math.round(result.fromRecords.whole.p50)}`);
    const keeper = await browser.open(url);
    await keeper.call("open", { embedder: "default", user: "opening" });
    result.kept = await keeper.call("kept");
    await keeper.call("close");
    await keeper.close();
    say(`kept in ${Math.round(result.kept.ms)} ms: ${result.kept.segments} segments`);
    result.fromIndex = await visits({ keeps: false });
    result.empty = await visits({ user: "nobody", keeps: false });
    say(`from the kept index: ${Math.round(result.fromIndex.totals.p50)} ms; an empty memory: ${Math.round(result.empty.totals.p50)} ms`);
    // Another process, which has nothing of it in memory; the system may still have the files.
    await browser.close({ keeps: true });
    browser = await openBrowser(name, browser.userDataDir);
    result.newProcess = await visit({ keeps: false });
    say(`in a new browser: ${Math.round(result.newProcess.totalMs)} ms`);
  } finally {
    await browser.close();
  }
  return result;
}

function weightsOf() {
  const source = readFileSync(join(root, "pkg/weights/minilm/index.js"), "utf8");
  return { id: /id = "([^"]+)"/.exec(source)[1] };
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
  const server = await serve(join(here, "../dist-recall"), data);
  const started = new Date();
  const run = {
    what: "a whole memory in browsers, and embedders",
    date: started.toISOString(),
    command: ["node benches/browser/recall/bench.mjs", ...process.argv.slice(2).filter((argument, i, all) => argument !== "--remark" && all[i - 1] !== "--remark")].join(" "),
    commit: commit(),
    machine: { processor: cpus()[0].model.trim(), threads: cpus().length, memoryGb: Math.round(totalmem() / 2 ** 30), system: `${platform()} ${release()}`, loadBefore: loadavg()[0] },
    node: process.version,
    versions: Object.fromEntries(["onhand", "onnxruntime-web", "@huggingface/transformers", "puppeteer-core", "vite"].map((name) => [name, versionOf(name)])),
    remark: options.remark,
    settings: { ...settings, tokens: TOKENS },
    modelBytes: existsSync(models) ? { table: downloadBytes(join(root, "pkg/model/static-128-int4.bin")), minilm: downloadBytes(join(models, "minilm.bin")), onnx: downloadBytes(join(models, "all-MiniLM-L6-v2/onnx/model_quantized.onnx")) } : undefined,
    browsers: [],
  };
  const write = () => {
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(out, JSON.stringify(run, rounded, 1) + "\n");
  };
  try {
    for (const name of names) {
      const browser = await openBrowser(name);
      if (!browser) {
        run.browsers.push({ name, not_run: "it is not installed" });
        continue;
      }
      const of = { name, version: browser.version, loads: [loadavg()[0]] };
      run.browsers.push(of);
      say(browser.version);
      try {
        if (!options.only || options.only === "opening") of.opening = await opening(name, server.port, settings);
        write();
        if (!options.only || options.only === "embedders") of.embedders = existsSync(models) ? await embedders(browser, server, settings, `embedders-${name}`) : { not_run: "there are no models: run benches/browser/recall/models.sh" };
        write();
        if (!options.only || options.only === "memory") of.memory = await memories(browser, server.port, settings);
      } catch (error) {
        of.failed = String(error.message ?? error).split("\n")[0];
        say(`${name} failed: ${of.failed}`);
        process.exitCode = 1;
      } finally {
        of.loads.push(loadavg()[0]);
        await browser.close();
        // Written after every browser: an interrupted run keeps what it has.
        write();
      }
    }
    run.machine.loadAfter = loadavg()[0];
    run.minutes = (Date.now() - started) / 60_000;
    write();
  } finally {
    server.close();
  }
  say(`wrote ${relative(root, out)}`);
  if (isFull && !process.exitCode) {
    writeTables(run, join(root, "docs/benchmarks.md"));
    say("wrote docs/benchmarks.md");
  }
}

await main();
