/** BYOK mode, a missing key, wrong settings, and pages that the worker serves itself. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { startEdge } from "../run.mjs";
import { JSON_HEADERS, PAGE, SERVER_KEY, messageBody, post, send, startUpstream } from "./upstream.mjs";

let upstream;
before(async () => { upstream = await startUpstream(); });
after(() => upstream?.close());
beforeEach(() => upstream.reset());

/** Runs `body` against a worker that is stopped afterwards, whatever happens. */
async function withEdge(options, body) {
  const edge = await startEdge({ upstream: upstream.url, devVars: null, environment: { PATH: process.env.PATH }, ...options });
  try {
    await body(edge);
  } finally {
    await edge.stop();
  }
}

test("byok: the caller's key goes up from either header, the server's never", async () => {
  await withEdge({ vars: { MODE: "byok", ANTHROPIC_API_KEY: SERVER_KEY, ALLOWED_ORIGINS: PAGE } }, async (edge) => {
    assert.deepEqual((await send(`${edge.url}/health`)).json, { status: "ok", upstream: upstream.host, mode: "byok" });

    for (const headers of [
      { "x-api-key": "sk-ant-mine" }, { authorization: "Bearer sk-ant-mine" }, { authorization: "bearer  sk-ant-mine" },
      { "x-api-key": "sk-ant-mine", authorization: "Bearer sk-ant-other" },
    ]) {
      const answer = await post(edge.url, messageBody(), headers);
      assert.equal(answer.status, 200, answer.text);
      const seen = upstream.requests.pop().headers;
      assert.equal(seen["x-api-key"], "sk-ant-mine");
      assert.equal(seen.authorization, undefined);
    }

    for (const headers of [
      {}, { "x-api-key": "" }, { "x-api-key": "via-worker" }, { authorization: "Bearer via-worker" }, { authorization: "Basic sk-ant-mine" },
      { authorization: "sk-ant-mine" }, { authorization: "Bearer " }, { "x-api-key": "xsk-ant-mine" },
    ]) {
      const answer = await post(edge.url, messageBody(), headers);
      assert.equal(answer.status, 401, JSON.stringify(headers));
      assert.equal(answer.json.error.type, "authentication_error");
    }
    assert.equal(upstream.requests.length, 0);

    // Without an Origin there is no page to protect and the key is the caller's own; a foreign page stays out.
    const { origin: _, ...server } = JSON_HEADERS;
    const own = { ...server, "x-api-key": "sk-ant-mine" };
    assert.equal((await send(`${edge.url}/v1/messages`, { method: "POST", headers: own, body: messageBody() })).status, 200);
    assert.equal((await post(edge.url, messageBody(), { ...own, origin: "https://evil.example" })).status, 403);

    // Whose key it is, his rate limits they are.
    upstream.answer = (_request, response) => response.writeHead(200, {
      "anthropic-ratelimit-tokens-remaining": "5", "anthropic-ratelimit-output-tokens-reset": "2026-11-21T00:00:00Z", "anthropic-organization-id": "org",
    }).end("{}");
    const answer = await post(edge.url, messageBody(), { "x-api-key": "sk-ant-mine" });
    assert.equal(answer.headers["anthropic-ratelimit-tokens-remaining"], "5");
    assert.equal(answer.headers["anthropic-ratelimit-output-tokens-reset"], "2026-11-21T00:00:00Z");
    assert.equal(answer.headers["anthropic-organization-id"], undefined);
    assert.match(answer.headers["access-control-expose-headers"], /anthropic-ratelimit-tokens-remaining/);
    assert.ok(!edge.output().includes("sk-ant-"), edge.output());
  });
});

test("managed without a key says how to set it, and that a retry is useless", async () => {
  await withEdge({ vars: { ALLOWED_ORIGINS: PAGE } }, async (edge) => {
    for (const answer of [await post(edge.url, messageBody(), { "x-api-key": "sk-ant-mine" }), await send(`${edge.url}/health`, { headers: { origin: PAGE } })]) {
      assert.equal(answer.status, 500);
      assert.equal(answer.json.error.type, "api_error");
      assert.match(answer.json.error.message, /ANTHROPIC_API_KEY is not set.*wrangler secret put ANTHROPIC_API_KEY/);
      assert.deepEqual(answer.json.error.details, { error_code: "edge_configuration" });
      assert.equal(answer.headers["x-should-retry"], "false");
      assert.equal(answer.headers["access-control-allow-origin"], PAGE);
    }
    assert.equal(upstream.requests.length, 0);
  });
});

