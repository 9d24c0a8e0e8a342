// Claude calls tools: the memory's own, and functions of the page. The whole path, against the strict fake.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { World, write } from "./world.mjs";

let world;
let page;
before(async () => {
  world = await World.start();
  page = await world.openPage();
  await page.evaluate(() => {
    globalThis.ran = [];
    const schema = (properties) => ({ type: "object", additionalProperties: false, required: Object.keys(properties), properties });
    globalThis.tools = [
      {
        name: "add",
        description: "Adds two numbers.",
        inputSchema: schema({ a: { type: "number" }, b: { type: "number" } }),
        run: ({ a, b }) => String(a + b),
      },
      {
        name: "meet",
        description: "Waits for the others.",
        // Not within what strict mode allows.
        inputSchema: { type: "object", properties: { n: { type: "integer", minimum: 2 } } },
        // Ends when as many of them run as `n` says.
        run: ({ n }) =>
          new Promise((resolve) => {
            globalThis.ran.push(resolve);
            if (globalThis.ran.length === n) globalThis.ran.splice(0).forEach((end, at) => end(`met ${at}`));
          }),
      },
      { name: "fail", inputSchema: schema({}), run: () => { throw new TypeError("no such thing"); } },
      { name: "strange", inputSchema: schema({}), run: () => ({ not: "text" }) },
      { name: "blocks", inputSchema: schema({}), run: async () => [{ type: "text", text: "one" }, { type: "text", text: "two" }] },
      {
        name: "wait",
        inputSchema: schema({}),
        run: (_, { signal }) => new Promise((resolve, reject) => (globalThis.waits = { signal, resolve }, signal.addEventListener("abort", () => reject(signal.reason)))),
      },
    ];
    /** Sends a message in a chat; gives its events, and the error if it threw one. */
    globalThis.converse = async (chat, text, options) => {
      const events = [];
      try {
        for await (const event of chat.send(text, options)) events.push(event);
        return { events };
      } catch (error) {
        return { events, error: { code: error.code, message: error.message } };
      }
    };
  });
});
after(() => world?.end());

const call = (name, input = {}) => ({ type: "tool_use", name, input });
const script = (...replies) => world.fake.script(replies.map((reply) => ({ reply, match: ({ body }) => !body.output_config?.format })));
/** Facts are read out of what was said, in the background: nothing is in it. */
const nothingToLearn = () => world.fake.script([{ match: ({ body }) => Boolean(body.output_config?.format), reply: { content: '{"facts":[]}' }, times: Infinity }]);
/** The results in the newest message of a request. */
const results = (body) => body.messages.at(-1).content.map(({ content, is_error = false }) => [content, is_error]);
const violations = () => world.fake.journal.flatMap((entry) => entry.violations);

test("tools of the page run at once, and what they throw is told to Claude", async () => {
  nothingToLearn();
  const calls = [call("meet", { n: 10 }), ...Array.from({ length: 9 }, () => call("meet", { n: 10 }))];
  script({ content: calls }, { content: [call("add", { a: 2, b: 3 }), call("fail"), call("strange"), call("blocks")] }, { content: "Five." });
  const { events, error } = await page.evaluate(() => globalThis.converse(globalThis.memory.chat({ tools: globalThis.tools }), "meet and add"));
  assert.equal(error, undefined);
  const [first, second, third] = world.chats.slice(-3);
  const names = ["add", "blocks", "fail", "mark_fact_stale", "meet", "memory", "read_artifact", "recall", "remember", "strange", "wait"];
  assert.deepEqual(first.tools.map((tool) => tool.name), names);
  const strict = first.tools.filter((tool) => tool.strict).map((tool) => tool.name);
  assert.deepEqual(strict, ["add", "blocks", "fail", "mark_fact_stale", "read_artifact", "recall", "remember", "strange", "wait"]);
  assert.deepEqual(results(second), Array.from({ length: 10 }, (_, at) => [`met ${at}`, false]));
  assert.deepEqual(results(third), [
    ["5", false],
    ["TypeError: no such thing", true],
    ["TypeError: a tool gives text or content blocks", true],
    [[{ type: "text", text: "one" }, { type: "text", text: "two" }], false],
  ]);
  const tools = events.filter((event) => event.type === "tool");
  assert.equal(tools.length, 28);
  assert.deepEqual(tools.slice(0, 10).map(({ name, state, input }) => [name, state, input]), Array.from({ length: 10 }, () => ["meet", "started", { n: 10 }]));
  const failed = tools.filter((event) => event.isError).map((event) => event.name).sort();
  assert.deepEqual(failed, ["fail", "strange"]);
  assert.ok(tools.every((event) => event.state === "started" || event.ms >= 0));
  const saved = events.find((event) => event.type === "saved");
  const turns = await page.evaluate(async (ids) => Promise.all(ids.map((id) => globalThis.memory.turns.get(id))), saved.turns);
  assert.deepEqual(turns.map((turn) => turn.role), ["user", "assistant", "tool", "assistant", "tool", "assistant"]);
  assert.deepEqual(violations(), []);
});

