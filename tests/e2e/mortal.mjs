// A Chromium that can be killed: every process of it at once, with no chance to put anything in order.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { chromiumPath, QUIET } from "./browser.mjs";

export class Mortal {
  /** Starts it on a profile folder, which outlives it. */
  static async start(profile) {
    const mortal = new Mortal();
    // A process group of its own; the port is the system's choice and told on stderr.
    const args = ["--headless=new", ...QUIET, `--user-data-dir=${profile}`, "--remote-debugging-port=0", "about:blank"];
    mortal.process = spawn(chromiumPath(), args, { detached: true, stdio: ["ignore", "ignore", "pipe"] });
    mortal.ended = new Promise((resolve) => mortal.process.once("exit", resolve));
    const address = new Promise((resolve, reject) => {
      createInterface({ input: mortal.process.stderr }).on("line", (line) => {
        const [, url] = /^DevTools listening on (\S+)/.exec(line) ?? [];
        if (url) resolve(url);
      });
      mortal.process.once("exit", (code) => reject(new Error(`Chromium ended with ${code} before it could be spoken to`)));
    });
    mortal.browser = await chromium.connectOverCDP(await address);
    return mortal;
  }

  /** A page with the package, ready for calls. */
  async openPage(url) {
    const [context] = this.browser.contexts();
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    await page.goto(url);
    await page.locator("body[data-ready=true]").waitFor({ state: "attached" });
    return page;
  }

  /** SIGKILL to all of it; resolves when it is gone. */
  async kill() {
    try {
      process.kill(-this.process.pid, "SIGKILL");
    } catch (error) {
      if (error.code !== "ESRCH") throw error;
    }
    await this.ended;
    await this.browser.close().catch(() => {});
  }
}
