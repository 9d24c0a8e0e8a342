// The demo's panel for encryption: a person turns it on, keeps the code, locks, and comes back in by each way; by keyboard.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { remembered, say, World } from "./world.mjs";

let world;
let page;
before(async () => (world = await World.start({ standIn: true })));
after(() => world?.end());
beforeEach(async () => {
  await world.newProfile();
  page = await world.openPage();
});
afterEach(() => world.closeBrowser());

const state = () => page.locator("#lock-state");
const button = (name) => page.getByRole("button", { name, exact: true });
const hasFocus = (locator) => locator.evaluate((element) => element === document.activeElement);

/** Turns it on by keyboard; gives the recovery code. */
async function turnOn(passphrase) {
  await button("Encrypt with a passphrase…").focus();
  await page.keyboard.press("Enter");
  assert.ok(await hasFocus(page.getByLabel("New passphrase")), "the field has the focus");
  await page.keyboard.type(passphrase);
  await page.keyboard.press("Tab");
  await page.keyboard.type(passphrase);
  await page.keyboard.press("Enter");
  const code = await page.locator("#recovery output").textContent();
  await state().filter({ hasText: /^On\./ }).waitFor();
  return code;
}

test("on, kept, locked, unlocked by passphrase and by code, changed, off", async () => {
  await say(page, "I'm allergic to peanuts");
  await remembered(page, "peanuts");
  assert.match(await state().textContent(), /^Off\./);

  // What is wrong is said, and changes nothing.
  await button("Encrypt with a passphrase…").click();
  await page.getByLabel("New passphrase").fill("short");
  await page.getByLabel("Once more").fill("short");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: "at least 8 characters" }).waitFor();
  await page.keyboard.press("Escape");
  assert.ok(await hasFocus(button("Encrypt with a passphrase…")), "Escape gives the button back");

  const code = await turnOn("correct horse");
  assert.match(code, /^([0-9A-Z]{4}-){6}[0-9A-Z]{4}$/);
  assert.ok(await hasFocus(page.getByRole("heading", { name: "Your recovery code" })), "a screen reader reads it");
  await page.evaluate(() => {
    globalThis.printed = 0;
    globalThis.print = () => globalThis.printed++;
  });
  await button("Print").click();
  assert.equal(await page.evaluate(() => globalThis.printed), 1);
  await page.emulateMedia({ media: "print" });
  assert.ok(await page.locator("#recovery output").isVisible());
  for (const other of ["#log", "#facts", "header", "#keep"]) assert.ok(!(await page.locator(other).isVisible()), `${other} is not printed`);
  await page.emulateMedia({ media: "screen" });
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await button("Copy").click();
  await page.locator("#recovery").getByRole("status").filter({ hasText: "Copied" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), code);
  await button("I have kept it").click();
  assert.equal(await page.getByText(code).count(), 0, "it is shown once");

  await button("Lock now").click();
  const field = page.getByLabel("Passphrase", { exact: true });
  await field.waitFor();
  await page.locator("body[data-locked=true]").waitFor();
  assert.equal(await page.getByText("peanuts").count(), 0, "nothing that was read stays on the page");
  assert.match(await state().textContent(), /^Locked\./);
  await field.fill("wrong horse");
  await page.keyboard.press("Enter");
  await page.locator("#unlock [role=alert][data-code=wrong_key]").waitFor();
  assert.ok(await hasFocus(field), "the next try can be typed");
  await field.fill("correct horse");
  await page.keyboard.press("Enter");
  await remembered(page, "peanuts");
  assert.equal(await page.locator("#unlock section").count(), 0);

  // The next visit begins locked, and the chat works all the same.
  await page.reload();
  await page.locator("body[data-ready=true]").waitFor();
  await page.getByRole("heading", { name: "Your memory is locked" }).waitFor();
  assert.ok(await hasFocus(field), "the passphrase can be typed at once");
  await button("Use the recovery code").click();
  const typed = page.getByLabel("Recovery code");
  assert.ok(await hasFocus(typed));
  await page.keyboard.type("7Q2M");
  await page.keyboard.press("Enter");
  await page.locator("#unlock [role=alert][data-code=invalid_input]").waitFor();
  await typed.fill(code.toLowerCase());
  await page.keyboard.press("Enter");
  await remembered(page, "peanuts");

  await button("Change passphrase…").click();
  await page.getByLabel("New passphrase").fill("battery staple");
  await page.getByLabel("Once more").fill("battery staple");
  await page.keyboard.press("Enter");
  await page.getByRole("status").filter({ hasText: "passphrase was changed" }).waitFor();
  await button("Lock now").click();
  await field.fill("battery staple");
  await page.keyboard.press("Enter");
  await remembered(page, "peanuts");

  await button("Turn off…").click();
  assert.ok(await hasFocus(button("Keep it on")), "Enter without looking does no harm");
  await page.keyboard.press("Enter");
  assert.match(await state().textContent(), /^On\./);
  await button("Turn off…").click();
  await button("Turn it off").click();
  await state().filter({ hasText: /^Off\./ }).waitFor();
  await page.reload();
  await page.locator("body[data-ready=true]").waitFor();
  await remembered(page, "peanuts");
});

