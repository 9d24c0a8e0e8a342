/**
 * Runs the edge worker locally in real workerd, for the demo and for the tests.
 *
 * `wrangler dev` does the work; this module keeps it quiet (no metrics, no update check, no look-up,
 * its state, caches and logs in one temporary folder; only the bundle it builds is in `.wrangler/tmp`), keeps the key out of the process list, waits until
 * the worker answers, and ends the whole process group afterwards.
 *
 *     node run.mjs [--port 8787] [--upstream http://127.0.0.1:9000] [--assets ../www/dist]
 */

import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));

/** Milliseconds until a start counts as failed. A cold start takes about two seconds on an idle machine. */
const START_LIMIT_MS = 60_000;

/**
 * @typedef {object} Edge
 * @property {string} url        origin of the running worker, without a final slash
 * @property {() => string} output   everything wrangler and the worker have printed so far
 * @property {string} home       temporary folder that holds all that wrangler writes, until `stop`
 * @property {() => Promise<void>} stop   ends all processes and removes the temporary folder
 */

/**
 * Starts the worker on 127.0.0.1.
 *
 * Settings come from, weakest first: `wrangler.jsonc`, the `.dev.vars` file, `ANTHROPIC_API_KEY` of
 * `environment`, `vars`, `upstream`.
 *
 * @param {object} [options]
 * @param {number} [options.port]        0 (default) takes a free one
 * @param {string} [options.upstream]    base URL in place of https://api.anthropic.com
 * @param {string} [options.assetsDir]   folder whose files the worker serves from its own origin
 * @param {Record<string, string>} [options.vars]   variables and secrets of the worker
 * @param {string} [options.persistTo]   folder for wrangler's state; default is inside `home`, new on every run
 * @param {string | null} [options.devVars]   path of the `.dev.vars` file; null reads none
 * @param {Record<string, string | undefined>} [options.environment]   default `process.env`
 * @returns {Promise<Edge>}
 */
export async function startEdge(options = {}) {
  const { port = 0, upstream, assetsDir, vars = {}, devVars = join(here, ".dev.vars"), environment = process.env } = options;
  const home = await mkdtemp(join(tmpdir(), "onhand-edge-"));
  const settings = {
    ...(environment.ANTHROPIC_API_KEY ? { ANTHROPIC_API_KEY: environment.ANTHROPIC_API_KEY } : {}),
    ...vars,
    ...(upstream ? { UPSTREAM: upstream } : {}),
  };
  let child;
  const forget = beforeProcessEnds(() => {
    if (child?.pid !== undefined) signalGroup(child.pid, "SIGKILL");
    rmSync(home, { recursive: true, force: true });
  });
  const stop = async () => {
    if (child !== undefined) await endGroup(child);
    await rm(home, { recursive: true, force: true });
    forget();
  };
  try {
    const varsFile = join(home, "worker.vars");
    await writeFile(varsFile, dotenv(settings), { mode: 0o600 });
    const args = [
      join(here, "node_modules/wrangler/bin/wrangler.js"), "dev", "--local",
      "--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0",
      "--persist-to", options.persistTo ?? join(home, "state"),
      "--show-interactive-dev-session=false", "--log-level", "log",
      // An explicit env file switches wrangler's own reading of .dev.vars off, so it is listed first.
      ...(devVars !== null && (await exists(devVars)) ? ["--env-file", devVars] : []),
      "--env-file", varsFile,
      ...(assetsDir ? ["--assets", resolve(assetsDir)] : []),
    ];
    child = spawn(process.execPath, args, {
      cwd: here,
      detached: true, // A group of its own, so that workerd ends with it.
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: environment.PATH ?? "",
        HOME: home, // Log files, caches and the registry of dev sessions land here.
        XDG_CONFIG_HOME: home,
        TMPDIR: tmpdir(),
        CI: "true",
        NO_COLOR: "1",
        WRANGLER_SEND_METRICS: "false",
        WRANGLER_SEND_ERROR_REPORTS: "false",
        WRANGLER_HIDE_BANNER: "true", // The banner is what looks for updates.
        CLOUDFLARE_CF_FETCH_ENABLED: "false", // Request.cf would be fetched from Cloudflare.
        CLOUDFLARE_INCLUDE_PROCESS_ENV: "false",
      },
    });
    const printed = collect(child);
    return { url: await ready(child, printed), output: () => printed.text, home, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Both output streams as one text, with a listener for each new piece. */
function collect(child) {
  const printed = { text: "", changed: () => {} };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (piece) => {
      printed.text += piece;
      printed.changed();
    });
  }
  return printed;
}

/** Resolves with the URL once wrangler has printed it and the worker answers over HTTP, in whatever health. */
async function ready(child, printed) {
  let timer;
  const fail = (why) => new Error(`The edge worker did not start (${why}):\n${printed.text}`);
  try {
    const url = await new Promise((done, failed) => {
      const look = () => {
        const found = /Ready on (http:\/\/\S+)/.exec(printed.text);
        if (found) done(found[1].replace(/\/$/, ""));
      };
      printed.changed = look;
      timer = setTimeout(() => failed(fail("time limit")), START_LIMIT_MS);
      child.once("error", (error) => failed(fail(error.message)));
      child.once("exit", (code, signal) => failed(fail(`exit ${code ?? signal}`)));
    });
    const health = await fetch(`${url}/health`, { signal: AbortSignal.timeout(START_LIMIT_MS) });
    await health.body?.cancel();
    return url;
  } finally {
    clearTimeout(timer);
    printed.changed = () => {};
  }
}

/** SIGTERM lets wrangler end workerd; SIGKILL to the group takes whatever is left. */
async function endGroup(child) {
  if (child.pid === undefined) return;
  const ended = child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((done) => child.once("exit", done));
  signalGroup(child.pid, "SIGTERM");
  const limit = setTimeout(() => signalGroup(child.pid, "SIGKILL"), 5_000);
  await ended;
  clearTimeout(limit);
  signalGroup(child.pid, "SIGKILL");
}

function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error; // Already gone.
  }
}

/**
 * A caller that ends without `stop`, by Ctrl-C for example, must leave neither servers nor a file with a key
 * behind: a group of its own does not get the terminal's signals. Returns a function that takes this back.
 */
function beforeProcessEnds(cleanUp) {
  const onSignal = (signal) => {
    cleanUp();
    forget();
    process.kill(process.pid, signal);
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  const forget = () => {
    process.off("exit", cleanUp);
    for (const signal of signals) process.off(signal, onSignal);
  };
  process.once("exit", cleanUp);
  for (const signal of signals) process.once(signal, onSignal);
  return forget;
}

/** Wrangler expands `$` and ends values at line breaks; rather than guess its quoting, such values are refused. */
function dotenv(settings) {
  return Object.entries(settings).map(([name, value]) => {
    if (/['$\\\r\n]/.test(value)) throw new Error(`${name} holds a character that an env file cannot carry.`);
    return `${name}='${value}'\n`;
  }).join("");
}

async function exists(path) {
  return access(path).then(() => true, () => false);
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { port: { type: "string", default: "8787" }, upstream: { type: "string" }, assets: { type: "string" } },
  });
  const edge = await startEdge({ port: Number(values.port), upstream: values.upstream, assetsDir: values.assets });
  const health = await fetch(`${edge.url}/health`);
  console.log(`Edge worker on ${edge.url}: ${await health.text()}`);
}
