// Ranks a folder of questions with the WebAssembly builds of recall in Chromium, and compares every rank and the bits of every score with
// those of the native build:
//
//   node tests/recall/ranks.mjs --data FOLDER --out FOLDER [--embedder default|quality|multilingual|none]
//
// `make eval … WASM=1` runs it after the native run, whose `run.jsonl` and `scores.jsonl` it finds in the output folder.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openBrowser } from "../e2e/browser.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm" };
const FILES = ["run.jsonl", "scores.jsonl"];
/** What the page gives to the module for each embedder. */
const MODELS = {
  none: { model: undefined, file: undefined },
  default: { model: "table", file: "pkg/model/static-128-int4.bin" },
  quality: { model: "transformer", file: "pkg/weights/minilm/weights.bin" },
  multilingual: { model: "transformer", file: "pkg/weights/e5-small/weights.bin" },
  tiny: { model: "transformer", file: "tests/golden/tiny-8-bit.bin" },
};
export const BUILDS = ["simd", "scalar"];

/** Compiles both builds; gives their folder. `profile` is `release` or `dev`: the same ranks, slower, and compiled sooner. */
export function build(profile) {
  const out = join(root, `target/ranks-${profile}`);
  execFileSync("bash", [join(here, "build.sh"), out, profile], { stdio: "inherit" });
  return out;
}

/** A page of its own origin that serves the modules and what they read. */
async function serve(modules, files) {
  const server = createServer((request, response) => {
    const path = new URL(request.url, "http://localhost").pathname;
    const type = TYPES[extname(path)];
    if (path === "/") return void response.setHeader("content-type", "text/html").end("<!doctype html><title>ranks</title>");
    try {
      const bytes = readFileSync(files[path] ?? join(modules, path));
      if (type) response.setHeader("content-type", type);
      response.end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

/** What each build in Chromium writes for a folder: `{simd: [run, scores], scalar: [run, scores]}`. */
export async function ranked({ modules, data, embedder }) {
  const { model, file } = MODELS[embedder] ?? {};
  if (!(embedder in MODELS)) throw new Error(`there is no embedder called ${embedder}`);
  const files = { "/corpus.jsonl": join(data, "corpus.jsonl"), "/questions.jsonl": join(data, "questions.jsonl") };
  if (file) files["/model.bin"] = join(root, file);
  const profile = await mkdtemp(join(tmpdir(), "onhand-ranks-"));
  const server = await serve(modules, files);
  const context = await openBrowser(profile);
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    const found = {};
    for (const build of BUILDS) {
      found[build] = await page.evaluate(
        async ({ build, model }) => {
          const get = async (path) => {
            const response = await fetch(path);
            if (!response.ok) throw new Error(`${path}: ${response.status}`);
            return response;
          };
          const text = async (path) => (await get(path)).text();
          const module = await import(`/${build}/eval_wasm.js`);
          await module.default();
          const bytes = model ? new Uint8Array(await (await get("/model.bin")).arrayBuffer()) : new Uint8Array();
          return module.rank(await text("/corpus.jsonl"), await text("/questions.jsonl"), model, bytes);
        },
        { build, model },
      );
    }
    return found;
  } finally {
    await context.close();
    server.close();
    await rm(profile, { recursive: true, force: true });
  }
}

/** The first lines that differ, for a message; none if the texts are the same. */
export function difference(name, native, other) {
  if (native === other) return undefined;
  const [a, b] = [native.split("\n"), other.split("\n")];
  const n = a.filter((line, i) => line !== b[i]).length;
  const first = a.findIndex((line, i) => line !== b[i]);
  return `${name}: ${n} of ${a.length - 1} lines differ; the first is ${first + 1}:\n  native ${a[first]?.slice(0, 300)}\n  wasm   ${b[first]?.slice(0, 300)}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { data: { type: "string" }, out: { type: "string" }, embedder: { type: "string", default: "default" } } });
  if (!values.data || !values.out) throw new Error("usage: ranks.mjs --data FOLDER --out FOLDER [--embedder NAME]");
  const found = await ranked({ modules: build("release"), data: values.data, embedder: values.embedder });
  const differences = [];
  for (const [name, texts] of Object.entries(found)) {
    mkdirSync(join(values.out, `wasm-${name}`), { recursive: true });
    for (const [i, file] of FILES.entries()) {
      writeFileSync(join(values.out, `wasm-${name}`, file), texts[i]);
      differences.push(difference(`${name} ${file}`, readFileSync(join(values.out, file), "utf8"), texts[i]));
    }
  }
  const told = differences.filter(Boolean);
  if (told.length > 0) {
    console.error(told.join("\n"));
    process.exitCode = 1;
  } else {
    console.log("WebAssembly in Chromium, with SIMD and without: the same ranks and the same scores, bit by bit.");
  }
}