test("a session keeps its tools over a reload, and one that the page does not bring is answered for", async () => {
  script({ content: "Hello." });
  const session = await page.evaluate(async () => {
    const chat = globalThis.memory.chat({ tools: globalThis.tools });
    await globalThis.converse(chat, "hello");
    return chat.session;
  });
  const frozen = JSON.stringify(world.chats.at(-1).tools);
  script({ content: [call("add", { a: 1, b: 1 })] }, { content: "I can not add now." });
  const other = await page.context().newPage();
  await other.goto(`${world.edge.url}/?preset=assistant`);
  await other.locator("body[data-ready=true]").waitFor();
  await other.evaluate(async (session) => {
    for await (const _ of globalThis.memory.chat({ session }).send("and now?"));
  }, session);
  await other.close();
  for (const body of world.chats.slice(-2)) assert.equal(JSON.stringify(body.tools), frozen);
  assert.deepEqual(results(world.chats.at(-1)), [["This tool is not available here at present.", true]]);
  assert.deepEqual(violations(), []);
});

test("cancelling ends the tools that run, and nothing is recorded", async () => {
  script({ content: [call("wait")] });
  const outcome = await page.evaluate(async () => {
    const controller = new AbortController();
    const turns = (await globalThis.memory.turns.list()).turns.length;
    let error;
    try {
      for await (const event of globalThis.memory.chat({ tools: globalThis.tools }).send("wait for it", { signal: controller.signal })) {
        if (event.type === "tool") controller.abort();
      }
    } catch ({ code, message }) {
      error = { code, message };
    }
    return { error, aborted: globalThis.waits.signal.aborted, more: (await globalThis.memory.turns.list()).turns.length - turns };
  });
  assert.deepEqual(outcome, { error: { code: "cancelled", message: "Cancelled." }, aborted: true, more: 0 });
});

test("limits end a message with a notice, and the session goes on", async () => {
  script({ content: [call("add", { a: 1, b: 1 })] }, { content: [call("add", { a: 2, b: 2 })] }, { content: [call("wait")] }, { content: "Going on." });
  const outcome = await page.evaluate(async () => {
    const chat = globalThis.memory.chat({ tools: globalThis.tools, limits: { turns: 2 } });
    const turns = await globalThis.converse(chat, "add for ever");
    const ms = await globalThis.converse(chat, "wait for ever", { limits: { ms: 300 } });
    const aborted = globalThis.waits.signal.aborted;
    const done = await globalThis.converse(chat, "go on");
    const bad = await globalThis.converse(globalThis.memory.chat({ model: "claude-next-9", limits: { cost: 1 } }), "hello");
    const codes = ({ events }) => events.filter((event) => event.type === "notice").map((event) => event.code);
    return { turns: codes(turns), ms: codes(ms), aborted, done: done.events.at(-1), bad: bad.error };
  });
  assert.deepEqual([outcome.turns, outcome.ms], [["limit_reached"], ["limit_reached"]]);
  assert.ok(outcome.aborted, "a tool whose time is over is told so");
  assert.deepEqual(outcome.done, { type: "done", stopReason: "end_turn" });
  assert.equal(outcome.bad.code, "invalid_input");
  assert.match(outcome.bad.message, /limits\.cost/);
  assert.deepEqual(violations(), []);
});

