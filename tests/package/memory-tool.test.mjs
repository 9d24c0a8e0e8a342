// Claude's memory tool on the packed package: both SDKs unmodified in Chromium, through the edge worker, against the fake;
// and command by command against the SDK's own implementation on a disk.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, rmdir, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { BetaLocalFilesystemMemoryTool } from "@anthropic-ai/sdk/tools/memory/node";
import { startEdge } from "../../worker/run.mjs";
import { openBrowser } from "../e2e/browser.mjs";
import { randomFrom } from "../fake/random.mjs";
import { startFake } from "../fake/server.mjs";
import { bundle, newProject, root } from "./project.mjs";

const stops = [];
let project, fake, edge, context, tab;

before(async () => {
  project = await newProject();
  stops.push(() => project.remove());
  for (const name of ["@anthropic-ai", "@ai-sdk", "ai"]) {
    await symlink(join(root, "tests/node_modules", name), join(project.path, "node_modules", name));
  }
  const dist = await bundle(project, await readFile(join(root, "tests/package/memory-tool.page.js"), "utf8"));
  fake = await startFake({ port: 0, seed: 1, now: Date.now });
  stops.push(() => fake.close());
  edge = await startEdge({ upstream: fake.url, assetsDir: dist, devVars: null, vars: { ANTHROPIC_API_KEY: "sk-ant-test-key" } });
  stops.push(() => edge.stop());
  const profile = await mkdtemp(join(tmpdir(), "onhand-profile-"));
  stops.push(() => rm(profile, { recursive: true, force: true }));
  context = await openBrowser(profile);
  stops.push(() => context.close());
  tab = context.pages()[0];
  await open(tab);
});
after(async () => {
  for (const stop of stops.reverse()) await stop();
});
beforeEach(() => tab.evaluate(() => globalThis.clear()));

async function open(page) {
  await page.goto(edge.url);
  await page.waitForFunction(() => globalThis.ready);
}

const contents = (page = tab) => page.evaluate(() => globalThis.contents());
const outcomes = (commands, page = tab) => page.evaluate((commands) => globalThis.outcomes(commands), commands);

const use = (id, input) => ({ type: "tool_use", id, name: "memory", input });
const NOTES = "/memories/notes.md";

/** Claude's side of a conversation: three calls at once, then one that is wrong, then words. */
const CALLS = [
  [
    use("toolu_1", { command: "view", path: "/memories" }),
    use("toolu_2", { command: "create", path: NOTES, file_text: "tea\n" }),
    use("toolu_3", { command: "insert", path: NOTES, insert_line: 1, insert_text: "no milk\n" }),
    use("toolu_4", { command: "str_replace", path: NOTES, old_str: "tea", new_str: "green tea" }),
  ],
  [use("toolu_5", { command: "create", path: NOTES, file_text: "all lost" }), use("toolu_6", { command: "view", path: "/memories/../etc/passwd" })],
];
const RESULTS = [
  [
    "Here're the files and directories up to 2 levels deep in /memories, excluding hidden items and node_modules:\n0B\t/memories",
    `File created successfully at: ${NOTES}`,
    `The file ${NOTES} has been edited.`,
    "The memory file has been edited. Here is the snippet showing the change (with line numbers):\n     1\tgreen tea\n     2\tno milk",
  ],
  [`Error: File ${NOTES} already exists`, "Path /memories/../etc/passwd would escape /memories directory"],
];

for (const [sdk, ask] of [
  ["@anthropic-ai/sdk", () => tab.evaluate(() => globalThis.bySdk("What do I drink?"))],
  ["the AI SDK", () => tab.evaluate(() => globalThis.byAiSdk("What do I drink?"))],
]) {
  test(`${sdk} runs the memory tool on the device`, async () => {
    const start = fake.journal.length;
    fake.script([...CALLS.map((content) => ({ reply: { content } })), { reply: { content: "Green tea, no milk." } }]);
    assert.equal(await ask(), "Green tea, no milk.");
    assert.deepEqual(fake.unused(), []);

    const requests = fake.journal.slice(start);
    assert.deepEqual(requests.flatMap(({ violations }) => violations), []);
    assert.equal(requests.length, 3);
    for (const { body } of requests) {
      assert.ok(!("thread" in body), "no conversation is kept at the provider");
      assert.deepEqual(body.tools, [{ type: "memory_20250818", name: "memory" }]);
    }
    for (const [i, expected] of RESULTS.entries()) {
      const results = requests[i + 1].body.messages.at(-1).content;
      assert.deepEqual(results.map(({ tool_use_id }) => tool_use_id), CALLS[i].map(({ id }) => id), "in the order of the calls");
      const isError = i === 1;
      assert.deepEqual(results.map(({ is_error }) => is_error ?? false), expected.map(() => isError));
      // Both put `Error: ` before whatever a tool throws.
      const asThrown = (text) => (isError ? `Error: ${text.replace(/^Error: /, "")}` : text);
      assert.deepEqual(results.map(({ content }) => content.text ?? content[0]?.text ?? content), expected.map(asThrown));
    }
    assert.deepEqual(await contents(), { [NOTES]: "green tea\nno milk\n" });
    await open(tab);
    assert.deepEqual(await contents(), { [NOTES]: "green tea\nno milk\n" }, "it outlives the page");
  });
}

