/**
 * A caller that leaves must stop the upstream's work, which costs money by the token.
 *
 * Runs bare workerd with the shipped compatibility settings: what Miniflare puts in front of
 * a worker does not pass on that a caller has left before the response headers.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readConfig } from "../config.mjs";
import { bundleSource } from "./source.mjs";
import { JSON_HEADERS, PAGE, messageBody, open, startUpstream } from "./upstream.mjs";

let upstream;
let folder;
let workerd;
let url;

before(async () => {
  upstream = await startUpstream();
  folder = await mkdtemp(join(tmpdir(), "onhand-workerd-"));
  const { compatibility_date: date, compatibility_flags: flags } = await readConfig();
  await writeFile(join(folder, "index.js"), await bundleSource("index.ts"));
  await writeFile(join(folder, "config.capnp"), `
    using Workerd = import "/workerd/workerd.capnp";
    const config :Workerd.Config = (
      services = [(name = "edge", worker = .edge), (name = "internet", network = (allow = ["local", "private"]))],
      sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "edge")]
    );
    const edge :Workerd.Worker = (
      modules = [(name = "index.js", esModule = embed "index.js")],
      compatibilityDate = ${JSON.stringify(date)},
      compatibilityFlags = ${JSON.stringify(flags)},
      bindings = [
        (name = "ANTHROPIC_API_KEY", text = "sk-ant-server-key"),
        (name = "ALLOWED_ORIGINS", text = ${JSON.stringify(PAGE)}),
        (name = "UPSTREAM", text = ${JSON.stringify(upstream.url)})
      ]
    );`);
  const program = fileURLToPath(new URL("../node_modules/workerd/bin/workerd", import.meta.url));
  const args = ["serve", join(folder, "config.capnp"), "--control-fd=3"];
  workerd = spawn(program, args, { stdio: ["ignore", "inherit", "inherit", "pipe"], detached: true });
  const [line] = await once(workerd.stdio[3], "data"); // {"event":"listen","socket":"http","port":…}
  url = `http://127.0.0.1:${JSON.parse(line.toString().split("\n")[0]).port}/v1/messages`;
});

after(async () => {
  if (workerd?.pid !== undefined) {
    process.kill(-workerd.pid, "SIGKILL");
    await once(workerd, "exit");
  }
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  await upstream?.close();
});

test("leaving mid-stream ends the upstream's request", async () => {
  // workerd notices a connection closed by FIN when it next writes, so this upstream goes on writing, as a model does.
  let closed;
  upstream.answer = (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const writing = setInterval(() => response.write("event: ping\n\n"), 10);
    closed = once(response, "close").finally(() => clearInterval(writing));
  };
  const leave = new AbortController();
  const response = await open(url, { method: "POST", headers: JSON_HEADERS, body: messageBody({ stream: true }), signal: leave.signal });
  response.on("error", () => {});
  await once(response, "data");
  leave.abort();
  await closed;
});

for (const [name, stream] of [["mid-stream while the model is silent", true], ["before the headers", false]]) {
  test(`a connection reset ${name} ends the upstream's request`, async () => {
    // The default limits are a minute and ten minutes: only the caller can be what ends this request.
    const started = new Promise((done) => {
      upstream.answer = (_request, response) => {
        if (stream) response.writeHead(200, { "content-type": "text/event-stream" }).write("event: ping\n\n");
        done({ closed: once(response, "close") });
      };
    });
    const caller = request(url, { method: "POST", headers: JSON_HEADERS, agent: false });
    const answered = stream ? once(caller, "response").then(([response]) => once(response.on("error", () => {}), "data")) : null;
    caller.on("error", () => {}).end(messageBody({ stream }));
    const { closed } = await started;
    await answered;
    const before = performance.now();
    caller.socket.resetAndDestroy();
    await closed;
    assert.ok(performance.now() - before < 30_000);
  });
}
