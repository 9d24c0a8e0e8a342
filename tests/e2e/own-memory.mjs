// What tests of embedders call inside the page: memories of their own beside the page's, and embedders to choose.

export async function prepare(page) {
  await page.evaluate(() => {
    /** Opens a memory of its own; `events` holds what its subscribers hear. */
    globalThis.openWith = async (embedder, more = {}) => {
      const memory = await globalThis.memory.constructor.open({ database: "own", embedder, ...more });
      const events = [];
      memory.subscribe((event) => event.type === "embedder" && events.push(event));
      embedder.begin?.();
      return { memory, events, embedder: async () => (await memory.status()).embedder };
    };
    /** Waits until the embedder is in one of these states. */
    globalThis.until = async ({ memory, embedder }, ...states) => {
      for (;;) {
        const changed = new Promise((resolve) => {
          const stop = memory.subscribe(() => (stop(), resolve()));
        });
        const status = await embedder();
        if (states.includes(status.state)) return status;
        await changed;
      }
    };
    /** Each word has a random direction, fixed by a seed; a text is the sum. `zorblax` is a boat, which nobody else knows. */
    globalThis.wordVector = (text, dimensions = 48) => {
      const sum = new Float32Array(dimensions);
      for (const word of text.toLowerCase().match(/[a-z0-9]{3,}/g) ?? []) {
        let state = 2166136261;
        for (const c of word === "zorblax" ? "boat" : word) state = Math.imul(state ^ c.charCodeAt(0), 16777619);
        // mulberry32
        for (let i = 0; i < dimensions; i++) {
          state = (state + 0x6d2b79f5) | 0;
          let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
          mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
          sum[i] += ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1;
        }
      }
      return sum;
    };
    globalThis.wordEmbedder = (id = "words") => {
      const own = { id, passages: [], queries: [] };
      // It answers once somebody listens, so that no progress is missed.
      const begun = new Promise((resolve) => (own.begin = resolve));
      own.embed = async (texts, kind) => {
        await begun;
        (kind === "query" ? own.queries : own.passages).push(...texts);
        return texts.map((text) => globalThis.wordVector(text));
      };
      return own;
    };
    globalThis.faulty = {
      threw: () => {
        throw new Error("no model today");
      },
      timed_out: () => new Promise(() => {}),
      wrong_count: async (texts) => texts.slice(1).map((text) => globalThis.wordVector(text)),
      wrong_dimensions: async (texts) => texts.map((text, i) => globalThis.wordVector(text, 40 + (i % 2))),
      not_finite: async (texts) => texts.map(() => new Float32Array(48).fill(NaN)),
      uniform: async (texts) => texts.map(() => new Float32Array(48).fill(1)),
    };
    globalThis.talk = async (memory, n = 60) => {
      const turns = Array.from({ length: n }, (_, i) => ({ role: "user", text: i === 7 ? "we painted the boat green" : `note${i} shelf${i * 31} drawer${i * 17}` }));
      await memory.remember(turns);
    };
    globalThis.lanes = async (memory, query) => {
      const [first] = await memory.recall(query, { level: "loose", limit: 3 });
      return first ? { text: first.turn.text, lanes: first.lanes.map(({ lane }) => lane) } : null;
    };
  });
}
