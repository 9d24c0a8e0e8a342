// Chromium and Firefox, each with a profile of its own on disk: in a private window IndexedDB would be memory.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer from "puppeteer-core";

const PROGRAMS = {
  chrome: [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome", "/usr/bin/chromium-browser"],
  firefox: [process.env.FIREFOX, "/usr/bin/firefox-esr", "/usr/bin/firefox"],
};
const ARGS = { chrome: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync"], firefox: [] };

export async function openBrowser(name, userDataDir = mkdtempSync(join(tmpdir(), "onhand-bench-"))) {
  const executablePath = PROGRAMS[name].find((path) => path && existsSync(path));
  if (!executablePath) return undefined;
  // The longest step fills 200,000 turns.
  const browser = await puppeteer.launch({ browser: name, executablePath, headless: true, userDataDir, protocolTimeout: 3_600_000, args: ARGS[name] });
  return {
    version: await browser.version(),
    /** Bytes that its processes have for themselves, and their share of what they have in common. */
    bytes: () => residentBytes(browser.process().pid),
    async open(url) {
      const page = await browser.newPage();
      const complaints = [];
      page.on("pageerror", (error) => complaints.push(String(error.message ?? error).slice(0, 200)));
      await page.goto(url);
      await page.waitForFunction(() => window.bench);
      return {
        complaints,
        call: (method, argument) => page.evaluate((name, argument) => window.bench[name](argument), method, argument),
        close: () => page.close(),
      };
    },
    userDataDir,
    async close({ keeps = false } = {}) {
      await browser.close();
      if (!keeps) rmSync(userDataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Proportional set size of a process and all that descend from it, from Linux's /proc. */
function residentBytes(root) {
  const parents = new Map();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      parents.set(Number(pid), Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").pop().split(" ")[1]));
    } catch {
      // It ended meanwhile.
    }
  }
  let bytes = 0;
  for (const pid of parents.keys()) {
    let at = pid;
    while (at && at !== root) at = parents.get(at);
    if (at !== root) continue;
    try {
      bytes += 1024 * Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0);
    } catch {
      // The same.
    }
  }
  return bytes;
}
