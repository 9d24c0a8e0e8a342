// The example in examples/router: a message goes to the model that it needs, over one memory, and an answer can be checked.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { byDifficulty } from "../../examples/router/router.js";
import { startExample } from "../../examples/router/run.mjs";
import { openBrowser } from "./browser.mjs";

let example;
let profile;
let context;
let page;
const errors = [];
before(async () => {
  example = await startExample();
  profile = await mkdtemp(join(tmpdir(), "onhand-profile-"));
  context = await openBrowser(profile);
  page = context.pages()[0] ?? (await context.newPage());
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(example.url);
  await page.locator("body[data-ready=true]").waitFor();
});
after(async () => {
  await context?.close();
  await example?.stop();
  if (profile) await rm(profile, { recursive: true, force: true });
});

// Without a request whose body is still on its way, which is one for facts: the background asks for them.
const chats = () => example.fake.journal.filter(({ path, body }) => path === "/v1/messages" && body !== null && !body.output_config?.format).map(({ body }) => body);

async function send(text) {
  const lines = page.locator("#log li[data-done=true]");
  const before = await lines.count();
  await page.getByLabel("Message").fill(text);
  await page.getByRole("button", { name: "Send" }).click();
  await lines.nth(before).waitFor();
  return lines.nth(before);
}

test("the rule tells tasks from small talk", () => {
  for (const text of ["hello", "what time is it in Porto?", "a ".repeat(190)]) assert.equal(byDifficulty(text), "quick", text);
  for (const text of ["Why does it fail?", "compare the two", "```\nlet x;\n```", "x ".repeat(210)]) assert.equal(byDifficulty(text), "thorough", text);
});

test("each message goes to the model that it needs, and what one was told the other is given", async () => {
  assert.match(await page.locator("#who").innerText(), /not Claude/);
  const line = await send("my boat is called Aurora");
  assert.equal(await line.locator(".route").innerText(), "To the quick model, claude-haiku-5-5.");
  await send("Plan a week on my boat, step by step");
  await send("what is my boat called?");
  const [first, second, third] = chats();
  assert.deepEqual([first, second, third].map((body) => body.model), ["claude-haiku-5-5", "claude-opus-5-5", "claude-haiku-5-5"]);
  assert.equal(second.messages.length, 1, "another conversation");
  assert.match(JSON.stringify([second.system, second.messages[0].content.slice(0, -1)]), /Aurora/, "memory brings what the first one was told");
  assert.equal(third.messages.length, 3, "the first conversation goes on");
});

test("a checked answer costs one more request, which is shown and of which nothing is kept", async () => {
  const n = chats().length;
  await page.getByLabel(/Let each answer be checked/).check();
  const line = await send("where does my boat lie?");
  const [answer, check] = chats().slice(n);
  assert.equal(chats().length, n + 2);
  assert.match(check.messages[0].content.at(-1).text, /^Question:\nwhere does my boat lie\?\n\nAnswer:\nI am a local stand-in/);
  assert.match(check.system[0].text, /You check an answer/);
  assert.doesNotMatch(JSON.stringify(answer), /You check an answer/);
  const cost = await line.locator(".cost").innerText();
  assert.match(cost, /^The answer: \d+ tokens in, \d+ out, claude-haiku-5-5\.\nThe check: \d+ tokens in, \d+ out, claude-haiku-5-5\.$/m);
  assert.notEqual(await line.locator(".check").innerText(), "");

  await page.getByLabel(/Let each answer be checked/).uncheck();
  await send("thank you");
  assert.doesNotMatch(JSON.stringify(chats().at(-1)), /You check an answer|Question:\\n/, "the conversation knows nothing of it");
  assert.deepEqual(example.fake.journal.flatMap((entry) => entry.violations), []);
  assert.deepEqual(errors, []);
});
