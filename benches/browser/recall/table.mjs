// From a recorded run to the tables of docs/benchmarks.md. `node recall/table.mjs RUN.json` writes them again without measuring.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { number, ratio } from "../table.mjs";

const START = "<!-- bench-recall: written by `make bench-recall` -->";
const END = "<!-- /bench-recall -->";

const LABELS = { table: "**onhand**, the table", minilm: "**onhand**, all-MiniLM-L6-v2 int8", ort: "onnxruntime-web, int8 ONNX", transformers: "@huggingface/transformers, int8 ONNX" };
const MODELS = { table: "table", minilm: "minilm", ort: "onnx", transformers: "onnx" };

const row = (cells) => `| ${cells.join(" | ")} |`;
const head = (names) => [row(names), row(names.map((_, i) => (i === 0 ? "---" : "---:")))];
const thread = (seen) => (seen.longTasks === null ? `${number(seen.longestGapMs)}` : `${number(seen.longestGapMs)} (${seen.longTasks === 0 ? "no task over 50 ms" : `${seen.longTasks} tasks over 50 ms, longest ${number(seen.longestTaskMs)}`})`);

function memoryTable(results) {
  const lines = head(["turns", "turns/s recorded", "recall p50 ms", "p95", "by words p50", "p95", "a new turn is recalled after, p50 ms", "p95", "open ms", "first answer ms", "MB", "longest gap on the page's thread, recording", "asking"]);
  for (const { n, ingest, recall, byWords, fresh, open, memory } of results) {
    lines.push(
      row([
        n.toLocaleString("en-US"),
        number(ingest.perSecond),
        `**${number(recall.p50)}**`,
        number(recall.p95),
        number(byWords.p50),
        number(byWords.p95),
        `${number(fresh.p50)}${fresh.missed ? ` (${fresh.missed} of ${fresh.n} not found)` : ""}`,
        number(fresh.p95),
        number(open.openMs),
        number(open.openMs + open.firstRecallMs),
        number(memory.bytes / 1e6),
        thread(ingest.thread),
        thread(recall.thread),
      ]),
    );
  }
  return lines;
}

function embedderTable(run, results) {
  const { tokens } = run.settings;
  const lines = head(["embedder", ...tokens.flatMap((n) => [`${n} tokens ms`, "x"]), "code kB", "model MB", "load ms", "cosine to onnxruntime-web"]);
  for (const [name, result] of Object.entries(results)) {
    if (result.failed) {
      lines.push(row([LABELS[name], `fails: ${result.failed.replaceAll("|", "\\|")}`, ...Array(2 * tokens.length + 3).fill("")]));
      continue;
    }
    const times = tokens.flatMap((n) => [number(result.times[n].p50), name === "table" ? "-" : ratio(result.times[n].p50, results.minilm?.times?.[n].p50)]);
    const cosine = result.cosineToOrt === undefined ? "another model" : name === "ort" ? "1" : result.cosineToOrt.toFixed(4);
    lines.push(row([LABELS[name], ...times, number(result.codeBytes / 1000), number(run.modelBytes[MODELS[name]] / 1e6), number(result.loadMs), cosine]));
  }
  return lines;
}

export function tables(run) {
  const { machine } = run;
  const versions = Object.entries(run.versions).map(([name, version]) => `${name} ${version ?? "?"}`);
  const lines = [
    `- **Machine**: ${machine.processor}, ${machine.threads} threads, ${machine.memoryGb} GB, ${machine.system}; load ${number(machine.loadBefore)} before, ${number(machine.loadAfter)} after`,
    `- **Date, commit, command**: ${run.date.slice(0, 10)}, ${run.commit ?? "?"}, \`${run.command}\``,
    `- **Versions**: ${versions.join(", ")}`,
  ];
  if (run.remark) lines.push(`- **Remark**: ${run.remark}`);
  lines.push("");
  for (const browser of run.browsers) {
    lines.push(`### ${browser.version ?? browser.name}`, "");
    if (browser.not_run) lines.push(`Not run: ${browser.not_run}.`, "");
    if (browser.failed) lines.push(`Failed: ${browser.failed}`, "");
    if (browser.memory) lines.push(...memoryTable(browser.memory), "");
    if (browser.embedders?.not_run) lines.push(`Embedders not run: ${browser.embedders.not_run}.`, "");
    else if (browser.embedders) lines.push(...embedderTable(run, browser.embedders), "");
  }
  return lines.join("\n");
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
  if (!process.argv[2]) throw new Error("which run? node recall/table.mjs RUN.json");
  writeTables(JSON.parse(readFileSync(process.argv[2], "utf8")), join(dirname(fileURLToPath(import.meta.url)), "../../../docs/benchmarks.md"));
}