test("hooks see each step and may forbid a tool, withhold memory, and keep facts from being read", async () => {
  script({ content: [call("add", { a: 1, b: 1 })] }, { content: "I may not." });
  const outcome = await page.evaluate(async () => {
    const seen = [];
    const hooks = {
      beforeRequest: ({ session, body }) => void seen.push(["beforeRequest", session.length, JSON.parse(body).messages.length]),
      afterReply: async ({ stopReason, tokens }) => void seen.push(["afterReply", stopReason, tokens.output > 0]),
      beforeTool: ({ name, input }) => (seen.push(["beforeTool", name, input]), { content: "The person did not allow it.", isError: true }),
      beforeStore: ({ turns }) => (seen.push(["beforeStore", turns.length]), { facts: false }),
    };
    const jobs = (await globalThis.memory.queue.list()).length;
    const { error } = await globalThis.converse(globalThis.memory.chat({ tools: globalThis.tools, hooks }), "add this");
    const more = (await globalThis.memory.queue.list()).length - jobs;
    const broken = { beforeRequest: () => { throw new Error("not today"); } };
    const refused = await globalThis.converse(globalThis.memory.chat({ hooks: broken }), "hello");
    return { seen, error, more, refused: refused.error };
  });
  assert.deepEqual(outcome.seen, [
    ["beforeRequest", 26, 1],
    ["afterReply", "tool_use", true],
    ["beforeTool", "add", { a: 1, b: 1 }],
    ["beforeRequest", 26, 3],
    ["afterReply", "end_turn", true],
    ["beforeStore", 4],
  ]);
  assert.equal(outcome.error, undefined);
  assert.ok(outcome.more <= 0, "no job was added");
  assert.equal(outcome.refused.code, "hook_failed");
  assert.match(outcome.refused.message, /beforeRequest.*not today/);
  assert.deepEqual(results(world.chats.at(-1)), [["The person did not allow it.", true]]);
});

