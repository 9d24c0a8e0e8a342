// From a recorded run to the tables of docs/benchmarks.md. `node table.mjs RUN.json` writes them again without measuring.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const START = "<!-- bench-index: written by `make bench-index` -->";
const END = "<!-- /bench-index -->";

/** About three digits, and no more than three after the point. */
export function number(value) {
  if (value === undefined || value === null || Number.isNaN(value)) return "-";
  const size = Math.abs(value);
  if (size !== 0 && size < 0.1) return value.toFixed(3);
  if (size < 10) return value.toFixed(2);
  if (size < 100) return value.toFixed(1);
  return Math.round(value).toLocaleString("en-US");
}

/** Recall as a share with enough digits to tell .9998 from 1, which only stands for all found. */
export function share(value) {
  if (value === undefined || value === null) return "-";
  return value === 1 ? "1" : Math.min(value, 0.9999).toFixed(4);
}

/** How many times as long as ours. */
export function ratio(value, ours) {
  return value === undefined || !ours ? "-" : `${value / ours < 10 ? (value / ours).toFixed(1) : Math.round(value / ours)}x`;
}

/** Numbers the reasons of failures and other remarks, each once. */
class Footnotes {
  constructor() {
    this.texts = [];
  }
  mark(text) {
    const clean = String(text).replaceAll("|", "\\|").slice(0, 200);
    if (!this.texts.includes(clean)) this.texts.push(clean);
    return `[${this.texts.indexOf(clean) + 1}]`;
  }
  lines() {
    return this.texts.map((text, i) => `[${i + 1}] ${text}\n`);
  }
}

/** A cell of one step: what `show` makes of it, or the failure. */
function cell(step, footnotes, show) {
  if (step === undefined) return "not run";
  if (step.failed) return `fails ${footnotes.mark(step.failed)}`;
  return show(step);
}

const row = (cells) => `| ${cells.join(" | ")} |`;
const head = (names) => [row(names), row(names.map((_, i) => (i === 0 ? "---" : "---:")))];

/** The tables of one size. */
function ofSize(run, n, reference) {
  const footnotes = new Footnotes();
  const results = run.results.filter((result) => result.n === n);
  const label = (result) => run.variants.find(({ key }) => key === result.variant)?.label ?? result.variant;
  const ours = results.find((result) => result.variant === reference)?.steps;
  const queries = head(["index", "build s", "insert ms", "query ms", "x", "wall p50", "p99", "CPU", "cold p50", "x", "recall@10", "MB"]);
  const rest = head(["index", "save ms", "cold load ms", "1 in 10 allowed: found, recall, ms", "1 in 100 allowed", "deleted that came back", "recall after changes", "inserts found", "download kB"]);
  for (const result of results) {
    const { steps } = result;
    if (steps.build.failed) {
      const failed = cell(steps.build, footnotes);
      queries.push(row([label(result), failed, ...Array(10).fill("")]));
      rest.push(row([label(result), failed, ...Array(7).fill("")]));
      continue;
    }
    const of = (name, show) => cell(steps[name], footnotes, show);
    const build = `${number(steps.build.ms / 1000)}${steps.build.sealMs === undefined ? "" : ` + ${number(steps.build.sealMs / 1000)}`}${steps.build.note ? ` ${footnotes.mark(`${label(result)}: ${steps.build.note}`)}` : ""}`;
    queries.push(
      row([
        label(result),
        build,
        of("insert", ({ ms }) => number(ms)),
        of("warm", ({ ms }) => `**${number(ms)}**`),
        of("warm", ({ ms }) => ratio(ms, ours?.warm?.ms)),
        of("warm", ({ p50 }) => number(p50)),
        of("warm", ({ p99 }) => number(p99)),
        of("warm", ({ processorMs }) => number(processorMs)),
        of("cold", ({ p50 }) => number(p50)),
        of("cold", ({ p50 }) => ratio(p50, ours?.cold?.p50)),
        of("warm", ({ recall }) => share(recall)),
        of("memory", ({ bytes }) => number(bytes / 1e6)),
      ]),
    );
    const filtered = ({ results: found, recall, ms, wrong }) => `${number(found)}, ${share(recall)}, ${number(ms)}${wrong ? ` (${wrong} not allowed)` : ""}`;
    rest.push(
      row([
        label(result),
        of("save", ({ ms }) => number(ms)),
        of("load", ({ ms, recall }) => (recall < 0.5 ? `${number(ms)} (recall ${share(recall)})` : number(ms))),
        of("tenth", filtered),
        of("hundredth", filtered),
        of("delete", ({ back }) => String(back)),
        of("delete", ({ recall }) => share(recall)),
        of("insert", ({ found, count }) => `${found} of ${count}`),
        of("download", ({ bytes }) => number(bytes / 1000)),
      ]),
    );
  }
  return [`### ${n.toLocaleString("en-US")} vectors`, "", limitLine(run, n, results), ...queries, "", ...rest, "", ...footnotes.lines()];
}

/** How far the scan is from what the memory allows. */
function limitLine(run, n, results) {
  const limit = run.limits[n];
  const scan = results.find((result) => result.variant === "onhand-scan")?.steps.warm;
  if (!limit) return "";
  const read = `Reading the ${number(limit.bytes / 1e6)} MB of 1-bit codes once, in order, with one wasm thread and nothing else takes ${limit.ms.toFixed(4)} ms (${Math.round(limit.gigabytesPerSecond)} GB/s)`;
  return `${read}${scan?.ms ? `; the whole query by scan takes ${ratio(scan.ms, limit.ms)} that.` : "."}\n`;
}

export function tables(run) {
  const { machine, data } = run;
  const versions = Object.entries(run.versions).map(([name, version]) => `${name} ${version ?? "?"}`);
  return [
    `- **Machine**: ${machine.processor}, ${machine.threads} threads, ${machine.memoryGb} GB, ${machine.system}; load ${number(machine.loadBefore)} before, ${number(machine.loadAfter)} after`,
    `- **Browser**: ${run.browser}, headless, one for the whole run`,
    `- **Date, commit, command**: ${run.date.slice(0, 10)}, ${run.commit ?? "?"}, \`${run.command}\``,
    `- **Versions**: ${versions.join(", ")}`,
    `- **Data**: ${data.text} by ${data.model}, ${data.dimensions} components; SHA-256 of the base ${data.base.sha256.slice(0, 16)}…, of the ${data.queries.vectors} queries ${data.queries.sha256.slice(0, 16)}…`,
    `- **Per index and size**: ${run.settings.rounds * run.settings.perRound} queries warm, ${run.settings.coldRounds * run.settings.perColdRound} cold, ${run.settings.filtered} per filter, ${run.settings.inserts} inserts; k = ${run.settings.k}; x = times ${run.variants.find(({ key }) => key === run.settings.reference)?.label ?? run.settings.reference}`,
    "",
    ...[...new Set(run.results.map(({ n }) => n))].flatMap((n) => ofSize(run, n, run.settings.reference)),
  ].join("\n");
}

/** `text` with the tables between the marks. */
export function withTables(text, run) {
  const [before, rest] = text.split(START);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error("the document has no place for the tables");
  return `${before}${START}\n${tables(run).trimEnd()}\n${END}${after}`;
}

export function writeTables(run, path) {
  writeFileSync(path, withTables(readFileSync(path, "utf8"), run));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!process.argv[2]) throw new Error("which run? node table.mjs RUN.json");
  writeTables(JSON.parse(readFileSync(process.argv[2], "utf8")), join(dirname(fileURLToPath(import.meta.url)), "../../docs/benchmarks.md"));
}
