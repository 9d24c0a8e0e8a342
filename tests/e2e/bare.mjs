// A page with nothing but the built package, for tests of the store: a static server for it, which passes what the
// page asks of Claude on to the fake.
import { createReadStream, existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { startFake } from "../fake/server.mjs";

const pkg = join(dirname(fileURLToPath(import.meta.url)), "../../pkg");
const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm", ".html": "text/html" };
const PAGE = `<!doctype html><html><head><link rel="icon" href="data:,"></head><body><script type="module">
  import { createMemory } from "/dist/index.js";
  globalThis.createMemory = createMemory;
  document.body.dataset.ready = "true";
</script></body></html>`;

export class Bare {
  static async start({ standIn = true } = {}) {
    const bare = new Bare();
    bare.fake = await startFake({ port: 0, seed: 1, now: Date.now, standIn });
    bare.server = createServer((incoming, response) => bare.#answer(incoming, response));
    await new Promise((resolve) => bare.server.listen(0, "127.0.0.1", resolve));
    bare.url = `http://127.0.0.1:${bare.server.address().port}/`;
    bare.profile = await mkdtemp(join(tmpdir(), "onhand-profile-"));
    return bare;
  }

  /** The bodies of the extraction requests that reached the API, oldest first. */
  get extractions() {
    const messages = this.fake.journal.filter((entry) => entry.path === "/v1/messages" && entry.method === "POST");
    return messages.map((entry) => entry.body).filter((body) => body.output_config?.format);
  }

  async end() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
    await this.fake.close();
    await rm(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #answer(incoming, response) {
    const { pathname } = new URL(incoming.url, this.url);
    if (pathname.startsWith("/v1/")) return this.#passOn(incoming, response);
    if (pathname === "/") return response.writeHead(200, { "content-type": "text/html" }).end(PAGE);
    const file = join(pkg, normalize(pathname));
    if (!/^\/(dist|model)\//.test(pathname) || !existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
    createReadStream(file).pipe(response);
  }

  #passOn(incoming, response) {
    // As the edge worker does: what tells of the person stays here.
    const kept = Object.entries(incoming.headers).filter(([name]) => /^(content-|accept$|anthropic-)/.test(name));
    const headers = { ...Object.fromEntries(kept), "x-api-key": "sk-ant-test-key" };
    const onward = request(new URL(incoming.url, this.fake.url), { method: incoming.method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    incoming.pipe(onward);
  }
}
