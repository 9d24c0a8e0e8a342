// From a recorded run to the table of docs/benchmarks.md. `node store/table.mjs RUN.json` writes it again without measuring.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { number, ratio } from "../table.mjs";

const START = "<!-- bench-store: written by `make bench-store` -->";
const END = "<!-- /bench-store -->";

const LABELS = {
  onhand: "**onhand**, with vectors",
  "onhand-words": "**onhand**, by words",
  dexie: "Dexie, IndexedDB strict",
  "pglite-idb": "PGlite, IndexedDB made strict",
  "pglite-opfs": "PGlite, private file system",
};
/** The fewest things written per turn of ours, and so the nearest to what the others do. */
const REFERENCE = "onhand-words";

const row = (cells) => `| ${cells.join(" | ")} |`;
const head = (names) => [row(names), row(names.map((_, i) => (i === 0 ? "---" : "---:")))];

function ofSize(run, n) {
  const results = run.results.filter((result) => result.n === n);
  const ours = results.find(({ name }) => name === REFERENCE);
  const lines = head(["store", "exchanges: turns/s", "x", "CPU ms a turn", "batches: turns/s", "x", "CPU ms a turn", "open ms", "export turns/s", "import turns/s"]);
  const failures = [];
  for (const result of results) {
    if (result.failed) failures.push(`${LABELS[result.name]}: ${result.failed}`);
    const of = (step, show) => (result[step] ? show(result[step], ours?.[step]) : "not run");
    const rate = ({ perSecond }) => number(perSecond);
    const beside = ({ perSecond }, own) => ratio(perSecond, own?.perSecond);
    const processor = ({ processorMsPerTurn }) => number(processorMsPerTurn);
    lines.push(
      row([
        LABELS[result.name],
        of("exchanges", rate),
        of("exchanges", beside),
        of("exchanges", processor),
        of("batches", rate),
        of("batches", beside),
        of("batches", processor),
        of("open", ({ perSecond }) => number(1_000 / perSecond)),
        of("export", rate),
        of("import", rate),
      ]),
    );
  }
  return [`### ${n.toLocaleString("en-US")} turns`, "", ...lines, "", ...failures.map((failure) => `Left out: ${failure.replaceAll("|", "\\|")}\n`)];
}

export function tables(run) {
  const { machine, settings } = run;
  const versions = Object.entries(run.versions).map(([name, version]) => `${name} ${version ?? "?"}`);
  const lines = [
    `- **Machine**: ${machine.processor}, ${machine.threads} threads, ${machine.memoryGb} GB, ${machine.system}; load ${number(machine.loadBefore)} before, ${number(machine.loadAfter)} after`,
    `- **Browser**: ${run.browser}, headless, one for the whole run`,
    `- **Date, commit, command**: ${run.date.slice(0, 10)}, ${run.commit ?? "?"}, \`${run.command}\``,
    `- **Versions**: ${versions.join(", ")}`,
    `- **Per store and size**: ${settings.rounds} rounds of ${settings.exchanges} exchanges, ${settings.chunks} rounds of batches, ${settings.opens} openings, ${settings.transfers} exports and imports; x = times ${LABELS[REFERENCE].replaceAll("*", "")}`,
  ];
  if (run.remark) lines.push(`- ${run.remark}`);
  return [...lines, "", ...[...new Set(run.results.map(({ n }) => n))].flatMap((n) => ofSize(run, n))].join("\n");
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
  if (!process.argv[2]) throw new Error("which run? node store/table.mjs RUN.json");
  writeTables(JSON.parse(readFileSync(process.argv[2], "utf8")), join(dirname(fileURLToPath(import.meta.url)), "../../../docs/benchmarks.md"));
}
