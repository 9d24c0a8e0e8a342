// A person's thumbs and an evaluation of recall, in the engine's thread beside a chat.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { prepare } from "./own-memory.mjs";
import { World } from "./world.mjs";

let world;
let page;
before(async () => (world = await World.start({ standIn: true })));
after(() => world?.end());
beforeEach(async () => {
  await world.newProfile();
  page = await world.openPage();
  await prepare(page);
});
afterEach(() => world.closeBrowser());

for (const thread of ["worker", "page"]) {
  test(`thumbs are kept and become figures, with the engine in a ${thread}`, async () => {
    const { before, item, kept, judged, figures } = await page.evaluate(async (thread) => {
      const first = (await openWith("default", { thread })).memory;
      await talk(first);
      const before = await first.evaluate();
      const query = "what did we paint, the boat?";
      const [item] = await first.recall(query, { level: "loose" });
      const kept = await first.judge(query, item.record, false);
      await first.judge(query, item.record, true);
      first.close();
      // As another page finds them.
      const second = (await openWith("default", { thread })).memory;
      const judged = await second.judgements.list();
      const figures = await second.evaluate();
      second.close();
      return { before, item, kept, judged, figures };
    }, thread);
    assert.equal(before.all.n, 0);
    assert.equal(kept.good, false);
    assert.equal(item.turn.text, "we painted the boat green");
    assert.deepEqual(judged.map(({ query, record, good }) => ({ query, record, good })), [{ query: "what did we paint, the boat?", record: item.record, good: true }]);
    assert.deepEqual(figures.all, { n: 1, recallAt1: 1, recallAt5: 1, recallAt10: 1, mrr: 1, ndcgAt10: 1 });
    assert.deepEqual(figures.byCategory, { judged: figures.all });
    assert.deepEqual(figures.levels[0], { level: "loose", precision: 1, recall: 1, raised: null });
    assert.deepEqual(figures.sweep[0], { threshold: 0, precision: 1, recall: 1 });
    assert.equal(figures.sweep.at(-1).precision, null, "nothing passes the last threshold");
    assert.match(figures.embedder, /static/);
  });
}

test("questions as a list and as text: what can not be asked is listed, and nothing is lost", async () => {
  const { list, text, thrown } = await page.evaluate(async () => {
    const { memory } = await openWith("default");
    await talk(memory);
    const [{ record }] = await memory.recall("the boat we painted", { level: "loose" });
    const cyclic = { query: "round" };
    cyclic.evidence = cyclic;
    const good = { query: "the boat we painted", evidence: [record], category: "boats" };
    const questions = [good, cyclic, undefined, { query: "", evidence: [] }, { query: "gone", evidence: [record.replace(/\d{8}$/, "00009999")] }, { query: "xylophone", evidence: [] }];
    const list = await memory.evaluate({ questions });
    const text = await memory.evaluate({ questions: `\n${JSON.stringify(good)}\r\n{"query": "cut off` });
    const thrown = await memory.evaluate({ questions: 7 }).catch(({ name, code, message }) => ({ name, code, message }));
    memory.close();
    return { list, text, thrown };
  });
  assert.deepEqual(list.problems.map(({ line, code }) => [line, code]), [[2, "not_json"], [3, "not_json"], [4, "wrong_field"], [5, "unknown_record"]]);
  assert.match(list.problems[2].message, /`query`/);
  assert.equal(list.byCategory.boats.recallAt1, 1);
  assert.equal(list.levels[2].raised, 0);
  assert.deepEqual(text.problems.map(({ line, code }) => [line, code]), [[3, "not_json"]]);
  assert.equal(text.all.n, 1);
  assert.equal(thrown.name, "OnhandError");
  assert.equal(thrown.code, "invalid_input");
});

test("a recall is answered in the middle of an evaluation, which can be cancelled", async () => {
  const seen = await page.evaluate(async () => {
    const { memory } = await openWith("default");
    await talk(memory);
    const [{ record }] = await memory.recall("the boat we painted", { level: "loose" });
    const questions = Array.from({ length: 400 }, () => ({ query: "the boat we painted", evidence: [record] }));
    const order = [];
    let recalled;
    const onProgress = ({ done, total }) => {
      order.push(`${done} of ${total}`);
      recalled ??= memory.recall("the boat we painted").then(() => order.push("recalled"));
    };
    const figures = await memory.evaluate({ questions, onProgress });
    await recalled;

    const stop = new AbortController();
    const told = [];
    const cancelled = await memory
      .evaluate({ questions, signal: stop.signal, onProgress: ({ done }) => (told.push(done), done > 0 && stop.abort()) })
      .then(() => "finished", ({ code }) => code);
    const late = await memory.evaluate({ questions, signal: AbortSignal.abort() }).then(() => "finished", ({ code }) => code);
    const still = await memory.recall("the boat we painted");
    memory.close();
    return { n: figures.all.n, order, told, cancelled, late, still: still.length };
  });
  assert.equal(seen.n, 400);
  const place = seen.order.indexOf("recalled");
  assert.ok(place > 0 && place < seen.order.length - 2, `the recall waited: ${seen.order}`);
  assert.equal(seen.order.at(-1), "400 of 400");
  assert.deepEqual([seen.cancelled, seen.late], ["cancelled", "cancelled"]);
  assert.ok(!seen.told.includes(400), `it went on: ${seen.told}`);
  assert.ok(seen.still > 0);
});