for (const [sdk, ask] of [
  ["@anthropic-ai/sdk", () => tab.evaluate(() => globalThis.allBySdk("I drink oolong."))],
  ["the AI SDK", () => tab.evaluate(() => globalThis.allByAiSdk("I drink oolong."))],
]) {
  test(`${sdk} runs all tools of the memory`, async () => {
    const start = fake.journal.length;
    const call = (name, input) => ({ type: "tool_use", name, input });
    const note = { type: "preference", subject: "user", attribute: "tea", statement: `Drinks oolong, says ${sdk}`, quote: null };
    fake.script([
      { reply: { content: [call("remember", note), call("memory", { command: "view", path: "/memories" }), call("mark_fact_stale", { fact_id: "none", reason: "no" })] } },
      { reply: { content: [call("recall", { query: "who drinks oolong?" })] } },
      { reply: { content: "Oolong." } },
    ]);
    assert.equal(await ask(), "Oolong.");
    const requests = fake.journal.slice(start);
    assert.deepEqual(requests.flatMap(({ violations }) => violations), []);
    const results = (n) => requests[n].body.messages.at(-1).content.map(({ content, is_error }) => [content.text ?? content[0]?.text ?? content, is_error ?? false]);
    const [noted, view, stale] = results(1);
    assert.match(noted[0], /^Noted as fact /);
    assert.match(view[0], /\t\/memories$/);
    assert.deepEqual(stale, ["Error: There is no fact with this id.", true]);
    assert.match(results(2)[0][0], /<memory_found>[^]*Drinks oolong/);
  });
}

test("two tabs that edit one file at once lose nothing", async () => {
  const other = await context.newPage();
  await open(other);
  await outcomes([{ command: "create", path: NOTES, file_text: "" }]);
  const inserts = (who) => Array.from({ length: 10 }, (_, i) => ({ command: "insert", path: NOTES, insert_line: 0, insert_text: `${who}${i}` }));
  const done = await Promise.all([outcomes(inserts("a")), outcomes(inserts("b"), other)]);
  assert.deepEqual(done.flat().filter(({ isError }) => isError), []);
  const lines = (await contents(other))[NOTES].split("\n").reverse();
  for (const who of ["a", "b"]) {
    assert.deepEqual(lines.filter((line) => line.startsWith(who)), Array.from({ length: 10 }, (_, i) => `${who}${i}`));
  }
  const creates = (page, text) => outcomes([{ command: "create", path: "/memories/new", file_text: text }], page);
  const [one, two] = (await Promise.all([creates(tab, "1"), creates(other, "2")])).flat();
  assert.equal(one.isError, !two.isError, "one of them was first");
  assert.match((one.isError ? one : two).text, /already exists$/);
  await other.close();
});

test("the page's own calls", async () => {
  const seen = await tab.evaluate(async () => {
    const { files } = globalThis.memory;
    const events = [];
    const stop = globalThis.memory.subscribe((event) => events.push(event));
    const written = await files.write("/memories/a/note", "café");
    await files.rename("/memories/a", "/memories/b");
    const list = await files.list();
    const code = (call) => call.then(() => "none", (error) => error.code);
    const codes = [await code(files.read("/memories/a/note")), await code(files.write("/etc/passwd", "x")), await code(files.remove("/memories"))];
    const { counts } = await globalThis.memory.status();
    await files.remove("/memories/b");
    stop();
    return { written, list, codes, counts, events, left: await files.list() };
  });
  assert.equal(seen.written.text, "café");
  assert.equal(seen.written.bytes, 5);
  assert.ok(seen.written.modified >= seen.written.created);
  assert.deepEqual(seen.list.map(({ path }) => path), ["/memories/b/note"]);
  assert.ok(!("text" in seen.list[0]));
  assert.deepEqual(seen.codes, ["not_found", "invalid_input", "invalid_input"]);
  assert.equal(seen.counts.files, 1);
  const changes = seen.events.filter(({ type, kinds }) => type === "changed" && kinds.includes("file"));
  assert.equal(changes.length, 3);
  assert.deepEqual(seen.left, []);
});

