// Serves the example: the edge worker in workerd, with the built package beside the page, and without an API key the stand-in for
// Claude. Ctrl-C stops it.
//   make build && node examples/router/run.mjs        PORT=8789 ANTHROPIC_API_KEY=…
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { startFake } from "../../tests/fake/server.mjs";
import { startEdge } from "../../worker/run.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");

/** Starts it; without a key `fake` is the stand-in. */
export async function startExample({ port = 0, key } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "onhand-router-"));
  for (const name of ["index.html", "page.js", "reflect.js", "router.js"]) await cp(join(here, name), join(folder, name));
  await cp(join(root, "pkg/dist"), join(folder, "onhand/dist"), { recursive: true });
  await cp(join(root, "pkg/model/static-128-int4.bin"), join(folder, "onhand/model/static-128-int4.bin"));
  const fake = key ? undefined : await startFake({ standIn: true, seed: 1, now: Date.now });
  const edge = await startEdge({ port, assetsDir: folder, devVars: null, vars: { ANTHROPIC_API_KEY: key ?? "sk-ant-stand-in" }, ...(fake ? { upstream: fake.url } : {}) });
  const stop = async () => {
    await edge.stop();
    await fake?.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { url: edge.url, fake, stop };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const example = await startExample({ port: Number(process.env.PORT ?? 8789), key: process.env.ANTHROPIC_API_KEY });
  console.log(`${example.fake ? "A stand-in answers, not Claude (set ANTHROPIC_API_KEY)" : "Claude answers"}: ${example.url}`);
  const end = () => example.stop().then(() => process.exit(0));
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
}