test("the memory's tools run in the engine: files under the lock of all tabs, facts as Claude's notes", async () => {
  const path = "/memories/tea.md";
  script(
    { content: [call("memory", { command: "create", path, file_text: "tea\n" }), call("remember", { type: "preference", subject: "user", attribute: "tea", statement: "Drinks green tea in the morning", quote: "green tea in the morning" })] },
    { content: "Noted." },
  );
  const noted = await page.evaluate(async () => {
    await globalThis.converse(globalThis.memory.chat(), "Please note: green tea in the morning");
    const [fact] = await globalThis.memory.facts.list();
    const { text } = await globalThis.memory.turns.get(fact.evidence.turn);
    return { fact, quoted: text.slice(fact.evidence.start, fact.evidence.end) };
  });
  assert.deepEqual([noted.fact.origin, noted.quoted], ["assistant", "green tea in the morning"]);

  // While another tab holds the lock, the tool waits for it.
  const insert = (line) => call("memory", { command: "insert", path, insert_line: 0, insert_text: line });
  script({ content: [insert("first")] }, { content: "Done." });
  const order = await page.evaluate(async () => {
    const seen = [];
    let release;
    const held = new Promise((resolve) => {
      void navigator.locks.request("onhand:onhand:me:default:files", () => (resolve(), new Promise((done) => (release = done))));
    });
    await held;
    for await (const event of globalThis.memory.chat().send("write it down")) {
      if (event.type !== "tool") continue;
      seen.push(event.state);
      if (event.state !== "started") continue;
      // The page asks for the lock behind the engine, and sees it wait.
      while (!(await navigator.locks.query()).pending.some((lock) => lock.name.endsWith(":files"))) await new Promise((again) => requestAnimationFrame(again));
      seen.push("waits");
      release();
    }
    return { seen, text: (await globalThis.memory.files.read("/memories/tea.md")).text };
  });
  assert.deepEqual(order, { seen: ["started", "waits", "finished"], text: "first\ntea\n" });

  const own = await page.evaluate(async () => {
    const { tools } = globalThis.memory;
    const names = (await tools.list()).map((tool) => tool.name);
    const runnable = await tools.runnable();
    const memory = runnable.find((tool) => tool.name === "memory");
    const view = await memory.run(memory.parse({ command: "view", path: "/memories" }));
    const wrong = await memory.run({ command: "view", path: "/etc" }).catch((error) => error.message);
    const found = await tools.run("recall", { query: "tea in the morning" });
    const missing = await tools.run("weather", {}).catch((error) => error.code);
    return { names, types: runnable.map((tool) => tool.type ?? "custom"), view, wrong, found, missing };
  });
  assert.deepEqual(own.names, ["mark_fact_stale", "read_artifact", "recall", "remember"]);
  assert.deepEqual(own.types, ["custom", "memory_20250818", "custom", "custom", "custom"]);
  assert.match(own.view, /\/memories\/tea\.md/);
  assert.match(own.wrong, /^Path must start with \/memories/);
  assert.match(own.found.content, /<memory_found>[^]*Drinks green tea in the morning/);
  assert.equal(own.missing, "not_found");
  assert.deepEqual(violations(), []);
});

test("a tool that is cancelled while it waits for the files leaves the line", async () => {
  script({ content: [call("memory", { command: "create", path: "/memories/never.md", file_text: "x" })] });
  const outcome = await page.evaluate(async () => {
    const waiting = async () => (await navigator.locks.query()).pending.filter((lock) => lock.name.endsWith(":files")).length;
    let release;
    await new Promise((held) => {
      void navigator.locks.request("onhand:onhand:me:default:files", () => (held(), new Promise((done) => (release = done))));
    });
    const controller = new AbortController();
    let code;
    try {
      for await (const event of globalThis.memory.chat().send("write it down", { signal: controller.signal })) {
        if (event.type !== "tool") continue;
        while ((await waiting()) === 0) await new Promise((again) => requestAnimationFrame(again));
        controller.abort();
      }
    } catch (error) {
      code = error.code;
    }
    while ((await waiting()) > 0) await new Promise((again) => requestAnimationFrame(again));
    release();
    await globalThis.memory.files.write("/memories/after.md", "y");
    const paths = (await globalThis.memory.files.list()).map(({ path }) => path);
    return { code, paths: paths.filter((path) => /never|after/.test(path)) };
  });
  assert.deepEqual(outcome, { code: "cancelled", paths: ["/memories/after.md"] });
});

test("only schemas that the API can enforce are sent as strict, and no more than it takes", async () => {
  script({ content: "Hello." });
  const strict = { type: "object", additionalProperties: false };
  const many = (n) => ({ ...strict, properties: Object.fromEntries(Array.from({ length: n }, (_, at) => [`p${at}`, { type: "string" }])) });
  const schemas = {
    nested: { ...strict, properties: { list: { type: "array", minItems: 1, items: { ...strict, required: ["day"], properties: { day: { type: "string", format: "date" } } } } } },
    open: { type: "object", properties: { a: { type: "string" } } },
    openInside: { ...strict, properties: { a: { type: "object", properties: {} } } },
    range: { ...strict, properties: { a: { type: "integer", maximum: 3 } } },
    format: { ...strict, properties: { a: { type: "string", format: "phone" } } },
    remote: { ...strict, properties: { a: { $ref: "https://example.com/a.json" } } },
    local: { ...strict, required: ["a"], properties: { a: { $ref: "#/$defs/a" } }, $defs: { a: { anyOf: [{ type: "string" }, { type: "null" }] } } },
    // With the one optional property of `nested`, and one of the memory's own tools, there is room for 22 more.
    tooMany: many(23),
    fits: many(22),
    full: many(1),
  };
  await page.evaluate((schemas) => {
    const tools = Object.entries(schemas).map(([name, inputSchema]) => ({ name, inputSchema, run: () => "" }));
    tools.push({ name: "asSaid", strict: false, inputSchema: { type: "object", additionalProperties: false }, run: () => "" });
    return globalThis.converse(globalThis.memory.chat({ tools }), "hello");
  }, schemas);
  const sent = world.chats.at(-1).tools.filter((tool) => tool.strict && tool.name in { ...schemas, asSaid: 1 });
  assert.deepEqual(sent.map((tool) => tool.name), ["fits", "local", "nested"]);
  assert.deepEqual(violations(), []);
});