test("it fits the SDKs' types", async () => {
  const source = `
    import { createMemory, type MemoryFile, type MemoryFileInfo } from "onhand";
    import Anthropic from "@anthropic-ai/sdk";
    import { betaMemoryTool } from "@anthropic-ai/sdk/helpers/beta/memory";
    import { createAnthropic } from "@ai-sdk/anthropic";
    const { files, tools } = await createMemory();
    const client = new Anthropic();
    const runner = client.beta.messages.toolRunner({ model: "m", max_tokens: 1, messages: [], thread: false, tools: await tools.runnable() });
    const tool = betaMemoryTool(files.handlers, { cache_control: { type: "ephemeral" } });
    const other = createAnthropic().tools.memory_20250818({ execute: files.execute });
    const list: MemoryFileInfo[] = await files.list();
    const one: MemoryFile = await files.write("/memories/a", "text");
    // @ts-expect-error a list has no texts
    list[0].text;
    export { tool, other, one, runner };
  `;
  await writeFile(join(project.path, "types.ts"), source);
  const flags = ["--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler", "--target", "es2022", "--lib", "es2022,dom,dom.iterable,esnext.disposable", "--types", ""];
  execFileSync(process.execPath, [join(root, "pkg/node_modules/typescript/bin/tsc"), ...flags, "types.ts"], { cwd: project.path, stdio: "inherit" });
});

// --- Against BetaLocalFilesystemMemoryTool of the same SDK ---

/** The reference on a disk of its own. */
class Reference {
  static async start() {
    const reference = new Reference();
    reference.base = await mkdtemp(join(tmpdir(), "onhand-reference-"));
    await reference.clear();
    return reference;
  }

  async clear() {
    await this.end();
    await mkdir(this.base, { recursive: true });
    this.tool = await BetaLocalFilesystemMemoryTool.init(this.base);
  }

  end() {
    return rm(this.base, { recursive: true, force: true });
  }

  async run(command) {
    const told = this.tool[command.command](command);
    const outcome = await told.then((text) => ({ text, isError: false }), (error) => ({ text: error.message, isError: true }));
    // It keeps directories that have become empty; here a directory is there as long as a file is in it.
    await this.#removeEmpty(join(this.base, "memories"));
    return outcome;
  }

  async contents(dir = join(this.base, "memories"), path = "/memories") {
    const found = {};
    for (const entry of await readdir(dir, { withFileTypes: true })) {
      const [place, name] = [join(dir, entry.name), `${path}/${entry.name}`];
      if (entry.isDirectory()) Object.assign(found, await this.contents(place, name));
      else found[name] = await readFile(place, "utf8");
    }
    return found;
  }

  async #removeEmpty(dir) {
    for (const entry of await readdir(dir, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      const place = join(dir, entry.name);
      await this.#removeEmpty(place);
      if ((await readdir(place)).length === 0) await rmdir(place);
    }
  }
}

const sorted = (object) => Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
const A = "/memories/a";
const pad = (n) => String(n).padStart(6);
const viewed = (path, ...lines) => [`Here's the content of ${path} with line numbers:`, ...lines.map((line, i) => `${pad(i + 1)}\t${line}`)].join("\n");
const edited = (...lines) => ["The memory file has been edited. Here is the snippet showing the change (with line numbers):", ...lines.map((line, i) => `${pad(i + 1)}\t${line}`)].join("\n");
const error = (text) => ({ text, isError: true });
const ok = (text) => ({ text, isError: false });

