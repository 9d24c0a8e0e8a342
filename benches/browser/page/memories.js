// Keeps track of all wasm memories of this page: the browser's own figures leave them out. Loaded before anything else.

// Weakly: an index may drop one, as PGlite does after setting up its files.
const memories = new Set();
const remember = (memory) => memories.add(new WeakRef(memory));

const Memory = WebAssembly.Memory;
WebAssembly.Memory = new Proxy(Memory, {
  construct(target, args) {
    const memory = Reflect.construct(target, args);
    remember(memory);
    return memory;
  },
});

function keep(result) {
  const instance = result instanceof WebAssembly.Instance ? result : result.instance;
  for (const exported of Object.values(instance.exports)) if (exported instanceof Memory) remember(exported);
  return result;
}

for (const name of ["instantiate", "instantiateStreaming"]) {
  const original = WebAssembly[name];
  WebAssembly[name] = async (...args) => keep(await original.apply(WebAssembly, args));
}

const Instance = WebAssembly.Instance;
WebAssembly.Instance = new Proxy(Instance, {
  construct: (target, args) => keep(Reflect.construct(target, args)),
});

/** Bytes of all that are in use; exact after a collection. */
export function wasmBytes() {
  let bytes = 0;
  for (const memory of memories) bytes += memory.deref()?.buffer.byteLength ?? 0;
  return bytes;
}
