// The same model in four hands, and the table in the package. Each is loaded when it is asked for, so that what it fetches can be told.
const WORDS = ["the", "dog", "in", "my", "house", "is", "not", "old", "we", "go", "to", "school", "every", "day", "with", "friends", "and", "music"];
const MODEL = "all-MiniLM-L6-v2";

/** A text of exactly so many tokens, with the two marks; each word is one. */
const textOf = (tokens, round) => Array.from({ length: tokens - 2 }, (_, i) => WORDS[(i + round) % WORDS.length]).join(" ");

const unit = (vector) => {
  const length = Math.hypot(...vector);
  return Float32Array.from(vector, (x) => x / length);
};

const contenders = {
  async table() {
    const { embed } = await import("onhand/embed");
    return async (text) => (await embed([text]))[0];
  },

  async minilm({ weights }) {
    const { embed } = await import("onhand/embed");
    return async (text) => (await embed([text], { model: weights }))[0];
  },

  async ort() {
    const [ort, { default: wasm }] = await Promise.all([import("onnxruntime-web/wasm"), import("onnxruntime-web/ort-wasm-simd-threaded.wasm?url")]);
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.wasmPaths = { wasm };
    const [session, { model }] = await Promise.all([
      ort.InferenceSession.create(`/data/models/${MODEL}/onnx/model_quantized.onnx`, { executionProviders: ["wasm"], graphOptimizationLevel: "all" }),
      fetch(`/data/models/${MODEL}/tokenizer.json`).then((response) => response.json()),
    ]);
    return async (text) => {
      const ids = ["[CLS]", ...text.split(" "), "[SEP]"].map((word) => model.vocab[word]);
      const tensor = (numbers) => new ort.Tensor("int64", BigInt64Array.from(numbers, BigInt), [1, ids.length]);
      const inputs = { input_ids: tensor(ids), attention_mask: tensor(ids.map(() => 1)), token_type_ids: tensor(ids.map(() => 0)) };
      const outputs = await session.run(Object.fromEntries(session.inputNames.map((name) => [name, inputs[name]])));
      const hidden = outputs[session.outputNames.find((name) => outputs[name].dims.length === 3)];
      const width = hidden.dims[2];
      const mean = new Float32Array(width);
      for (let i = 0; i < hidden.data.length; i++) mean[i % width] += hidden.data[i] / ids.length;
      return unit(mean);
    };
  },

  async transformers() {
    const [{ pipeline, env }, { default: wasm }, { default: mjs }] = await Promise.all([
      import("@huggingface/transformers"),
      import("onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url"),
      import("onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url"),
    ]);
    Object.assign(env, { allowRemoteModels: false, allowLocalModels: true, localModelPath: "/data/models/", useBrowserCache: false });
    env.backends.onnx.wasm.numThreads = 1;
    env.backends.onnx.wasm.wasmPaths = { wasm, mjs };
    const extract = await pipeline("feature-extraction", MODEL, { dtype: "q8", device: "wasm" });
    return async (text) => (await extract(text, { pooling: "mean", normalize: true })).data;
  },
};

const ready = {};

window.bench = {
  /** From nothing to the first vector. */
  async loadAs({ name, weights }) {
    const start = performance.now();
    ready[name] = await contenders[name]({ weights });
    await ready[name](textOf(16, 0));
    return { ms: performance.now() - start };
  },

  /** Times of single texts, each another one. */
  async time({ name, tokens, count, round }) {
    const times = [];
    for (let i = 0; i < count; i++) {
      const text = textOf(tokens, round * count + i);
      const start = performance.now();
      await ready[name](text);
      times.push(performance.now() - start);
    }
    return times;
  },

  /** A vector, to compare the contenders by. */
  vector: async (name) => Array.from(await ready[name]("the dog in my house is not old")),
};
