/** Managed mode in real workerd: what goes up, what comes down, what is refused. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import { startEdge } from "../run.mjs";
import { JSON_HEADERS, MESSAGE, PAGE, SERVER_KEY, answerMessage, messageBody, open, post, send, startUpstream } from "./upstream.mjs";

const MAX_BODY_BYTES = 65_536;
const CANARY = "canary-7f3a-the-users-own-words";
let upstream;
let edge;

before(async () => {
  upstream = await startUpstream();
  edge = await startEdge({
    upstream: upstream.url,
    devVars: null,
    environment: { PATH: process.env.PATH },
    vars: {
      ANTHROPIC_API_KEY: SERVER_KEY,
      ALLOWED_ORIGINS: `${PAGE}, http://localhost:5173`,
      MAX_BODY_BYTES: String(MAX_BODY_BYTES),
      MAX_EFFORT: "high",
      UPSTREAM_STREAM_TIMEOUT_MS: "1500",
    },
  });
});
after(async () => {
  await edge?.stop();
  await upstream?.close();
});
beforeEach(() => upstream.reset());

function assertError(answer, status, type, message) {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers["content-type"], /^application\/json/);
  assert.equal(answer.headers["cache-control"], "no-store");
  const { type: outer, error, request_id: requestId } = answer.json;
  assert.deepEqual([outer, error.type, requestId], ["error", type, null]);
  assert.match(error.message, message);
}

test("health names the upstream and the mode, with and without an Origin", async () => {
  for (const headers of [{}, { origin: PAGE }]) {
    const answer = await send(`${edge.url}/health`, { headers });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json, { status: "ok", upstream: upstream.host, mode: "managed" });
  }
  assert.equal(upstream.requests.length, 0);
});

test("a message goes up and its answer comes down byte for byte", async () => {
  const body = '{ "max_tokens": 1.024e3,"model":"claude-haiku-5-5",\n "messages":[{"role":"user","content":"h\\u00e9 é 😀"}] }';
  const answer = await post(edge.url, body);
  assert.equal(answer.status, 200);
  assert.equal(answer.text, MESSAGE);
  assert.equal(upstream.requests[0].body.toString("utf8"), body);
  assert.equal(answer.headers["onhand-clamped"], undefined);
});

test("every route reaches its upstream path, without the query string", async () => {
  const body = messageBody();
  for (const [method, path] of [
    ["POST", "/v1/messages"], ["POST", "/v1/messages/count_tokens"], ["GET", "/v1/models"], ["GET", "/v1/models/claude-haiku-5-5"],
  ]) {
    const answer = await send(`${edge.url}${path}?beta=true`, { method, headers: JSON_HEADERS, body: method === "POST" ? body : undefined });
    assert.equal(answer.status, 200, `${method} ${path}: ${answer.text}`);
    const seen = upstream.requests.pop();
    assert.deepEqual([seen.method, seen.path], [method, path]);
    assert.equal(seen.body.toString(), method === "POST" ? body : "");
  }
});

test("the list of models is asked for page by page, and nothing else of its query string goes up", async () => {
  const ask = (path) => send(edge.url + path, { headers: JSON_HEADERS });
  for (const [asked, target] of [
    ["/v1/models?limit=2&after_id=claude-haiku-5-5", "/v1/models?after_id=claude-haiku-5-5&limit=2"],
    ["/v1/models?beta=true&before_id=claude-haiku-4-5-20251001&x=1&limit=1000", "/v1/models?before_id=claude-haiku-4-5-20251001&limit=1000"],
    ["/v1/models?", "/v1/models"],
    ["/v1/models/claude-haiku-5-5?limit=junk&after_id=x", "/v1/models/claude-haiku-5-5"],
  ]) {
    const answer = await ask(asked);
    assert.equal(answer.status, 200, `${asked}: ${answer.text}`);
    assert.deepEqual([upstream.requests.at(-1).method, upstream.requests.at(-1).path], ["GET", target]);
  }
  upstream.requests.length = 0;
  for (const [query, message] of [
    ["limit=0", /^limit: must be a whole number/], ["limit=1001", /^limit:/], ["limit=1e2", /^limit:/], ["limit=", /^limit:/], ["limit=2&limit=3", /^limit: duplicate/],
    [`after_id=${CANARY}%20%26`, /^after_id: must be a model id/], ["before_id=../messages", /^before_id:/], [`after_id=${"a".repeat(129)}`, /^after_id:/],
  ]) {
    assertError(await ask(`/v1/models?${query}`), 400, "invalid_request_error", message);
  }
  assertError(await send(`${edge.url}/v1/models?limit=2`, { headers: { origin: PAGE } }), 400, "invalid_request_error", /anthropic-version: header is required/);
  assertError(await send(`${edge.url}/v1/models?limit=2`, { headers: { ...JSON_HEADERS, "anthropic-beta": "secret-2026" } }), 400, "invalid_request_error", /ALLOWED_BETAS/);
  assertError(await send(`${edge.url}/v1/models`, { headers: { ...JSON_HEADERS, origin: "https://evil.example" } }), 403, "permission_error", /ALLOWED_ORIGINS/);
  assert.equal(upstream.requests.length, 0);
  upstream.answer = (_request, response) => response.writeHead(404, { "content-type": "application/json", "request-id": "req_2" }).end('{"type":"error"}');
  const missing = await ask("/v1/models/claude-9");
  assert.deepEqual([missing.status, missing.text, missing.headers["request-id"]], [404, '{"type":"error"}', "req_2"]);
});

test("everything else is a 404 in the API's shape", async () => {
  for (const [method, path] of [
    ["GET", "/"], ["GET", "/v1/messages"], ["POST", "/v1/models"], ["POST", "/session"], ["DELETE", "/v1/messages"], ["POST", "/health"],
    ["POST", "/v1/messages/batches"], ["GET", "/v1/models/a/b"], ["GET", "/v1/models/%2e%2e"], ["GET", "/v1/files"], ["POST", "//v1/messages"],
  ]) {
    const answer = await send(edge.url + path, { method, headers: { origin: PAGE } });
    assertError(answer, 404, "not_found_error", /Not found/);
    assert.equal(answer.headers["access-control-allow-origin"], PAGE, path);
  }
  assert.equal(upstream.requests.length, 0);
});

test("only the headers the API needs go up; the caller's key never does", async () => {
  const caller = {
    "x-api-key": "sk-ant-caller-key", authorization: "Bearer sk-ant-caller-token", "anthropic-beta": "compact-2026-01-12",
    accept: "application/json", referer: `${PAGE}/private/page`, cookie: "session=1", "user-agent": "Chat/1", "accept-language": "de",
    "sec-fetch-mode": "cors", "sec-fetch-site": "cross-site", "sec-ch-ua": "x", "cf-connecting-ip": "203.0.113.9", "cf-ray": "1",
    "cf-ipcountry": "DE", "x-forwarded-for": "203.0.113.9", "x-real-ip": "203.0.113.9", "x-stainless-os": "Linux", "x-custom": "1",
    "anthropic-dangerous-direct-browser-access": "true",
  };
  await post(edge.url, messageBody(), caller);
  const { headers } = upstream.requests[0];
  // Set by the runtime itself; `cf-worker` names the zone the worker runs in, nothing of the caller.
  const transport = ["host", "connection", "content-length", "accept-encoding", "cf-worker"];
  assert.deepEqual(Object.keys(headers).filter((name) => !transport.includes(name)).sort(),
    ["accept", "anthropic-beta", "anthropic-version", "content-type", "x-api-key"]);
  assert.equal(headers["x-api-key"], SERVER_KEY);
  assert.equal(headers["anthropic-beta"], "compact-2026-01-12");
  assert.equal(headers["anthropic-version"], "2023-06-01");
  assert.equal(headers["content-type"], "application/json");
  assert.doesNotMatch(JSON.stringify(headers), /caller|203\.0\.113|private/);
});

test("only listed headers come down", async () => {
  upstream.answer = (_request, response) => {
    response.writeHead(429, {
      "content-type": "application/json", "request-id": "req_9", "retry-after": "7", "retry-after-ms": "7000", "x-should-retry": "true",
      "set-cookie": "a=1", "anthropic-organization-id": "org", "anthropic-ratelimit-tokens-remaining": "5", server: "s", "cf-ray": "r",
      "access-control-allow-origin": "*", "cache-control": "public, max-age=60", location: "/x",
    });
    response.end('{"type":"error"}');
  };
  const answer = await post(edge.url);
  assert.equal(answer.status, 429);
  assert.equal(answer.text, '{"type":"error"}');
  const transport = ["connection", "keep-alive", "date", "transfer-encoding", "content-length"];
  assert.deepEqual(Object.keys(answer.headers).filter((name) => !transport.includes(name)).sort(), [
    "access-control-allow-origin", "access-control-expose-headers", "cache-control", "content-type", "request-id", "retry-after",
    "retry-after-ms", "vary", "x-content-type-options", "x-should-retry",
  ]);
  assert.equal(answer.headers["access-control-allow-origin"], PAGE);
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.equal(answer.headers["retry-after"], "7");
});

test("a stream's chunks arrive one by one, before the upstream has ended", async () => {
  const pieces = ["event: message_start\ndata: {\"a\":\"h\xc3", "\xa9\"}\n", "\n", ": ping\n\nevent: unknown\ndata: x\n\n"].map((text) => Buffer.from(text, "latin1"));
  let continueStream;
  upstream.answer = (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    continueStream = (piece) => (piece === null ? response.end() : response.write(piece));
    continueStream(pieces[0]);
  };
  const response = await open(`${edge.url}/v1/messages`, { method: "POST", headers: JSON_HEADERS, body: messageBody({ stream: true }) });
  assert.equal(response.statusCode, 200);
  assert.match(response.headers["content-type"], /^text\/event-stream/);
  const reader = response[Symbol.asyncIterator]();
  for (const [index, piece] of pieces.entries()) {
    // The next piece is written only after this one has arrived whole: buffering anywhere would hang here.
    let got = Buffer.alloc(0);
    while (got.length < piece.length) got = Buffer.concat([got, (await reader.next()).value]);
    assert.deepEqual(got, piece);
    continueStream(pieces[index + 1] ?? null);
  }
  assert.equal((await reader.next()).done, true);
});

test("a compressed answer arrives whole", async () => {
  upstream.answer = (_request, response) => {
    response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
    response.end(gzipSync(MESSAGE));
  };
  const answer = await post(edge.url, messageBody(), { "accept-encoding": "identity" });
  assert.equal(answer.text, MESSAGE);
});

test("an answer that breaks off upstream is not completed", async () => {
  upstream.answer = (_request, response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
    response.write("{", () => response.destroy());
  };
  await assert.rejects(post(edge.url), { code: "ECONNRESET" });

  // A chunked body is different: workerd itself ends it cleanly when the upstream is gone (1.20260426.1 does).
  // That is why a client takes a stream without `message_stop` as broken; the worker must not invent one.
  upstream.answer = (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("event: message_start\n\n", () => response.destroy());
  };
  assert.equal((await post(edge.url, messageBody({ stream: true }))).text, "event: message_start\n\n");
});

test("origins: listed ones and the worker's own pass, others do no work", async () => {
  for (const origin of [PAGE, "http://localhost:5173", edge.url]) {
    const answer = await post(edge.url, messageBody(), { origin });
    assert.equal(answer.status, 200, origin);
    assert.equal(answer.headers["access-control-allow-origin"], origin);
    assert.equal(answer.headers["vary"], "Origin");
    assert.equal(answer.headers["access-control-allow-credentials"], undefined);
  }
  upstream.reset();
  for (const origin of [
    "https://evil.example", `${PAGE}.evil.example`, `${PAGE}:8443`, "http://chat.example.com", "https://CHAT.example.com", `${PAGE}/`,
    "null", "none", "*", edge.url.replace("127.0.0.1", "localhost"), edge.url.replace("http:", "https:"),
  ]) {
    for (const path of ["/v1/messages", "/health", "/nothing"]) {
      const answer = await send(edge.url + path, { method: path === "/health" ? "GET" : "POST", headers: { ...JSON_HEADERS, origin } });
      assertError(answer, 403, "permission_error", /ALLOWED_ORIGINS/);
      assert.equal(answer.headers["access-control-allow-origin"], undefined, origin);
    }
  }
  assert.equal(upstream.requests.length, 0);
});

test("origins: a re-bound host name is not the worker's own origin", async () => {
  const host = `evil.example:${new URL(edge.url).port}`;
  const page = await post(edge.url, messageBody(), { host, origin: `http://${host}` });
  assert.equal(page.status, 403);
  const read = await send(`${edge.url}/v1/models`, { headers: { host, "anthropic-version": "2023-06-01", "sec-fetch-site": "same-origin" } });
  assert.equal(read.status, 403);
  assert.equal(upstream.requests.length, 0);
});

test("no Origin: refused, except from a page the worker itself serves", async () => {
  const headers = { "anthropic-version": "2023-06-01" };
  assertError(await send(`${edge.url}/v1/models`, { headers }), 403, "permission_error", /without an Origin/);
  assertError(await send(`${edge.url}/v1/models`, { headers: { ...headers, "sec-fetch-site": "cross-site" } }), 403, "permission_error", /Origin/);
  assertError(await send(`${edge.url}/v1/messages`, { method: "POST", headers, body: messageBody() }), 403, "permission_error", /Origin/);
  assert.equal(upstream.requests.length, 0);
  assert.equal((await send(`${edge.url}/v1/models`, { headers: { ...headers, "sec-fetch-site": "same-origin" } })).status, 200);
});

test("preflight: answered for a listed page, refused for others", async () => {
  const preflight = { "access-control-request-method": "POST", "access-control-request-headers": "x-api-key,x-stainless-os" };
  const answer = await send(`${edge.url}/v1/messages`, { method: "OPTIONS", headers: { origin: PAGE, ...preflight } });
  assert.equal(answer.status, 204);
  assert.equal(answer.headers["access-control-allow-origin"], PAGE);
  assert.equal(answer.headers["access-control-max-age"], "86400");
  assert.equal(answer.headers["vary"], "Origin");
  assert.match(answer.headers["access-control-allow-methods"], /\bPOST\b/);
  const allowed = answer.headers["access-control-allow-headers"].split(", ");
  for (const name of ["content-type", "authorization", "x-api-key", "anthropic-version", "anthropic-beta",
    "anthropic-dangerous-direct-browser-access", "x-stainless-lang", "x-stainless-package-version", "x-stainless-os", "x-stainless-arch",
    "x-stainless-runtime", "x-stainless-runtime-version", "x-stainless-retry-count", "x-stainless-timeout", "x-stainless-helper"]) {
    assert.ok(allowed.includes(name), name);
  }
  const other = await send(`${edge.url}/v1/messages`, { method: "OPTIONS", headers: { origin: "https://evil.example", ...preflight } });
  assert.equal(other.status, 403);
  assert.equal(other.headers["access-control-allow-origin"], undefined);
  assert.equal(upstream.requests.length, 0);
});

test("errors can be read by the page that caused them", async () => {
  const answer = await post(edge.url, "{");
  assertError(answer, 400, "invalid_request_error", /not valid JSON/);
  assert.equal(answer.headers["access-control-allow-origin"], PAGE);
});

test("size: the limit itself passes, one byte more does not, claimed or not", async () => {
  const room = MAX_BODY_BYTES - Buffer.byteLength(messageBody({ system: "" }));
  const fits = messageBody({ system: "x".repeat(room) });
  assert.equal(Buffer.byteLength(fits), MAX_BODY_BYTES);
  assert.equal((await post(edge.url, fits)).status, 200);
  assert.equal((await post(edge.url, [fits.slice(0, 1000), fits.slice(1000)])).status, 200);
  assert.equal(upstream.requests.length, 2);
  const above = `${fits} `;
  assertError(await post(edge.url, above), 413, "request_too_large", /MAX_BODY_BYTES/);
  assertError(await post(edge.url, [above.slice(0, 1000), above.slice(1000)]), 413, "request_too_large", /MAX_BODY_BYTES/);
  assert.equal(upstream.requests.length, 2);
});

const REFUSED = [
  ["thread", messageBody({ thread: { type: "auto" } }), /^thread: not allowed/],
  ["mcp_servers", messageBody({ mcp_servers: [] }), /^mcp_servers: not allowed/],
  ["an unknown field", messageBody({ surprise: 1 }), /^`surprise`: Extra inputs/],
  ["a server tool", messageBody({ tools: [{ type: "web_search_20250305", name: "web_search" }] }), /^tools\.0\.type: `web_search_20250305`/],
  ["another model", messageBody({ model: "gpt" }), /^model: `gpt`/],
  ["a duplicate key", '{"model":"claude-haiku-5-5","messages":[],"max_tokens":1,"max_tokens":128000}', /^max_tokens: duplicate key/],
  ["an array", "[]", /must be a JSON object/],
  ["nothing", "", /not valid JSON/],
  ["broken UTF-8", Buffer.concat([Buffer.from('{"model":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]), /UTF-8/],
  ["a byte order mark", `\ufeff${messageBody()}`, /not valid JSON/],
];
for (const [name, body, message] of REFUSED) {
  test(`refused with a reason, before the upstream: ${name}`, async () => {
    for (const path of ["/v1/messages", "/v1/messages/count_tokens"]) {
      const answer = await send(edge.url + path, { method: "POST", headers: JSON_HEADERS, body });
      assertError(answer, 400, "invalid_request_error", message);
    }
    assert.equal(upstream.requests.length, 0);
  });
}

test("thread carries the API's error code", async () => {
  const answer = await post(edge.url, messageBody({ thread: {} }));
  assert.deepEqual(answer.json.error.details, { error_code: "thread_unsupported_request" });
});

test("headers: an unlisted beta or version is refused by name", async () => {
  assertError(await post(edge.url, messageBody(), { "anthropic-beta": "files-api-2025-04-14" }), 400, "invalid_request_error", /files-api-2025-04-14/);
  assertError(await post(edge.url, messageBody(), { "anthropic-version": "2020-01-01" }), 400, "invalid_request_error", /2020-01-01/);
  const { "anthropic-version": _, ...without } = JSON_HEADERS;
  assertError(await send(`${edge.url}/v1/messages`, { method: "POST", headers: without, body: messageBody() }), 400, "invalid_request_error", /anthropic-version/);
  assert.equal(upstream.requests.length, 0);
});

test("a clamp replaces the value's own bytes, is reported, and reaches the upstream", async () => {
  const body = '{"model":"claude-haiku-5-5",\n  "max_tokens" : 128000 ,"output_config":{ "effort":"max"},"messages":[{"role":"user","content":"\\u0041 é"}] }';
  const answer = await post(edge.url, body);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers["onhand-clamped"], "max_tokens=16384, output_config.effort=high");
  assert.match(answer.headers["access-control-expose-headers"], /onhand-clamped/);
  assert.equal(upstream.requests[0].body.toString(), body.replace("128000", "16384").replace('"max"', '"high"'));
});

test("a redirect is not followed and not passed on", async () => {
  upstream.answer = (request, response) => {
    if (request.url !== "/v1/messages") return answerMessage(request, response);
    response.writeHead(307, { location: `${upstream.url}/elsewhere` }).end();
  };
  const answer = await post(edge.url);
  assertError(answer, 502, "api_error", /redirect/);
  assert.equal(answer.headers.location, undefined);
  assert.deepEqual(upstream.requests.map((request) => request.path), ["/v1/messages"]);
});

test("slow headers are a 504 and free the upstream; a slow body is not cut", async () => {
  let closed;
  upstream.answer = (_request, response) => {
    closed = once(response, "close");
  };
  const answer = await post(edge.url, messageBody({ stream: true }));
  assertError(answer, 504, "timeout_error", /in time/);
  assert.equal(answer.headers["access-control-allow-origin"], PAGE);
  await closed;

  upstream.answer = (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("a");
    setTimeout(() => response.end("b"), 2_000); // Time itself is under test: longer than the limit.
  };
  assert.equal((await post(edge.url, messageBody({ stream: true }))).text, "ab");
});

test("an upstream that hangs up is a 502", async () => {
  upstream.answer = (request) => request.socket.destroy();
  assertError(await post(edge.url), 502, "api_error", /could not be reached/);
});

test("upstream errors pass as they are, JSON or not", async () => {
  for (const [status, type, body] of [[400, "application/json", '{"type":"error"}'], [529, "application/json", "{}"], [413, "text/html", "<h1>413</h1>"]]) {
    upstream.answer = (_request, response) => response.writeHead(status, { "content-type": type }).end(body);
    const answer = await post(edge.url);
    assert.deepEqual([answer.status, answer.headers["content-type"], answer.text], [status, type, body]);
  }
});

test("nothing that is printed or written holds content, a key, a path or a query", async () => {
  upstream.answer = (_request, response) => response.writeHead(200, { "content-type": "application/json" }).end(`{"text":"${CANARY}"}`);
  const said = { role: "user", content: CANARY };
  const answer = await send(`${edge.url}/v1/messages?q=${CANARY}`, { method: "POST", headers: JSON_HEADERS, body: messageBody({ messages: [said] }) });
  assert.match(answer.text, new RegExp(CANARY));
  // Every way to fail as well, for an error's text may quote what it failed on.
  await post(edge.url, `{"broken": "${CANARY}`);
  await post(edge.url, messageBody({ [CANARY]: 1, messages: [said] }));
  await post(edge.url, messageBody({ messages: [said] }), { origin: `https://${CANARY}.example`, cookie: CANARY, "x-api-key": `sk-ant-${CANARY}` });
  upstream.answer = (request) => request.socket.destroy();
  await post(edge.url, messageBody({ messages: [said] }));
  upstream.answer = (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`data: ${CANARY}\n\n`, () => response.destroy());
  };
  await post(edge.url, messageBody({ stream: true, messages: [said] }));

  assert.match(edge.output(), /Ready on/); // The capture works.
  assert.ok(!edge.output().includes(CANARY), edge.output());
  assert.ok(!edge.output().includes(SERVER_KEY), edge.output());
  const written = await filesBelow(edge.home);
  assert.ok(written.length > 0, "workerd keeps an empty cache there"); // The folder is the right one.
  for (const file of written) {
    const text = await readFile(file, "latin1");
    assert.ok(!text.includes(CANARY) && !text.includes(SERVER_KEY), file);
  }
});

async function filesBelow(folder) {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}