/** Where the reference is wrong by the tool's documentation, or does what the documentation leaves open otherwise. */
const DIFFERENCES = [
  {
    why: "a line break at the end begins no line",
    text: "x\n", command: { command: "view", path: A },
    theirs: ok(viewed(A, "x", "")), ours: ok(viewed(A, "x")),
  },
  {
    why: "lines are counted without the empty one after the last line break",
    text: "x\n", command: { command: "insert", path: A, insert_line: 2, insert_text: "y" },
    theirs: ok(`The file ${A} has been edited.`), ours: error("Invalid `insert_line` parameter: 2. It should be within the range of lines of the file: [0, 1]"),
  },
  {
    why: "the final line break stays as it was, also of an empty file",
    text: "", command: { command: "insert", path: A, insert_line: 0, insert_text: "y" },
    after: { theirs: "y\n", ours: "y" },
  },
  {
    why: "two occurrences on one line are two",
    text: "Hello Hello", command: { command: "str_replace", path: A, old_str: "Hello", new_str: "Bye" },
    theirs: ok(edited("Bye Hello")),
    ours: error("No replacement was performed. Multiple occurrences of old_str `Hello` in lines: 1. Please ensure it is unique"),
  },
  {
    why: "text is found across lines",
    text: "x\ny", command: { command: "str_replace", path: A, old_str: "x\ny", new_str: "z" },
    theirs: error(`No replacement was performed, old_str \`x\ny\` did not appear verbatim in ${A}.`), ours: ok(edited("z")),
  },
  {
    why: "without a new text the old one is deleted",
    text: "ab", command: { command: "str_replace", path: A, old_str: "b" },
    theirs: ok(edited("aundefined")), ours: ok(edited("a")),
  },
  {
    why: "an empty text is nowhere",
    text: "x", command: { command: "str_replace", path: A, old_str: "", new_str: "y" },
    theirs: ok(edited("yx")), ours: error(`No replacement was performed, old_str \`\` did not appear verbatim in ${A}.`),
  },
  {
    why: "the snippet shows all of a new text",
    text: "x", command: { command: "str_replace", path: A, old_str: "x", new_str: "1\n2\n3\n4" },
    theirs: ok(edited("1", "2", "3")), ours: ok(edited("1", "2", "3", "4")),
  },
  {
    why: "an insertion into nothing is refused in the documented words",
    command: { command: "insert", path: A, insert_line: 0, insert_text: "y" },
    theirs: error(`The path ${A} does not exist. Please provide a valid path.`), ours: error(`The path ${A} does not exist`),
  },
  {
    why: "a path beside /memories is refused",
    command: { command: "view", path: "/memoriesX" },
    theirs: error("The path /memoriesX does not exist. Please provide a valid path."), ours: error("Path must start with /memories, got: /memoriesX"),
  },
  {
    why: "a path that leads out only for who decodes it is refused",
    command: { command: "create", path: "/memories/%2e%2e", file_text: "x" },
    theirs: ok("File created successfully at: /memories/%2e%2e"), ours: error("Path /memories/%2e%2e would escape /memories directory"),
  },
  {
    why: "a reversed range is an error",
    text: "1\n2\n3", command: { command: "view", path: A, view_range: [3, 2] },
    theirs: ok(`Here's the content of ${A} with line numbers:\n`),
    ours: error("Invalid `view_range` parameter: [3,2]. It should be [first, last] with whole numbers from 1; -1 as last means to the end"),
  },
  {
    why: "a range without lines shows none, nor a line break",
    text: "1", command: { command: "view", path: A, view_range: [2, 3] },
    theirs: ok(`Here's the content of ${A} with line numbers:\n`), ours: ok(`Here's the content of ${A} with line numbers:`),
  },
  {
    why: "a missing source is told before a destination that is there",
    text: "x", command: { command: "rename", old_path: "/memories/b", new_path: A },
    theirs: error(`The destination ${A} already exists`), ours: error("The path /memories/b does not exist"),
  },
  {
    why: "a slash at the end of a path is not repeated",
    text: "x", command: { command: "delete", path: `${A}/` },
    theirs: ok(`Successfully deleted ${A}/`), ours: ok(`Successfully deleted ${A}`),
  },
];

for (const { why, text, command, theirs, ours, after: expected } of DIFFERENCES) {
  test(`unlike the SDK's own implementation: ${why}`, async (t) => {
    const reference = await Reference.start();
    t.after(() => reference.end());
    if (text !== undefined) {
      const create = { command: "create", path: A, file_text: text };
      await reference.run(create);
      await outcomes([create]);
    }
    const outcome = await reference.run(command);
    const [own] = await outcomes([command]);
    if (theirs) assert.deepEqual(outcome, theirs, "the SDK has changed: is the difference still one?");
    if (ours) assert.deepEqual(own, ours);
    if (expected) assert.deepEqual({ theirs: (await reference.contents())[A], ours: (await contents())[A] }, expected);
  });
}

