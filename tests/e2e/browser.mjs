// A real Chromium with a profile of its own, driven through playwright-core.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const CANDIDATES = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome", "/usr/bin/chromium-browser"];

// The browser's own background traffic would only blur the record of what the page sends.
const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** Opens Chromium on a profile folder. Closing it and opening it again is closing and reopening the browser. */
export async function openBrowser(profile) {
  const executablePath = CANDIDATES.find((path) => path && existsSync(path));
  if (!executablePath) throw new Error("Chromium is missing: install it, or set CHROMIUM to its path");
  const context = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args: QUIET, serviceWorkers: "block" });
  context.setDefaultTimeout(30_000);
  return context;
}
