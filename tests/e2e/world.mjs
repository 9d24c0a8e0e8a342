// The whole product on one machine: the fake of the Claude API, the edge worker in workerd serving the
// demo page, and a browser profile that outlives the browser.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startEdge } from "../../worker/run.mjs";
import { startFake } from "../fake/server.mjs";
import { openBrowser } from "./browser.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

export class World {
  static async start({ standIn = false, assetsDir = join(root, "www/dist"), vars = {} } = {}) {
    const world = new World();
    world.fake = await startFake({ port: 0, seed: 1, now: Date.now, standIn });
    world.edgeOptions = { upstream: world.fake.url, assetsDir, vars: { ANTHROPIC_API_KEY: "sk-ant-test-key", ...vars }, devVars: null };
    world.edge = await startEdge(world.edgeOptions);
    world.requests = [];
    await world.newProfile();
    return world;
  }

  /** A browser that was never here before. */
  async newProfile() {
    if (this.profile) await rm(this.profile, { recursive: true, force: true });
    this.profile = await mkdtemp(join(tmpdir(), "onhand-profile-"));
    this.requests.length = 0;
  }

  /** Opens the browser and the page, and waits until memory is ready. */
  async openPage(prepare = async () => {}) {
    this.context = await openBrowser(this.profile);
    this.context.on("request", (request) => this.requests.push({ url: request.url(), body: request.postData() }));
    await prepare(this.context);
    const page = this.context.pages()[0] ?? (await this.context.newPage());
    page.on("pageerror", (error) => (this.pageErrors ??= []).push(String(error)));
    await page.goto(this.edge.url);
    await page.locator("body[data-ready=true]").waitFor();
    return page;
  }

  async closeBrowser() {
    await this.context?.close();
    this.context = undefined;
  }

  /** Stops the edge worker; `startEdgeAgain` brings it back at the same address. */
  async stopEdge() {
    this.edgePort = Number(new URL(this.edge.url).port);
    await this.edge.stop();
  }

  async startEdgeAgain() {
    this.edge = await startEdge({ ...this.edgeOptions, port: this.edgePort });
  }

  async end() {
    await this.closeBrowser();
    await this.edge?.stop();
    await this.fake?.close();
    if (this.profile) await rm(this.profile, { recursive: true, force: true });
  }

  /** The bodies of the chat requests that reached the API, oldest first. */
  get chats() {
    return this.messages.filter((body) => !body.output_config?.format);
  }

  /** The bodies of the extraction requests that reached the API, oldest first. */
  get extractions() {
    return this.messages.filter((body) => body.output_config?.format);
  }

  get messages() {
    // Without those whose body is still on its way: the background may be asking for facts right now.
    return this.fake.journal.filter((entry) => entry.path === "/v1/messages" && entry.method === "POST" && entry.body !== null).map((entry) => entry.body);
  }
}

/** Writes a message and waits until it is answered and saved. */
export async function say(page, text) {
  const before = await page.locator(".message.assistant[data-saved=true]").count();
  await write(page, text);
  await page.locator(".message.assistant[data-saved=true]").nth(before).waitFor();
}

export async function write(page, text) {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.getByRole("button", { name: "Send" }).click();
}

/** Waits until the list of what is remembered shows these words. */
export async function remembered(page, words) {
  await page.locator("#facts .fact", { hasText: words }).first().waitFor();
}

/** The texts of the newest user message of a request: the memory block first, if there is one. */
export function newestUserTexts(body) {
  const message = body.messages.at(-1);
  return message.content.map((block) => block.text);
}

export function systemText(body) {
  return body.system.map((block) => block.text).join("\n");
}
