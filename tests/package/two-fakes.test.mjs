// The same scenarios against our fake of the Claude API and against an independent one, through the packed package and the edge worker in
// Chromium. What differs between the two is written down in tests/fake/README.md.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startEdge } from "../../worker/run.mjs";
import { openBrowser } from "../e2e/browser.mjs";
import { bundle, newProject, root } from "./project.mjs";
import { startAimock, startOurs } from "./two-fakes.mjs";

const stops = [];
let dist, context;

before(async () => {
  const project = await newProject();
  stops.push(() => project.remove());
  await symlink(join(root, "tests/node_modules/@anthropic-ai"), join(project.path, "node_modules/@anthropic-ai"));
  dist = await bundle(project, await readFile(join(root, "tests/package/two-fakes.page.js"), "utf8"));
  const profile = await mkdtemp(join(tmpdir(), "onhand-profile-"));
  stops.push(() => rm(profile, { recursive: true, force: true }));
  context = await openBrowser(profile);
  stops.push(() => context.close());
});
after(async () => {
  for (const stop of stops.reverse()) await stop();
});

const WORDS = "Ünïcödé, 日本語 and 🧠: words that arrive in many pieces, some of them cut within a sign.";
const ANSWERED = ["session", "memory", "text", "usage", "saved", "done"];
const NOTES = "/memories/notes.md";
const error = (status, type, more = {}) => ({ error: { status, type, message: "as scripted", ...more } });
const said = (text) => text.replace(/<memory_update>[^]*?<\/memory_update>\s*/g, "");

/**
 * `run` says things; what it gives is compared, and so is what the API was asked. `givesThere` is for aimock where it differs,
 * `beyond` says why aimock can not do it.
 */
