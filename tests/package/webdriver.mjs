// The three engines through WebDriver, which each of them speaks as distributions build it. For tests that need nothing but a page.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./project.mjs";

/** Which engines the tests run in, as in `tests/web/run.sh`. */
export const ENGINES = (process.env.ENGINES ?? "chromium firefox webkit").split(" ");

const settings = async (file) => JSON.parse(await readFile(join(root, "tests/web", file), "utf8"));
const builtGeckodriver = join(root, ".toolchain/bin/geckodriver");

const DRIVERS = {
  chromium: async (port) => {
    const { "goog:chromeOptions": options } = await settings("webdriver.json");
    if (process.env.CHROMIUM) options.binary = process.env.CHROMIUM;
    return { command: [process.env.CHROMEDRIVER ?? "chromedriver", `--port=${port}`], capabilities: { "goog:chromeOptions": options } };
  },
  firefox: async (port) => {
    const { "moz:firefoxOptions": options } = await settings("webdriver.json");
    const driver = existsSync(builtGeckodriver) ? builtGeckodriver : "geckodriver";
    return { command: [driver, "--port", String(port), "--websocket-port", String(await freePort())], capabilities: { "moz:firefoxOptions": options } };
  },
  // It has no mode without a screen.
  webkit: async (port) => ({ command: ["xvfb-run", "--auto-servernum", "WebKitWebDriver", `--port=${port}`], capabilities: await settings("webdriver-webkit.json") }),
};

/** Milliseconds until a driver that does not answer counts as broken. */
const START_MS = 60_000;
const SCRIPT_MS = 120_000;

/** Opens one engine. `evaluate(function, argument)` runs an async function in the page and gives what it returns. */
export async function openEngine(engine) {
  const port = await freePort();
  const { command, capabilities } = await DRIVERS[engine](port);
  const home = await mkdtemp(join(tmpdir(), "onhand-webdriver-"));
  // As root WebKit can not make the sandbox that it otherwise insists on. A group of its own, so that nothing of it survives.
  const env = { ...process.env, TMPDIR: home, ...(process.getuid() === 0 ? { WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1" } : {}) };
  const driver = spawn(command[0], command.slice(1), { env, detached: true, stdio: "ignore" });
  const kill = () => {
    try {
      if (driver.pid !== undefined) process.kill(-driver.pid, "SIGKILL");
    } catch (error) {
      if (error.code !== "ESRCH") throw error;
    }
  };
  // Also where a test run ends without closing what it opened.
  process.once("exit", kill);
  const gone = new Promise((_, reject) => {
    driver.once("error", reject);
    driver.once("exit", (code, signal) => reject(new Error(`${command[0]} ended with ${code ?? signal}`)));
  });
  gone.catch(() => {});
  const ask = async (method, path, body) => {
    const request = fetch(`http://127.0.0.1:${port}${path}`, { method, ...(body ? { body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {}) });
    const { value } = await (await Promise.race([request, gone])).json();
    if (value?.error) throw new Error(`${engine}: ${value.error}: ${value.message}`);
    return value;
  };
  const end = async () => {
    kill();
    process.off("exit", kill);
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await listening(ask);
    const { sessionId } = await ask("POST", "/session", { capabilities: { alwaysMatch: capabilities } });
    const session = `/session/${sessionId}`;
    await ask("POST", `${session}/timeouts`, { script: SCRIPT_MS });
    return {
      goto: (url) => ask("POST", `${session}/url`, { url }),
      evaluate: async (run, argument = null) => {
        const script = `const done = arguments[arguments.length - 1];
          (${run})(arguments[0]).then((value) => done({ value }), (error) => done({ error: String(error?.stack ?? error) + error }));`;
        const { value, error } = await ask("POST", `${session}/execute/async`, { script, args: [argument] });
        if (error) throw new Error(`${engine}: ${error}`);
        return value;
      },
      close: async () => {
        await ask("DELETE", session).catch(() => {});
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Drivers do not say by themselves when they listen, at least not alike; a refused connection says that they do not yet. */
async function listening(ask) {
  const giveUp = Date.now() + START_MS;
  for (;;) {
    try {
      return await ask("GET", "/status");
    } catch (error) {
      if (error.cause?.code !== "ECONNREFUSED" || Date.now() > giveUp) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
