// The person's side of the memory files: reading, writing and deleting them with the keyboard alone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { World } from "./world.mjs";

let world;
let page;
before(async () => {
  world = await World.start({ standIn: true });
  page = await world.openPage();
});
after(() => world?.end());

const NOTES = "/memories/notes.md";
const text = () => page.evaluate((path) => globalThis.memory.files.read(path).then(({ text }) => text), NOTES);
const focused = () => page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent);

/** Presses Tab until the focus is where it should be. */
async function tabTo(label) {
  for (let i = 0; i < 60; i++) {
    if ((await focused()) === label) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`${label} is not reached by Tab; the focus is on ${await focused()}`);
}

test("a file is written, opened, changed and deleted with the keyboard", async () => {
  await tabTo("New file");
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "Path");
  await page.keyboard.press("End");
  await page.keyboard.type("notes.md");
  await tabTo("Text");
  await page.keyboard.type("green tea");
  await tabTo("Save");
  await page.keyboard.press("Enter");
  await page.locator("#files .file", { hasText: NOTES }).waitFor();
  assert.equal(await text(), "green tea");

  await page.waitForFunction((label) => document.activeElement.getAttribute("aria-label") === label, `Open ${NOTES}`);
  await page.keyboard.press("Enter");
  const field = page.getByLabel(`Text of ${NOTES}`);
  await field.waitFor();
  assert.equal(await field.inputValue(), "green tea");
  await page.keyboard.press("Control+End");
  await page.keyboard.type(", no milk");
  await page.keyboard.press("Escape");
  await page.waitForFunction((label) => document.activeElement.getAttribute("aria-label") === label, `Open ${NOTES}`);
  assert.equal(await text(), "green tea", "Escape changes nothing");

  await page.keyboard.press("Enter");
  await field.waitFor();
  await page.keyboard.press("Control+End");
  await page.keyboard.type(", no milk");
  await tabTo("Save");
  await page.keyboard.press("Enter");
  await page.waitForFunction((label) => document.activeElement.getAttribute("aria-label") === label, `Open ${NOTES}`);
  assert.equal(await text(), "green tea, no milk");

  await tabTo(`Delete ${NOTES}`);
  await page.keyboard.press("Enter");
  await page.locator("#files .file").waitFor({ state: "detached" });
  assert.equal(await focused(), "New file");
  assert.deepEqual(await page.evaluate(() => globalThis.memory.files.list()), []);
});

test("what Claude writes appears by itself, and a wrong path is told", async () => {
  await page.evaluate((path) => globalThis.memory.files.handlers.create({ command: "create", path, file_text: "<b>plain</b>" }), NOTES);
  await page.locator("#files .file", { hasText: NOTES }).waitFor();
  await page.getByRole("button", { name: `Open ${NOTES}` }).click();
  assert.equal(await page.getByLabel(`Text of ${NOTES}`).inputValue(), "<b>plain</b>");
  await page.getByRole("button", { name: "Cancel" }).click();

  await page.getByRole("button", { name: "New file" }).click();
  await page.getByLabel("Path").fill("/memories/../x");
  await page.getByRole("button", { name: "Save" }).click();
  assert.match(await page.locator("#files").getByRole("alert").innerText(), /would escape \/memories/);
  assert.deepEqual(world.pageErrors ?? [], []);
});