test("an upstream that does not exist is a 502, one that is not safe a named mistake; `none` lets servers in", async () => {
  const gone = await startUpstream();
  await gone.close();
  const headers = { "anthropic-version": "2023-06-01" };
  const vars = { ANTHROPIC_API_KEY: SERVER_KEY, ALLOWED_ORIGINS: "none" };
  await withEdge({ upstream: gone.url, vars }, async (edge) => {
    const answer = await send(`${edge.url}/v1/messages`, { method: "POST", headers, body: messageBody() });
    assert.deepEqual([answer.status, answer.json.error.type], [502, "api_error"], answer.text);
    for (const origin of ["none", "null"]) assert.equal((await post(edge.url, messageBody(), { origin })).status, 403);
  });
  await withEdge({ upstream: "http://192.0.2.1", vars }, async (edge) => {
    const answer = await send(`${edge.url}/health`);
    assert.equal(answer.status, 500);
    assert.match(answer.json.error.message, /UPSTREAM must be https/);
  });
});

test("settings come from .dev.vars, then the environment, then vars; the key is in no process list and no file is left", async () => {
  const folder = await mkdtemp(join(tmpdir(), "onhand-vars-"));
  const devVars = join(folder, ".dev.vars");
  await writeFile(devVars, `ANTHROPIC_API_KEY=sk-ant-from-file\nALLOWED_ORIGINS="${PAGE}"\nMAX_OUTPUT_TOKENS=100\n`);
  let home;
  try {
    await withEdge({ devVars, vars: { MAX_OUTPUT_TOKENS: "200" } }, async (edge) => {
      home = edge.home;
      const answer = await post(edge.url);
      assert.equal(answer.headers["onhand-clamped"], "max_tokens=200");
      assert.equal(upstream.requests[0].headers["x-api-key"], "sk-ant-from-file");
    });
    await assert.rejects(readdir(home), { code: "ENOENT" });
    const environment = { PATH: process.env.PATH, ANTHROPIC_API_KEY: "sk-ant-from-environment" };
    await withEdge({ devVars, environment }, async (edge) => {
      await post(edge.url);
      assert.equal(upstream.requests[1].headers["x-api-key"], "sk-ant-from-environment");
      const processes = execFileSync("ps", ["-eo", "args"], { encoding: "utf8" });
      assert.match(processes, /serve\.mjs/); // The worker is in the list,
      assert.ok(!processes.includes("sk-ant-from-"), "a key is in the process list"); // its key is not.
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("a page served by the worker itself: files with their headers, and the API beside them", async () => {
  const folder = await mkdtemp(join(tmpdir(), "onhand-page-"));
  const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";
  await writeFile(join(folder, "index.html"), "<!doctype html><title>page</title>");
  await writeFile(join(folder, "app.js"), "export {};\n");
  await writeFile(join(folder, "engine.wasm"), Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  await writeFile(join(folder, "_headers"), `/*\n  Content-Security-Policy: ${policy}\n`);
  try {
    await withEdge({ assetsDir: folder, vars: { ANTHROPIC_API_KEY: SERVER_KEY } }, async (edge) => {
      const page = await send(`${edge.url}/`);
      assert.deepEqual([page.status, page.text], [200, "<!doctype html><title>page</title>"]);
      assert.equal(page.headers["content-security-policy"], policy);
      const script = await send(`${edge.url}/app.js`);
      assert.deepEqual([script.status, script.text, script.headers["content-security-policy"]], [200, "export {};\n", policy]);
      assert.match(script.headers["content-type"], /javascript/);
      assert.equal((await send(`${edge.url}/engine.wasm`)).headers["content-type"], "application/wasm");
      assert.equal((await send(`${edge.url}/_headers`)).status, 404);

      assert.deepEqual((await send(`${edge.url}/health`)).json, { status: "ok", upstream: upstream.host, mode: "managed" });
      const answer = await post(edge.url, messageBody(), { origin: edge.url });
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.headers["content-security-policy"], undefined);
      const models = await send(`${edge.url}/v1/models`, { headers: { "anthropic-version": "2023-06-01", "sec-fetch-site": "same-origin" } });
      assert.equal(models.status, 200);
      const missing = await send(`${edge.url}/nothing`);
      assert.deepEqual([missing.status, missing.json.error.type], [404, "not_found_error"]);
      assert.equal((await post(edge.url, messageBody(), { origin: PAGE })).status, 403);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("a start that fails says why and leaves nothing behind", async () => {
  const folder = await mkdtemp(join(tmpdir(), "onhand-start-"));
  const usual = process.env.TMPDIR;
  process.env.TMPDIR = folder; // Other test files start workers at the same time.
  try {
    await assert.rejects(startEdge({ devVars: null, assetsDir: join(folder, "no-such-folder") }), /did not start.*no-such-folder/s);
    assert.deepEqual((await readdir(folder)).filter((name) => name.startsWith("onhand-edge-")), []);
  } finally {
    if (usual === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = usual;
    await rm(folder, { recursive: true, force: true });
  }
});
