// The packed package in a project of its own: the README's lines as they are written, and the types.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startEdge } from "../../worker/run.mjs";
import { openBrowser } from "../e2e/browser.mjs";
import { startFake } from "../fake/server.mjs";
import { bundle, newProject, root, tarball } from "./project.mjs";

/** The endpoint that the README's lines name. */
const ENDPOINT = "https://chat.example.com";

let project;
let stops = [];
before(async () => (project = await newProject()));
after(async () => {
  for (const stop of stops.reverse()) await stop();
  await project?.remove();
});

/** The first JavaScript block of the README. */
async function readmeLines() {
  const readme = await readFile(join(root, "README.md"), "utf8");
  const code = /```js\n([^]*?)```/.exec(readme)?.[1];
  assert.ok(code, "the README has a JavaScript block");
  assert.ok(code.includes(ENDPOINT));
  assert.equal(code.trim().split("\n").length, 3, "three lines");
  return code;
}

test("the package holds what it needs and nothing else", () => {
  const files = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" }).trim().split("\n").map((name) => name.replace("package/", ""));
  for (const needed of ["package.json", "README.md", "dist/index.js", "dist/index.d.ts", "dist/engine-worker.js", "dist/LICENSE-MIT", "dist/LICENSE-APACHE", "dist/wasm/simd/onhand_bg.wasm", "dist/wasm/scalar/onhand_bg.wasm", "dist/embed.js", "dist/embed.d.ts", "dist/vector-index.js", "dist/vector-index.d.ts", "dist/seal-worker.js", "dist/wasm/index-simd/onhand_index_bg.wasm", "dist/wasm/index-scalar/onhand_index_bg.wasm", "dist/sandbox.js", "dist/sandbox.d.ts", "dist/sandbox-worker.js", "dist/quickjs/emscripten-module.wasm", "dist/quickjs/LICENSE", "model/static-128-int4.bin", "model/PROVENANCE.md"]) {
    assert.ok(files.includes(needed), `${needed} is missing`);
  }
  const licences = files.filter((name) => name.startsWith("model/LICENSE"));
  assert.equal(licences.length, 2, "the model's licences lie beside it");
  const strange = files.filter((name) => !/^(package\.json|README\.md|dist\/.*|model\/[^/]*)$/.test(name));
  assert.deepEqual(strange, []);
});

test("the README's three lines run as written, against an endpoint of another origin", async () => {
  const dist = await bundle(project, await readmeLines());
  const fake = await startFake({ port: 0, seed: 1, now: Date.now, standIn: true });
  stops.push(() => fake.close());
  // One edge worker serves the host's page, another one is the endpoint.
  const page = await startEdge({ assetsDir: dist, devVars: null });
  stops.push(() => page.stop());
  const origin = new URL(page.url).origin;
  const edge = await startEdge({ upstream: fake.url, devVars: null, vars: { ANTHROPIC_API_KEY: "sk-ant-test-key", ALLOWED_ORIGINS: origin } });
  stops.push(() => edge.stop());

  const profile = await mkdtemp(join(tmpdir(), "onhand-profile-"));
  stops.push(() => rm(profile, { recursive: true, force: true }));
  const context = await openBrowser(profile);
  stops.push(() => context.close());
  // chat.example.com is the edge worker here; everything else about the request stays as the page made it.
  await context.route(`${ENDPOINT}/**`, async (route) => {
    const request = route.request();
    const response = await fetch(edge.url + new URL(request.url()).pathname, {
      method: request.method(),
      headers: await request.allHeaders(),
      body: request.postDataBuffer(),
    });
    await route.fulfill({ status: response.status, headers: Object.fromEntries(response.headers), body: Buffer.from(await response.arrayBuffer()) });
  });
  const tab = context.pages()[0];
  const errors = [];
  tab.on("pageerror", (error) => errors.push(String(error)));
  await tab.goto(page.url);
  await tab.getByText("stand-in").waitFor();
  assert.deepEqual(errors, []);
  const chat = fake.journal.find((entry) => !entry.body.output_config);
  assert.equal(chat.body.messages[0].content.at(-1).text, "Plan my week");
});

