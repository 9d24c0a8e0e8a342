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
  for (const needed of ["package.json", "README.md", "dist/index.js", "dist/index.d.ts", "dist/engine-worker.js", "dist/LICENSE-MIT", "dist/LICENSE-APACHE", "dist/wasm/simd/onhand_bg.wasm", "dist/wasm/scalar/onhand_bg.wasm", "dist/vector-index.js", "dist/vector-index.d.ts", "dist/seal-worker.js", "dist/wasm/index-simd/onhand_index_bg.wasm", "dist/wasm/index-scalar/onhand_index_bg.wasm", "model/static-128-int4.bin", "model/PROVENANCE.md"]) {
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

test("the types check in a strict project", async () => {
  const source = `
    import { createMemory, OnhandError, type ChatEvent, type Fact } from "onhand";
    import { VectorIndex, type SearchResult } from "onhand/index";
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
    // @ts-expect-error an unknown option is a mistake
    await createMemory({ endpont: "https://chat.example.com" });
    export { code, nearest, words };
  `;
  await writeFile(join(project.path, "types.ts"), source);
  const compiler = join(root, "pkg/node_modules/typescript/bin/tsc");
  const flags = ["--noEmit", "--strict", "--module", "esnext", "--moduleResolution", "bundler", "--target", "es2022", "--lib", "es2022,dom,esnext.disposable", "--types", ""];
  execFileSync(process.execPath, [compiler, ...flags, "types.ts"], { cwd: project.path, stdio: "inherit" });
});
