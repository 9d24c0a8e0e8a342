// One Chromium for a whole run, with a page for each index.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { processOf } from "./processor.mjs";

const CANDIDATES = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome", "/usr/bin/chromium-browser"];

// No background traffic and no spare renderer: both would only blur the measurement.
const ARGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-features=SpareRendererForSitePerProcess"];

export async function openChromium() {
  const executablePath = CANDIDATES.find((path) => path && existsSync(path));
  if (!executablePath) throw new Error("Chromium is missing: install it, or set CHROMIUM to its path");
  const profile = mkdtempSync(join(tmpdir(), "onhand-bench-"));
  // The profile is on disk: in a private window IndexedDB would be memory.
  const context = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args: ARGS });
  return {
    context,
    version: await versionOf(context),
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function versionOf(context) {
  const session = await context.newCDPSession(context.pages()[0]);
  return (await session.send("Browser.getVersion")).product;
}

/** A page of its own site, and so in a process of its own: `<host>.localhost`. */
export async function openPage(context, port, host) {
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("crash", () => complaints.push("the page crashed"));
  await page.goto(`http://${host}.localhost:${port}/`);
  await page.waitForFunction(() => window.bench);
  const session = await context.newCDPSession(page);
  const pid = await processOf(() => page.evaluate(() => window.bench.spin(150)));
  return {
    pid,
    complaints,
    close: () => page.close(),
    /** Calls a method of `window.bench`. Rejects when it fails, when the page dies, or after `limitMs`. */
    async call(method, argument, limitMs = 300_000) {
      let timer;
      const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no answer in ${limitMs / 1000} s`)), limitMs);
      });
      const answer = page.evaluate(([name, args]) => window.bench[name](...args), [method, Array.isArray(argument) ? argument : [argument]]);
      // Whoever loses the race may still fail, later.
      answer.catch(() => {});
      try {
        return await Promise.race([answer, late]);
      } catch (error) {
        throw new Error(firstLine(error));
      } finally {
        clearTimeout(timer);
      }
    },
    /** Bytes in use after a collection: JavaScript objects, array buffers, wasm memories. */
    async memory() {
      await session.send("HeapProfiler.collectGarbage");
      const { usedSize, embedderHeapUsedSize = 0, backingStorageSize = 0 } = await session.send("Runtime.getHeapUsage");
      return usedSize + embedderHeapUsedSize + backingStorageSize + (await page.evaluate(() => window.bench.wasmBytes()));
    },
  };
}

const firstLine = (error) => String(error.message ?? error).split("\n")[0].replace(/^page\.evaluate: /, "").replace(/^Error: /, "");