test("onhand/embed gives vectors without a memory", async () => {
  const dist = await bundle(project, 'import { embed } from "onhand/embed"; globalThis.embed = embed;');
  const edge = await startEdge({ assetsDir: dist, devVars: null });
  stops.push(() => edge.stop());
  const profile = await mkdtemp(join(tmpdir(), "onhand-profile-"));
  stops.push(() => rm(profile, { recursive: true, force: true }));
  const context = await openBrowser(profile);
  stops.push(() => context.close());
  const tiny = JSON.parse(await readFile(join(root, "tests/golden/tiny-8-bit.json"), "utf8"));
  await context.route("**/tiny.bin", async (route) => route.fulfill({ body: await readFile(join(root, "tests/golden/tiny-8-bit.bin")) }));
  const tab = context.pages()[0];
  await tab.goto(edge.url);
  await tab.waitForFunction(() => globalThis.embed);
  const { vectors, byWeights, refused } = await tab.evaluate(async (texts) => {
    const plain = (vectors) => vectors.map((vector) => Array.from(vector));
    const model = { weights: "/tiny.bin" };
    return {
      vectors: plain(await embed(["my flight to Lisbon", "the plane to Portugal", "a recipe for soup", "☃"])),
      byWeights: plain(await embed(texts, { model, kind: "query" })),
      refused: await embed(["x"], { model: { weights: "/missing.bin" } }).catch((error) => [error.code, error.kind]),
    };
  }, tiny.cases.filter(({ kind }) => kind === "query").map(({ text }) => text));
  const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  const [flight, plane, soup, nothing] = vectors;
  assert.ok(Math.abs(dot(flight, flight) - 1) < 1e-5);
  assert.ok(dot(flight, plane) > dot(flight, soup) + 0.1);
  assert.equal(dot(nothing, nothing), 0);
  const expected = tiny.cases.filter(({ kind }) => kind === "query");
  for (const [i, { text, vector }] of expected.entries()) {
    if (vector) assert.ok(dot(byWeights[i], vector) > 0.999, text);
    else assert.equal(dot(byWeights[i], byWeights[i]), 0, text);
  }
  assert.deepEqual(refused, ["embedder_failed", "not_loaded"]);
});

test("the types check in a strict project", async () => {
  const source = `
    import { createMemory, OnhandError, type ChatEvent, type EmbedderStatus, type Fact, type Weights } from "onhand";
    import { embed } from "onhand/embed";
    import { VectorIndex, type SearchResult } from "onhand/index";
    import { codeTool, runCode, SandboxError, type CodeResult, type CodeTool } from "onhand/sandbox";
    const tool: CodeTool = codeTool({ limits: { timeMs: 1_000 } });
    const ran: CodeResult = await runCode("1", { signal: AbortSignal.timeout(1) });
    const value: string | null = ran.outcome === "finished" ? ran.value : new SandboxError("threw", await tool.run({ code: "1" }, {})).message;
    using index = await VectorIndex.create({ dimensions: 32, mode: "auto" });
    const nearest: SearchResult = index.search(new Float32Array(32), 3, { labels: [[1, 2]] });
    const memory = await createMemory({ endpoint: "https://chat.example.com", user: "ada" });
    const words: string[] = [];
    for await (const event of memory.chat({ session: "x" }).send("hi", { signal: AbortSignal.timeout(1) })) {
      const one: ChatEvent = event;
      if (one.type === "text") words.push(one.text);
    }
    const facts: Fact[] = await memory.facts.list();
    const code: "network" | string = facts.length === 0 ? new OnhandError({ code: "network", message: "", retryable: true }).code : "none";
    const weights: Weights = { id: "m", url: new URL("https://chat.example.com/m.bin"), bytes: 1, sha256: "0" };
    for (const embedder of ["default", "none", weights, { weights: "/m.bin" }] as const) await createMemory({ embedder });
    await createMemory({ embedder: { id: "mine", embed: async (texts, kind) => texts.map(() => new Float32Array(kind === "query" ? 2 : 3)) } });
    const state: EmbedderStatus["state"] = (await memory.status()).embedder.state;
    memory.subscribe((event) => event.type === "embedder" && event.state === "embedding" && words.push(event.done + " of " + event.total));
    const vectors: Float32Array[] = await embed(["a cat"], { model: weights, kind: "query" });
    // @ts-expect-error an unknown option is a mistake
    await createMemory({ endpont: "https://chat.example.com" });
    export { code, nearest, state, value, vectors, words };
  `;
  await writeFile(join(project.path, "types.ts"), source);
  const compiler = join(root, "pkg/node_modules/typescript/bin/tsc");
  const flags = ["--noEmit", "--strict", "--module", "esnext", "--moduleResolution", "bundler", "--target", "es2022", "--lib", "es2022,dom,esnext.disposable", "--types", ""];
  execFileSync(process.execPath, [compiler, ...flags, "types.ts"], { cwd: project.path, stdio: "inherit" });
});
