/**
 * Runs the edge worker locally in real workerd, for the demo and for the tests.
 *
 * `serve.mjs` does the work in a process of its own; this module hands it the settings (the key is in no process
 * list and no file), keeps what is written on the way in one temporary folder, waits until the worker answers, and
 * ends the whole process group afterwards.
 *
 *     node run.mjs [--port 8787] [--upstream http://127.0.0.1:9000] [--assets ../www/dist]
 */

import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, parseEnv } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));

/** Milliseconds until a start counts as failed. A cold start takes about two seconds on an idle machine. */
const START_LIMIT_MS = 60_000;

/**
 * @typedef {object} Edge
 * @property {string} url        origin of the running worker, without a final slash
 * @property {() => string} output   everything that was printed so far
 * @property {string} home       temporary folder that holds all that is written, until `stop`
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
    const bindings = { ...(devVars === null ? {} : await readVars(devVars)), ...settings };
    child = spawn(process.execPath, [join(here, "serve.mjs")], {
      cwd: here,
      detached: true, // A group of its own, so that workerd ends with it.
      stdio: ["pipe", "pipe", "pipe"],
      env: { PATH: environment.PATH ?? "", HOME: home, TMPDIR: home, NO_COLOR: "1" },
    });
    child.stdin.on("error", () => {}); // It ended before it read them; `ready` says why.
    child.stdin.end(JSON.stringify({ port, bindings, assetsDir: assetsDir && resolve(assetsDir) }));
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

/** Resolves with the URL once it was printed and the worker answers over HTTP, in whatever health. */
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

/** SIGTERM lets Miniflare end workerd; SIGKILL to the group takes whatever is left. */
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

/** The variables of a `.dev.vars` file; none without a file. */
async function readVars(path) {
  const text = await readFile(path, "utf8").catch((error) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  return parseEnv(text);
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { port: { type: "string", default: "8787" }, upstream: { type: "string" }, assets: { type: "string" } },
  });
  const edge = await startEdge({ port: Number(values.port), upstream: values.upstream, assetsDir: values.assets });
  const health = await fetch(`${edge.url}/health`);
  console.log(`Edge worker on ${edge.url}: ${await health.text()}`);
}