test("a session of twenty messages with recall and tools is read from the cache, and no thinking is lost", async () => {
  // Answers of some 1,000 characters, as in a real conversation; each looks something up first.
  const words = (n) => Array.from({ length: 25 }, (_, at) => `Sentence ${at} of answer ${n} says a little more about it.`).join(" ");
  const replies = Array.from({ length: 20 }, (_, n) => [
    { content: [{ type: "thinking", thinking: `Let me look ${n}.` }, call("recall", { query: `boat ${n}` }), call("add", { a: n, b: 1 })] },
    { content: [{ type: "thinking", thinking: `Now I know ${n}.` }, { type: "text", text: words(n) }] },
  ]).flat();
  script(...replies);
  const from = world.chats.length;
  const usages = await page.evaluate(async () => {
    // Two conversations: the last one stands in the snapshot, and what stands there is not recalled.
    for (const text of ["my boat is called Aurora and lies in Porto", "good morning"]) await globalThis.memory.remember([{ role: "user", text }]);
    const chat = globalThis.memory.chat({ tools: globalThis.tools });
    const usages = [];
    for (let n = 0; n < 20; n++) {
      const { events, error } = await globalThis.converse(chat, `Question ${n}: is my boat Aurora still in Porto, and what is ${n} + 1?`);
      if (error) throw new Error(`${n}: ${error.message}`);
      usages.push(...events.filter((event) => event.type === "usage").map((event) => event.tokens));
    }
    return usages;
  });
  assert.equal(usages.length, 40);
  // After the second message: four requests.
  const later = usages.slice(4);
  const sum = (name) => later.reduce((sum, tokens) => sum + tokens[name], 0);
  const [read, all] = [sum("cacheRead"), sum("cacheRead") + sum("cacheWrite") + sum("input")];
  assert.ok(read / all >= 0.9, `${((100 * read) / all).toFixed(1)} % of the input came from the cache`);
  const bodies = world.chats.slice(from);
  assert.ok(JSON.stringify(bodies.at(-1).messages[0]).includes("<memory_update>"), "recall was on");
  // All thinking is sent back, and the fake, whose account binds it, found each block where it belongs.
  const thoughts = bodies.at(-1).messages.flatMap((message) => message.content).filter((block) => block.type === "thinking");
  assert.equal(thoughts.length, 39);
  assert.ok(bodies.every((body) => body.thinking === undefined), "no request gave leave to drop thinking");
  assert.deepEqual(violations(), []);
});