test("another tab is locked, says so, and is unlocked by itself", async () => {
  await say(page, "I'm allergic to peanuts");
  await remembered(page, "peanuts");
  const other = await world.context.newPage();
  await other.goto(world.edge.url);
  await remembered(other, "peanuts");
  await page.bringToFront();
  await turnOn("correct horse");
  await other.bringToFront();
  await other.getByRole("heading", { name: "Your memory is locked" }).waitFor();
  assert.equal(await other.getByText("peanuts").count(), 0);
  await other.getByLabel("Passphrase", { exact: true }).fill("correct horse");
  await other.keyboard.press("Enter");
  await remembered(other, "peanuts");
});

test("a passkey is added and opens it; one that is refused is told", async () => {
  await page.goto(world.edge.url.replace("127.0.0.1", "localhost"));
  await page.locator("body[data-ready=true]").waitFor();
  const client = await page.context().newCDPSession(page);
  await client.send("WebAuthn.enable");
  const options = { protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
  const { authenticatorId } = await client.send("WebAuthn.addVirtualAuthenticator", { options: { ...options, hasPrf: false } });
  await turnOn("correct horse");
  await button("I have kept it").click();
  await button("Add a passkey").click();
  await page.locator("#lock-form [role=alert][data-code=passkey_unavailable]").waitFor();
  await client.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId });
  await client.send("WebAuthn.addVirtualAuthenticator", { options: { ...options, hasPrf: true } });
  await button("Add a passkey").click();
  await page.getByRole("status").filter({ hasText: "passkey was added" }).waitFor();
  await button("Lock now").click();
  await button("Use a passkey").click();
  await state().filter({ hasText: /^On\./ }).waitFor();
});

test("the panel is readable in the dark and has names for everything", async () => {
  await page.emulateMedia({ colorScheme: "dark" });
  await turnOn("correct horse");
  /** The contrast of an element's words to what is behind them, as WCAG 2 counts it. */
  const contrast = (selector) =>
    page.locator(selector).first().evaluate((element) => {
      const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
      const luminance = (colour) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        const linear = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
      };
      let behind = element;
      while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
      const [light, dark] = [luminance(getComputedStyle(element).color), luminance(getComputedStyle(behind).backgroundColor)].sort((a, b) => b - a);
      return (light + 0.05) / (dark + 0.05);
    });
  for (const selector of ["#lock-state", "#recovery output", "#recovery p", "#lock-actions button"]) {
    const ratio = await contrast(selector);
    assert.ok(ratio >= 4.5, `${selector}: ${ratio.toFixed(2)}`);
  }
  assert.equal(await page.getByRole("region", { name: "Encryption on this device" }).count(), 1);
  assert.equal(await page.locator("#lock-progress").getAttribute("aria-label"), "Encryption");
  for (const one of await page.locator("#lock button").all()) assert.ok((await one.textContent()).trim());
});
