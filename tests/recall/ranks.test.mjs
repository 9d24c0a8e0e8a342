// Recall is the same code natively and in the browser; here it is the same result: every rank and the bits of every score.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { taskFolder } from "./made.mjs";
import { build, difference, ranked } from "./ranks.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const SEED = 20261121;

let folder;
let modules;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "onhand-tasks-"));
  modules = build("dev");
});
after(() => folder && rm(folder, { recursive: true, force: true }));

/** The fifteen languages: each memory a session of its own, each question asked in November. */
async function languages() {
  const { languages } = JSON.parse(await readFile(join(here, "languages.json"), "utf8"));
  const turns = [];
  const questions = [];
  for (const [conv, { memories, questions: asked }] of Object.entries(languages)) {
    memories.forEach((text, i) => turns.push({ conv, id: `${i}`, session: `${i}`, speaker: "user", ts: Date.UTC(2026, 4, i + 1, 12) / 1000, text }));
    asked.forEach(([question, evidence], i) => questions.push({ conv, qid: `${conv} ${i}`, question, category: conv, evidence: [`${evidence}`], now: Date.UTC(2026, 10, 18, 12) / 1000 }));
  }
  return { turns, questions };
}

const sets = {
  languages,
  // Enough turns for every lane to be cut off, and for the index to estimate before it compares.
  made: async () => taskFolder({ seed: SEED, sessions: 60, turnsPerSession: 40, nQuestions: 120 }),
};

for (const [name, make] of Object.entries(sets)) {
  // The tiny weights of the tests stand for those with words that are not in the tree.
  for (const embedder of ["default", "none", "tiny"]) {
    test(`${name}, embedder ${embedder}: native, with SIMD and without, the same (seed ${SEED})`, async () => {
      const { turns, questions } = await make();
      const data = join(folder, name);
      const out = join(folder, `${name}-${embedder}`);
      await mkdir(data, { recursive: true });
      const lines = (all) => all.map((one) => `${JSON.stringify(one)}\n`).join("");
      await writeFile(join(data, "corpus.jsonl"), lines(turns));
      await writeFile(join(data, "questions.jsonl"), lines(questions));
      const run = ["run", "--locked", "--quiet", "--example", "eval", "--", "--data", data, "--out", out, "--embedder", embedder, "--no-ablations"];
      execFileSync("cargo", run, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
      const native = await Promise.all(["run.jsonl", "scores.jsonl"].map((file) => readFile(join(out, file), "utf8")));
      const n = native[0].trimEnd().split("\n").map((line) => JSON.parse(line).ranked.length);
      assert.equal(n.length, questions.length);
      assert.ok(n.filter((length) => length > 0).length >= 0.8 * n.length, "there is something to compare");
      const found = await ranked({ modules, data, embedder });
      for (const [build, texts] of Object.entries(found)) {
        texts.forEach((text, i) => assert.equal(difference(`${build} ${["run", "scores"][i]}`, native[i], text), undefined));
      }
    });
  }
}

test("a difference is told with its place", () => {
  assert.equal(difference("x", "a\nb\n", "a\nb\n"), undefined);
  assert.match(difference("x", "a\nb\n", "a\nc\n"), /1 of 2 lines differ; the first is 2:\n {2}native b\n {2}wasm {3}c/);
});
