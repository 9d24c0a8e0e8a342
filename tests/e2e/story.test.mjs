// Somebody chats, closes the browser, comes back, and Claude knows what was said.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { newestUserTexts, remembered, say, systemText, World } from "./world.mjs";

let world;
before(async () => (world = await World.start({ standIn: true })));
after(() => world?.end());

const today = () => new Intl.DateTimeFormat("sv-SE", { dateStyle: "short" }).format(new Date());

test("what was said in one browser session comes back in the next one", async () => {
  let page = await world.openPage();
  assert.match(await page.locator("#answers-from").innerText(), /stand-in, not from Claude/);
  await say(page, "I'm allergic to peanuts; my kid loves blue");
  await say(page, "we run everything on AWS");
  for (const words of ["peanuts", "blue", "AWS"]) await remembered(page, words);
  await world.closeBrowser();

  page = await world.openPage();
  for (const words of ["peanuts", "blue", "AWS"]) await remembered(page, words);
  await say(page, "birthday cake ideas for my kid on Saturday?");
  const request = world.chats.at(-1);
  const [block, words] = newestUserTexts(request);
  assert.equal(words, "birthday cake ideas for my kid on Saturday?");
  assert.match(block, /<memory_update/);
  for (const fact of ["peanuts", "loves blue"]) assert.ok(block.includes(fact), `${fact} is not in:\n${block}`);
  const facts = block.split("\n").filter((line) => line.startsWith("- ") && /peanuts|loves blue/.test(line));
  for (const line of facts) {
    assert.ok(line.includes(today()), `no date in: ${line}`);
    assert.match(line, /session \w+/, `no source in: ${line}`);
  }
  assert.match(systemText(request), /<memory_snapshot[^]*we run everything on AWS/, "the last turns of session 1 are in the snapshot");
  assert.equal(request.messages.length, 1, "nothing of session 1 is a message of session 2");

  const answer = await page.locator(".message.assistant .words").last().innerText();
  assert.match(answer, /peanuts/, "the stand-in quotes what the block held");
  assert.equal(await page.locator(".message.assistant .speaker").last().innerText(), "Stand-in");
  assert.doesNotMatch(await page.locator("body").innerText(), /\b(null|undefined|NaN)\b/);
});

test("a changed fact keeps both versions and the newer one leads", async () => {
  const page = world.context.pages()[0];
  await say(page, "we moved to GCP last month");
  await remembered(page, "GCP");
  const item = page.locator("#facts .fact", { hasText: "GCP" });
  assert.match(await item.innerText(), /1 earlier version/);

  await page.getByRole("button", { name: "New conversation" }).click();
  await say(page, "where do we run everything now?");
  const [block] = newestUserTexts(world.chats.at(-1));
  // The two versions of the fact; the turns in which they were said may be quoted, too.
  const [gcp, aws] = [block.indexOf(": “we moved to GCP"), block.indexOf(": “we run everything on AWS")];
  assert.ok(gcp >= 0 && aws >= 0, `both versions are in:\n${block}`);
  assert.ok(gcp < aws, `the newer version leads:\n${block}`);

  const facts = await page.evaluate(() => globalThis.memory.facts.list());
  const current = facts.filter((fact) => fact.attribute === "platform" && fact.current);
  assert.deepEqual(current.map((fact) => fact.statement.includes("GCP")), [true]);
});

test("every fact rests on words that were said", async () => {
  const page = world.context.pages()[0];
  const wrong = await page.evaluate(async () => {
    const facts = await globalThis.memory.facts.list();
    const wrong = [];
    for (const fact of facts) {
      if (!fact.evidence) continue;
      const turns = await globalThis.memory.sessions.turns(fact.evidence.turn.split(".")[0]);
      const turn = turns.find((turn) => turn.id === fact.evidence.turn);
      if (turn?.role !== "user" || turn.text.slice(fact.evidence.start, fact.evidence.end) !== fact.evidence.quote) wrong.push(fact);
    }
    return { wrong, n: facts.length };
  });
  assert.ok(wrong.n >= 4);
  assert.deepEqual(wrong.wrong, []);
});

test("a person mends what is remembered, and the next message carries it so", async () => {
  const page = world.context.pages()[0];
  const fact = page.locator("#facts .fact", { hasText: "my kid loves blue" });
  await fact.getByRole("button", { name: "No longer true" }).click();
  await page.locator("#facts .fact.stale", { hasText: "my kid loves blue" }).waitFor();
  await fact.getByRole("button", { name: "Undo" }).click();
  await page.locator("#facts .fact:not(.stale)", { hasText: "my kid loves blue" }).waitFor();

  await fact.getByRole("button", { name: "Correct" }).click();
  await page.getByLabel("Corrected statement").fill("My kid loves green");
  await page.getByRole("button", { name: "Save" }).click();
  await remembered(page, "My kid loves green");
  await page.getByRole("button", { name: "New conversation" }).click();
  await say(page, "which colour does my kid love?");
  const [block] = newestUserTexts(world.chats.at(-1));
  const [green, blue] = [block.indexOf("loves green"), block.indexOf("loves blue")];
  assert.ok(green >= 0 && green < blue, `the correction leads, the old version is marked:\n${block}`);
});

test("the prompt of a session only grows, also over a closed browser", async () => {
  let page = world.context.pages()[0];
  await page.getByRole("button", { name: "New conversation" }).click();
  await say(page, "what am I allergic to?");
  await say(page, "and where do we run everything?");
  const session = (await page.evaluate(() => globalThis.memory.sessions.list()))[0].id;
  await world.closeBrowser();
  page = await world.openPage();
  await page.locator("#sessions").selectOption(session);
  await page.locator(".message").nth(3).waitFor();
  await say(page, "thank you");
  const [first, second, third] = world.chats.slice(-3).map(withoutCacheControl);
  for (const [earlier, later] of [[first, second], [second, third]]) {
    assert.equal(JSON.stringify(later.system), JSON.stringify(earlier.system));
    assert.equal(JSON.stringify(later.messages.slice(0, earlier.messages.length)), JSON.stringify(earlier.messages));
    assert.equal(later.messages.length, earlier.messages.length + 2);
  }
});

test("the page reaches its own origin and nothing else, and the fake saw no violation", () => {
  const origin = new URL(world.edge.url).origin;
  const elsewhere = world.requests.filter(({ url }) => !url.startsWith(origin) && !url.startsWith("data:") && !url.startsWith("blob:"));
  assert.deepEqual(elsewhere, []);
  const posted = world.requests.filter(({ body }) => body);
  assert.ok(posted.length > 0 && posted.every(({ url }) => new URL(url).pathname === "/v1/messages"));
  for (const entry of world.fake.journal) assert.deepEqual([entry.violations, entry.outcome], [[], "answered"], entry.path);
  assert.doesNotMatch(world.edge.output(), /peanuts|AWS|GCP/, "the edge worker's log holds nothing that was said");
});

test("the page holds no key, and its console stays silent", () => {
  const dist = new URL("../../www/dist/assets/", import.meta.url).pathname;
  for (const name of readdirSync(dist).filter((name) => name.endsWith(".js"))) {
    assert.doesNotMatch(readFileSync(join(dist, name), "utf8"), /sk-ant-/, name);
  }
  assert.deepEqual(world.pageErrors ?? [], []);
});

function withoutCacheControl(body) {
  return JSON.parse(JSON.stringify(body, (key, value) => (key === "cache_control" ? undefined : value)));
}
