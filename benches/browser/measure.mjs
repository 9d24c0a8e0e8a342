// The measuring of one index of one size, step by step. A step that fails is recorded with its reason and the next one goes on.
import { openPage } from "./chromium.mjs";
import { coarseProcessorMs, processorMs } from "./processor.mjs";
import { downloadBytes } from "./server.mjs";
import { mean, percentile, recall } from "./statistics.mjs";
import { FILTERS, afterChanges, isDeleted, passes } from "./truth.mjs";

export const K = 10;
/** Ids of inserted vectors start here, above all others. */
export const FIRST_INSERT = 1_000_000;
/** Unrecorded queries before each round: the page before used the caches. */
const WARMUP = 5;
const BUILD_LIMIT_MS = 20 * 60_000;

export class Measurement {
  constructor({ variant, n, truth, context, server, settings }) {
    Object.assign(this, { variant, n, truth, context, server, settings });
    // A site of its own for each size too, so that no saved index is found by another.
    this.host = `${variant.key}-${n}`;
    this.options = { ...variant.options, n };
    this.result = { n, variant: variant.key, steps: {} };
    this.warm = { times: [], found: [], processor: [] };
    this.cold = { times: [] };
  }

  /** Runs one step; returns whether it worked. */
  async step(name, work) {
    try {
      this.result.steps[name] = await work();
      return true;
    } catch (error) {
      this.result.steps[name] = { failed: String(error.message ?? error) };
      return false;
    }
  }

  get works() {
    const { build } = this.result.steps;
    return build !== undefined && !build.failed;
  }