/** A random command that neither of the differences above concerns, given what is there. */
function randomCommand(random, files) {
  const below = (n) => random.between(0, n - 1);
  const of = (some) => some[below(some.length)];
  const path = () => `/memories${Array.from({ length: 1 + below(3) }, () => `/${of(["a", "b", "c", ".h"])}`).join("")}`;
  const text = () => Array.from({ length: below(8) }, () => of(["x", "y", " ", "z", "$&", "ä", "\n"])).join("").replace(/\n+$/, "") || "w";
  const there = Object.keys(files);
  const some = () => (there.length > 0 && below(3) > 0 ? of(there) : path());
  for (;;) {
    const command = of(["view", "view", "create", "create", "str_replace", "insert", "delete", "rename"]);
    switch (command) {
      case "view": {
        const directory = below(2) === 0;
        if (directory) return { command, path: of(["/memories", "/memories/a"]) };
        const first = below(4);
        const range = below(2) === 0 ? {} : { view_range: [first, below(3) === 0 ? -1 : Math.max(first, 1) + below(3)] };
        return { command, path: some(), ...range };
      }
      case "create":
        return { command, path: path(), file_text: text() };
      case "str_replace": {
        const place = some();
        const old = of(["x", "y", "xy", "ä", "w", "$&"]);
        const twiceOnALine = (files[place] ?? "").split("\n").some((line) => line.split(old).length > 2);
        const change = (files[place] ?? "").replace(old, () => "");
        // A file that would be empty or end in a line break is one of the differences.
        if (twiceOnALine || change === "" || change.endsWith("\n")) continue;
        return { command, path: place, old_str: old, new_str: of(["X", "$1", "new text", ""]) };
      }
      case "insert": {
        const place = some();
        if (!(place in files)) continue;
        return { command, path: place, insert_line: below(7) - 1, insert_text: of(["one", "one\n", "one\ntwo"]) };
      }
      case "delete":
        return { command, path: below(20) === 0 ? "/memories" : some() };
      case "rename": {
        const [from, to] = [below(20) === 0 ? "/memories" : some(), path()];
        const exists = (path) => there.some((one) => one === path || one.startsWith(`${path}/`));
        if (!exists(from) && exists(to)) continue;
        return { command, old_path: from, new_path: to };
      }
    }
  }
}

/** Sizes of directories are left out, a disk counts blocks; and so is the line break before no line. */
const comparable = (text) => text.replace(/ with line numbers:\n$/, " with line numbers:").replace(/(node_modules:\n)\S+/, "$1").replace(/^\S+(\t.*\/)$/gm, "$1");

/** Errors of the disk itself, where one of our own words stands: a file where a directory is needed, a directory where a file is, a directory moved into itself. */
const isDiskError = (text) => /^(E[A-Z]+:|The path \S+ is not a file\.)/.test(text);

test("random commands do what the SDK's own implementation does", async (t) => {
  const reference = await Reference.start();
  t.after(() => reference.end());
  let [n, nErrors, nDiskErrors] = [0, 0, 0];
  for (let seed = 1; seed <= 30; seed++) {
    const random = randomFrom(seed);
    await reference.clear();
    await tab.evaluate(() => globalThis.clear());
    const commands = [];
    const theirs = [];
    let files = {};
    for (let step = 0; step < 40; step++) {
      const command = randomCommand(random, files);
      commands.push(command);
      theirs.push(await reference.run(command));
      files = await reference.contents();
    }
    const ours = await outcomes(commands);
    for (const [i, command] of commands.entries()) {
      const context = `seed ${seed}, step ${i}: ${JSON.stringify(command)}`;
      n += 1;
      assert.equal(ours[i].isError, theirs[i].isError, `${context}: ${ours[i].text} | ${theirs[i].text}`);
      if (theirs[i].isError) nErrors += 1;
      if (theirs[i].isError && (isDiskError(theirs[i].text) || / is a file, not a directory$| is inside the directory /.test(ours[i].text))) {
        nDiskErrors += 1;
        continue;
      }
      assert.equal(comparable(ours[i].text), comparable(theirs[i].text), context);
    }
    assert.deepEqual(sorted(await contents()), sorted(files), `seed ${seed}`);
  }
  t.diagnostic(`${n} commands, ${nErrors} refused by both, of which ${nDiskErrors} in other words`);
  assert.ok(nErrors > n / 10 && nErrors < n / 1.5 && nDiskErrors < n / 5);
});
