// A page with the memory's own chat, and the SDK with the memory's files as its tool.
import { createMemory } from "onhand";
import Anthropic from "@anthropic-ai/sdk";
import { betaMemoryTool } from "@anthropic-ai/sdk/helpers/beta/memory";

const memory = await createMemory();
const chats = new Map();

/** Says something in a conversation and gives all that happened. With `stopAtWords` the answer is ended at its first words. */
globalThis.say = async (conversation, text, { stopAtWords = false } = {}) => {
  const chat = chats.get(conversation) ?? memory.chat();
  chats.set(conversation, chat);
  const stop = new AbortController();
  const seen = { events: [], text: "", thinking: "", error: null };
  try {
    for await (const event of chat.send(text, { signal: stop.signal })) {
      if (seen.events.at(-1) !== event.type) seen.events.push(event.type);
      if (event.type === "text" || event.type === "thinking") seen[event.type] += event.text;
      if (event.type === "usage") seen.usage = { input: event.tokens.input, output: event.tokens.output };
      if (event.type === "done") seen.stopReason = event.stopReason;
      if (event.type === "retrying") seen.retried = [event.error.code, event.error.status];
      if (event.type === "text" && stopAtWords) stop.abort();
    }
  } catch ({ code, status, kind, retryable }) {
    seen.error = { code, status, kind, retryable };
  }
  return seen;
};

globalThis.turns = async () => (await memory.status()).counts.turns;

/** The statements known once no extraction is waiting. */
globalThis.facts = async () => {
  for (;;) {
    const changed = new Promise((resolve) => {
      const stop = memory.subscribe(() => (stop(), resolve()));
    });
    if ((await memory.status()).counts.jobs === 0) return (await memory.facts.list()).map(({ statement, evidence }) => [statement, evidence?.quote ?? null]);
    await changed;
  }
};

globalThis.askWithTool = async (content) => {
  const client = new Anthropic({ baseURL: location.origin, apiKey: "via-worker", dangerouslyAllowBrowser: true, maxRetries: 0 });
  const tools = [betaMemoryTool(memory.files.handlers)];
  const runner = client.beta.messages.toolRunner({ model: "claude-haiku-4-5", max_tokens: 1000, messages: [{ role: "user", content }], tools, thread: false, stream: true });
  const words = [];
  for await (const stream of runner) {
    stream.on("text", (text) => words.push(text));
    await stream.finalMessage();
  }
  return words.join("");
};

globalThis.files = async () => {
  const all = await Promise.all((await memory.files.list()).map(({ path }) => memory.files.read(path)));
  return Object.fromEntries(all.map(({ path, text }) => [path, text]));
};

globalThis.ready = true;