  async build() {
    await this.step("build", async () => {
      this.page = await openPage(this.context, this.server.port, this.host);
      const ready = await this.page.call("prepare", []);
      if (!ready.isolated) throw new Error("the page is not isolated: its clock is too coarse");
      this.emptyBytes = await this.page.memory();
      const start = await this.page.call("open", [this.variant.peer, this.variant.options ?? {}]);
      await this.page.call("fetchBase", [this.n]);
      const filled = await this.#timed("fill", [this.n]);
      await this.page.call("dropBase", []);
      const sealed = await this.#timed("seal", []);
      const { remark } = sealed.answer;
      const seal = remark === undefined ? {} : { sealMs: sealed.ms, sealWallMs: sealed.answer.ms, note: remark };
      return { ms: filled.ms, wallMs: filled.answer.ms, openMs: start.ms, ...seal };
    });
    if (!this.works) {
      await this.#complain();
      return;
    }
    await this.step("memory", async () => ({ bytes: (await this.page.memory()) - this.emptyBytes }));
    await this.step("download", async () => {
      const files = [...(this.server.requested.get(this.host) ?? [])].filter((path) => !/\/index-[^/]*\.js$/.test(path));
      return { bytes: files.reduce((sum, path) => sum + downloadBytes(path), 0), files: files.length };
    });
    await this.step("about", async () => (await this.page.call("about", [])) ?? {});
    // What a round costs without an index, to be taken off its processor time.
    const empty = [];
    for (let i = 0; i < 5; i++) empty.push(await this.#processorOf({ from: 0, count: this.settings.perRound, warmup: WARMUP, k: K, empty: true }));
    this.emptyProcessorMs = percentile(empty.map(({ ms }) => ms), 0.5);
  }

  /** One turn of the interleaved rounds. */
  async warmRound(round) {
    if (!this.works || this.result.steps.warm?.failed) return;
    try {
      const { ms, answer } = await this.#processorOf({ from: round * this.settings.perRound, count: this.settings.perRound, warmup: WARMUP, k: K });
      this.warm.times.push(...answer.times);
      this.warm.found.push(...answer.found);
      this.warm.processor.push(Math.max(0, ms - this.emptyProcessorMs) / (this.settings.perRound + WARMUP));
    } catch (error) {
      this.result.steps.warm = { failed: error.message };
    }
  }

  async coldRound(round) {
    if (!this.works || this.result.steps.cold?.failed) return;
    try {
      const { times } = await this.page.call("round", [{ from: round * this.settings.perColdRound, count: this.settings.perColdRound, k: K, cold: true }]);
      this.cold.times.push(...times);
    } catch (error) {
      this.result.steps.cold = { failed: error.message };
    }
  }

  async finish() {
    if (!this.works) return this.result;
    await this.page.call("dropColdBuffer", []);
    const { steps } = this.result;
    if (!steps.warm?.failed) {
      const p50 = percentile(this.warm.times, 0.5);
      const processor = percentile(this.warm.processor, 0.5);
      // The wall clock is stretched by other programs, the processor's charges the harness: the smaller is nearer to the truth.
      steps.warm = { p50, p99: percentile(this.warm.times, 0.99), processorMs: processor, ms: Math.min(p50, processor), queries: this.warm.times.length, recall: recall(this.warm.found, this.truth.base, K) };
    }
    if (!steps.cold?.failed) steps.cold = { p50: percentile(this.cold.times, 0.5), p99: percentile(this.cold.times, 0.99), queries: this.cold.times.length };
    for (const [name, every] of Object.entries(FILTERS)) await this.step(name, () => this.#filtered(name, every));
    const saved = await this.step("save", () => this.page.call("save", []));
    const inserted = await this.step("insert", () => this.#insert());
    await this.step("delete", () => this.#delete(inserted));
    await this.#complain();
    await this.page.close().catch(() => {});
    await this.step("load", async () => {
      if (!saved) throw new Error("was not saved");
      return this.#load();
    });
    return this.result;
  }

  async #filtered(name, every) {
    const count = this.settings.filtered;
    const { ms, answer } = await this.#processorOf({ from: 0, count, warmup: WARMUP, k: K, every });
    const allowed = answer.found.map((ids) => ids.filter((id) => passes(id, every)));
    const wrong = answer.found.flat().length - allowed.flat().length;
    const p50 = percentile(answer.times, 0.5);
    const processor = ms / (count + WARMUP);
    return { p50, processorMs: processor, ms: Math.min(p50, processor), results: mean(answer.found.map((ids) => ids.length)), wrong, recall: recall(allowed, this.truth[name], K) };
  }

  async #insert() {
    const count = this.settings.inserts;
    const before = processorMs(this.page.pid);
    const { times } = await this.page.call("insert", [FIRST_INSERT, count]);
    const processor = (processorMs(this.page.pid) - before) / count;
    const found = await this.page.call("findInserted", [FIRST_INSERT, count]);
    return { meanMs: mean(times), p50: percentile(times, 0.5), processorMs: processor, ms: Math.min(mean(times), processor), count, found };
  }

  async #delete(inserted) {
    const ids = Array.from({ length: this.n }, (_, id) => id).filter(isDeleted);
    const { ms } = await this.page.call("remove", [ids]);
    const count = this.settings.filtered;
    const { found } = await this.page.call("round", [{ from: 0, count, k: K }]);
    const back = found.flat().filter((id) => id < FIRST_INSERT && isDeleted(id)).length;
    return { ms, count: ids.length, back, results: mean(found.map((ids) => ids.length)), recall: recall(found, afterChanges(this.truth, inserted ? this.settings.inserts : 0), K) };
  }

  /** In a new page of the same site, as when a person comes back. */
  async #load() {
    const page = await openPage(this.context, this.server.port, this.host);
    try {
      await page.call("prepare", []);
      const { ms } = await page.call("restore", [this.variant.peer, this.options, K]);
      const { found } = await page.call("round", [{ from: 0, count: this.settings.filtered, k: K }]);
      return { ms, recall: recall(found, this.truth.base, K) };
    } finally {
      await page.close().catch(() => {});
    }
  }

  /** A long call, by the smaller of the page's wall clock and the processor time, which includes workers that have ended. */
  async #timed(method, argument) {
    const before = [processorMs(this.page.pid), coarseProcessorMs(this.page.pid)];
    const answer = await this.page.call(method, argument, BUILD_LIMIT_MS);
    const ran = Math.max(processorMs(this.page.pid) - before[0], coarseProcessorMs(this.page.pid) - before[1]);
    return { answer, ms: Math.min(answer.ms, ran) };
  }

  async #processorOf(round) {
    const before = processorMs(this.page.pid);
    const answer = await this.page.call("round", [round]);
    return { ms: processorMs(this.page.pid) - before, answer };
  }

  /** What the page wrote to its console as errors belongs to the record of a step that failed. */
  async #complain() {
    const { complaints } = this.page ?? { complaints: [] };
    if (complaints?.length) this.result.console = complaints.slice(0, 5).map((text) => text.split("\n")[0]);
    if (!this.works) await this.page?.close().catch(() => {});
  }
}