const SCENARIOS = [
  {
    name: "an answer streams and is counted",
    replies: [{ text: WORDS, usage: { input: 11, output: 7 } }],
    run: async ({ say }) => say("a", "tell me"),
    gives: { events: ANSWERED, text: WORDS, thinking: "", error: null, usage: { input: 11, output: 7 }, stopReason: "end_turn" },
    asks: [["user: tell me"]],
    turns: 2,
  },
  {
    // The API shows thinking only where it is asked to; aimock always shows it.
    name: "thinking is no part of the words, and a conversation goes on with what was said",
    replies: [{ thinking: "Let me see.", text: "Tea." }, { text: "Green tea." }],
    run: async ({ say }) => {
      const first = await say("b", "what do I drink?");
      const second = await say("b", "which one?");
      return [first.thinking, first.text, first.events, second.text];
    },
    gives: ["", "Tea.", ANSWERED, "Green tea."],
    givesThere: ["Let me see.", "Tea.", ["session", "memory", "thinking", ...ANSWERED.slice(2)], "Green tea."],
    asks: [["user: what do I drink?"], ["user: what do I drink?", "assistant: Tea.", "user: which one?"]],
    turns: 4,
  },
  ...[
    ["a rate limit", error(429, "rate_limit_error", { retryAfter: 1 }), 429],
    ["an overload", error(529, "overloaded_error"), 529],
    ["a failure of the API", error(500, "api_error"), 500],
  ].map(([name, failure, status]) => ({
    name: `${name} is waited for`,
    replies: [failure, { text: "Now." }],
    run: async ({ say }) => {
      const { text, retried, error } = await say(name, "are you there?");
      return { text, retried, error };
    },
    gives: { text: "Now.", retried: ["api", status], error: null },
    asks: [["user: are you there?"], ["user: are you there?"]],
    turns: 2,
  })),
  {
    name: "what can not be mended is not tried again, and leaves nothing",
    replies: [error(400, "invalid_request_error"), error(401, "authentication_error"), { text: "Fine now." }],
    run: async ({ say }) => [(await say("c", "one")).error, (await say("c", "one")).error, (await say("c", "one")).text],
    gives: [
      { code: "api", status: 400, kind: "invalid_request_error", retryable: false },
      { code: "api", status: 401, kind: "authentication_error", retryable: false },
      "Fine now.",
    ],
    asks: [["user: one"], ["user: one"], ["user: one"]],
    turns: 2,
  },
  {
    name: "a stream that is cut leaves nothing, and the same words can be sent again",
    replies: [{ text: WORDS, cut: true }, { text: "Whole." }],
    run: async ({ say }) => {
      const broken = await say("d", "tell me");
      return [broken.error.code, WORDS.startsWith(broken.text), (await say("d", "tell me")).text];
    },
    gives: ["stream_cut", true, "Whole."],
    asks: [["user: tell me"], ["user: tell me"]],
    turns: 2,
  },
  {
    name: "an error in the middle of a stream is one",
    replies: [{ text: WORDS, broken: { type: "overloaded_error", message: "as scripted" } }, { text: "Whole." }],
    run: async ({ say }) => [(await say("e", "tell me")).error, (await say("e", "tell me")).text],
    gives: [{ code: "api", status: 529, kind: "overloaded_error", retryable: true }, "Whole."],
    asks: [["user: tell me"], ["user: tell me"]],
    turns: 2,
    beyond: "its streams hold no `error` event: it can cut a stream, not fail within one",
  },
  {
    name: "an answer that is stopped leaves nothing",
    replies: [{ text: WORDS, slow: true }, { text: "Again." }],
    run: async ({ say }) => {
      const stopped = await say("f", "tell me", { stopAtWords: true });
      return [stopped.error.code, stopped.text.length > 0, (await say("f", "tell me")).text];
    },
    gives: ["cancelled", true, "Again."],
    asks: [["user: tell me"], ["user: tell me"]],
    turns: 2,
  },
  {
    name: "stop reasons are passed on, also unknown ones",
    replies: [{ text: "Half a sent", stop: "max_tokens" }, { text: "So.", stop: "something_new" }],
    run: async ({ say }) => [(await say("g", "one")).stopReason, (await say("g", "two")).stopReason],
    gives: ["max_tokens", "something_new"],
    asks: [["user: one"], ["user: one", "assistant: Half a sent", "user: two"]],
    turns: 4,
  },
  {
    name: "facts are read out of what was said",
    replies: [{ text: "Noted." }],
    facts: [{ type: "entity", subject: "speaker", attribute: "boat", statement: "The boat is called Aurora.", entities: ["Aurora"], numbers: [], turn: 1, quote: "my boat is called Aurora", confidence: "high", valid_from: null, supersedes: null }],
    run: async ({ say, facts }) => {
      await say("h", "my boat is called Aurora");
      return facts();
    },
    gives: [["The boat is called Aurora.", "my boat is called Aurora"]],
    asks: [["user: my boat is called Aurora"]],
    turns: 2,
  },
  {
    name: "the SDK runs the memory tool, streaming: calls, results, words",
    replies: [
      { tools: [{ id: "toolu_1", name: "memory", input: { command: "create", path: NOTES, file_text: "tea\n" } }] },
      {
        text: "Let me look. ",
        tools: [
          { id: "toolu_2", name: "memory", input: { command: "view", path: NOTES } },
          { id: "toolu_3", name: "memory", input: { command: "create", path: NOTES, file_text: "all lost" } },
        ],
      },
      { text: "You drink tea." },
    ],
    run: async ({ askWithTool, files }) => [await askWithTool("what do I drink?"), await files()],
    gives: ["Let me look. You drink tea.", { [NOTES]: "tea\n" }],
    asks: [
      ["user: what do I drink?"],
      ["user: what do I drink?", "assistant: ", `tool: File created successfully at: ${NOTES}`],
      [
        "user: what do I drink?", "assistant: ", `tool: File created successfully at: ${NOTES}`, "assistant: Let me look. ",
        `tool: Here's the content of ${NOTES} with line numbers:\n     1\ttea`, `tool: Error: File ${NOTES} already exists`,
      ],
    ],
    turns: 0,
  },
];

for (const start of [startOurs, startAimock]) {
  describe(start === startOurs ? "against our fake" : "against aimock", () => {
    let fake, edge, tab;
    before(async () => {
      fake = await start();
      stops.push(() => fake.stop());
      edge = await startEdge({ upstream: fake.url, assetsDir: dist, devVars: null, vars: { ANTHROPIC_API_KEY: "sk-ant-test-key" } });
      stops.push(() => edge.stop());
      tab = await context.newPage();
      await tab.goto(edge.url);
      await tab.waitForFunction(() => globalThis.ready);
    });

    const call = (name) => (...given) => tab.evaluate(([name, given]) => globalThis[name](...given), [name, given]);
    const page = { say: call("say"), facts: call("facts"), turns: call("turns"), askWithTool: call("askWithTool"), files: call("files") };

    for (const { name, replies, facts, run, gives, givesThere = gives, asks, turns, beyond } of SCENARIOS) {
      test(name, async (t) => {
        if (beyond && start === startAimock) return t.diagnostic(`aimock can not do this: ${beyond}`);
        // The extraction of the scenario before must not take this one's replies.
        await page.facts();
        fake.script(replies, facts);
        const before = await page.turns();
        assert.deepEqual(await run(page), start === startOurs ? gives : givesThere);
        assert.deepEqual(fake.chats().map((messages) => messages.map(said)), asks);
        assert.equal((await page.turns()) - before, turns, "turns recorded");
        assert.deepEqual(fake.unused(), []);
        assert.deepEqual(fake.complaints(), []);
      });
    }
  });
}
