// A real Chromium with a profile of its own, driven through playwright-core.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const CANDIDATES = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome", "/usr/bin/chromium-browser"];

// The browser's own background traffic would only blur the record of what the page sends.
export const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export function chromiumPath() {
  const path = CANDIDATES.find((path) => path && existsSync(path));
  if (!path) throw new Error("Chromium is missing: install it, or set CHROMIUM to its path");
  return path;
}

/** Opens Chromium on a profile folder. Closing it and opening it again is closing and reopening the browser. */
export async function openBrowser(profile) {
  const context = await chromium.launchPersistentContext(profile, { executablePath: chromiumPath(), headless: true, args: QUIET, serviceWorkers: "block" });
  context.setDefaultTimeout(30_000);
  return context;
}

/** Asks the page until it says yes. (`waitForFunction` takes a promise for a yes.) */
export async function until(page, isSo, argument) {
  // Not by frames: a tab behind another has none.
  while (!(await page.evaluate(isSo, argument))) await page.evaluate(() => new Promise((then) => setTimeout(then)));
}