test("thinking that is bound to another prefix costs one more request, once", async () => {
  script({ content: [{ type: "thinking", thinking: "Hm." }, { type: "text", text: "Hello." }] });
  const session = await page.evaluate(async () => {
    const chat = globalThis.memory.chat();
    await globalThis.converse(chat, "hello");
    return chat.session;
  });
  // Another account's signature, as after a change of keys.
  const forged = (request) => JSON.stringify(request.body.messages).includes("bound") && !request.body.thinking;
  world.fake.script([
    { match: forged, reply: { status: 400, type: "invalid_request_error", message: "messages.1.content.0: Invalid `signature` in `thinking` block." } },
    { match: ({ body }) => !body.output_config?.format, reply: { content: "Again." }, times: 2 },
  ]);
  const { events } = await page.evaluate((session) => globalThis.converse(globalThis.memory.chat({ session }), "is it bound?"), session);
  assert.equal(events.filter((event) => event.type === "retrying").length, 1);
  await page.evaluate((session) => globalThis.converse(globalThis.memory.chat({ session }), "and still bound?"), session);
  const drops = world.chats.slice(-3).map((body) => body.thinking?.block_binding.prefix_mismatch_behavior);
  assert.deepEqual(drops, [undefined, "drop_block", "drop_block"]);
  assert.deepEqual(violations(), []);
});

test("with the engine in the page, tools work as well", async () => {
  script({ content: [call("add", { a: 20, b: 3 }), call("memory", { command: "view", path: "/memories" })] }, { content: "23." });
  const outcome = await page.evaluate(async () => {
    const memory = await globalThis.memory.constructor.open({ database: "in-page", thread: "page", preset: "agent" });
    const { events, error } = await globalThis.converse(memory.chat({ tools: globalThis.tools }), "20 + 3?");
    memory.close();
    return { error: error ?? null, done: events.at(-1).type };
  });
  assert.deepEqual(outcome, { error: null, done: "done" });
  assert.deepEqual(results(world.chats.at(-1)).map(([content]) => content.split("\n")[0]), ["23", "Here're the files and directories up to 2 levels deep in /memories, excluding hidden items and node_modules:"]);
});

test("presets of the package do what their names say", async () => {
  script(...Array.from({ length: 4 }, () => ({ content: "Fine." })));
  const kept = await page.evaluate(async () => {
    const kept = {};
    for (const preset of ["stateless", "episodic", "assistant", "agent"]) {
      const memory = await globalThis.memory.constructor.open({ database: `preset-${preset}`, preset });
      const { events } = await globalThis.converse(memory.chat(), "my boat is called Aurora");
      kept[preset] = [(await memory.turns.list()).turns.length, events.some((event) => event.type === "saved")];
      memory.close();
    }
    const refused = await globalThis.memory.constructor.open({ database: "preset", preset: "all" }).catch((error) => error.code);
    return { ...kept, refused };
  });
  assert.deepEqual(kept, { stateless: [0, false], episodic: [2, true], assistant: [2, true], agent: [2, true], refused: "invalid_input" });
  assert.deepEqual(world.chats.slice(-4).map((body) => body.tools?.length ?? 0), [0, 0, 0, 5]);
});

test("the chat shows a line for each tool, also after a reload", async () => {
  script({ content: [{ type: "text", text: "Let me look." }, call("recall", { query: "boat" }), call("memory", { command: "view", path: "/memories/none.md" })] }, { content: "It is called Aurora." });
  await page.getByRole("button", { name: "New conversation" }).click();
  await write(page, "what is my boat called?");
  const answer = page.locator(".message.assistant[data-saved=true]").last();
  await answer.waitFor();
  const shown = async (answer) => ({
    lines: (await answer.locator(".tools li").allInnerTexts()).map((text) => text.replace(/ ?\(\d+ ms\)/, "")),
    words: await answer.locator(".words").innerText(),
  });
  const expected = { lines: ["Searches memory for “boat”", "Memory file: view /memories/none.md: did not work"], words: "Let me look.\n\nIt is called Aurora." };
  assert.deepEqual(await shown(answer), expected);
  assert.equal(await answer.locator(".tools").getAttribute("aria-label"), "Tools used");
  const session = (await page.evaluate(() => globalThis.memory.sessions.list()))[0].id;
  await page.reload();
  await page.locator("body[data-ready=true]").waitFor();
  await page.locator("#sessions").selectOption(session);
  const again = page.locator(".message.assistant");
  await again.waitFor();
  assert.deepEqual(await shown(again), expected);
  assert.deepEqual(world.pageErrors ?? [], []);
});
