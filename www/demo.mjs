// Starts the demo: the edge worker in workerd, which serves the page too, and without an API key the
// stand-in for Claude. Ctrl-C stops everything it started.
//   PORT=8787 ANTHROPIC_API_KEY=… node www/demo.mjs
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startEdge } from "../worker/run.mjs";
import { startFake } from "../tests/fake/server.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const devVars = join(root, "worker/.dev.vars");
const hasKey = Boolean(process.env.ANTHROPIC_API_KEY) || (existsSync(devVars) && /^ANTHROPIC_API_KEY\s*=\s*\S/m.test(readFileSync(devVars, "utf8")));
const port = Number(process.env.PORT ?? 8787);

const started = [];
let stopping;
const stop = (code) => {
  stopping ??= Promise.allSettled(started.map((end) => end())).then(() => process.exit(code));
};
process.on("SIGINT", () => stop(0));
process.on("SIGTERM", () => stop(0));

try {
  await mustBeFree(port);
  const options = { port, assetsDir: join(root, "www/dist") };
  if (!hasKey) {
    const fake = await startFake({ standIn: true, seed: 1, now: Date.now });
    started.push(() => fake.close());
    Object.assign(options, { upstream: fake.url, vars: { ANTHROPIC_API_KEY: "sk-ant-stand-in" }, devVars: null });
  }
  const edge = await startEdge(options);
  started.push(() => edge.stop());
  console.log(
    hasKey
      ? `\n  onhand demo, talking to Claude:  ${edge.url}\n`
      : `\n  onhand demo, with a local stand-in instead of Claude (set ANTHROPIC_API_KEY for the real one):  ${edge.url}\n`,
  );
  console.log("  Ctrl-C stops it.");
} catch (error) {
  console.error(`The demo could not start: ${error.message}`);
  stop(1);
}

/** Says what to do about a port in use, which the tools below would bury in their output. */
function mustBeFree(port) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", () => reject(new Error(`port ${port} is in use. Choose another one: PORT=${port + 1} make demo`)));
    probe.listen(port, "127.0.0.1", () => probe.close(resolve));
  });
}
