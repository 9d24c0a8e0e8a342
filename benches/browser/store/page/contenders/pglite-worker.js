import { open } from "./pglite-store.js";

let store;

globalThis.onmessage = async ({ data: { id, method, args } }) => {
  try {
    if (method === "open") {
      store = await open(...args);
      return postMessage({ id });
    }
    const value = await store[method](...args);
    // A result holds what can not be sent; only what was asked for goes back.
    postMessage({ id, value: ["newest", "count", "export"].includes(method) ? value : undefined });
  } catch (error) {
    postMessage({ id, error: String(error?.message ?? error) });
  }
};
