// Serves the built page and the vectors, and remembers which files each page asked for.
import { createReadStream, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { gzipSync } from "node:zlib";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };

// Isolated pages have a clock of 5 microseconds; others 100, which is as long as a query takes.
const HEADERS = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp", "cross-origin-resource-policy": "cross-origin" };

/** Serves `dist` at /, `data` at /data/. `requested` holds a set of files for each host name. */
export async function serve(dist, data) {
  const requested = new Map();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const isData = pathname.startsWith("/data/");
    const path = normalize(isData ? join(data, pathname.slice(5)) : join(dist, pathname === "/" ? "index.html" : pathname));
    let size;
    try {
      if (!path.startsWith(isData ? data : dist)) throw new Error("outside");
      size = statSync(path).size;
    } catch {
      response.writeHead(404).end();
      return;
    }
    const host = request.headers.host.split(".")[0];
    if (pathname.startsWith("/assets/")) {
      if (!requested.has(host)) requested.set(host, new Set());
      requested.get(host).add(path);
    }
    // Code may be cached, as on any real site; the vectors are read once per page.
    const headers = { ...HEADERS, "content-type": TYPES[extname(path)] ?? "application/octet-stream", "cache-control": pathname.startsWith("/assets/") ? "max-age=3600, immutable" : "no-store" };
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    if (range) {
      const [start, end] = [Number(range[1]), Math.min(Number(range[2]), size - 1)];
      response.writeHead(206, { ...headers, "content-length": end - start + 1, "content-range": `bytes ${start}-${end}/${size}` });
      createReadStream(path, { start, end }).pipe(response);
    } else {
      response.writeHead(200, { ...headers, "content-length": size });
      createReadStream(path).pipe(response);
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: server.address().port, requested, close: () => server.close() };
}

const gzipped = new Map();

/** Bytes of a file as a good server would send it: gzip -9, or as it is if that does not help. */
export function downloadBytes(path) {
  if (!gzipped.has(path)) {
    const bytes = readFileSync(path);
    gzipped.set(path, Math.min(bytes.length, gzipSync(bytes, { level: 9 }).length));
  }
  return gzipped.get(path);
}
