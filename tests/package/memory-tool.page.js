// A page with the two SDKs as they come from npm, and the memory as their memory tool.
import { createMemory } from "onhand";
import Anthropic from "@anthropic-ai/sdk";
import { betaMemoryTool } from "@anthropic-ai/sdk/helpers/beta/memory";
import { createAnthropic } from "@ai-sdk/anthropic";
import { generateText, isStepCount, jsonSchema, tool } from "ai";

const model = "claude-haiku-4-5";
const memory = await createMemory({ model });

globalThis.memory = memory;

globalThis.bySdk = async (content) => {
  const client = new Anthropic({ baseURL: location.origin, apiKey: "via-worker", dangerouslyAllowBrowser: true, maxRetries: 0 });
  const tools = [betaMemoryTool(memory.files.handlers)];
  const message = await client.beta.messages.toolRunner({ model, max_tokens: 1000, messages: [{ role: "user", content }], tools, thread: false });
  return message.content.map((block) => block.text).join("");
};

globalThis.byAiSdk = async (prompt) => {
  const anthropic = createAnthropic({ baseURL: `${location.origin}/v1`, apiKey: "via-worker" });
  const tools = { memory: anthropic.tools.memory_20250818({ execute: memory.files.execute }) };
  const { text } = await generateText({ model: anthropic(model), prompt, tools, stopWhen: isStepCount(5), maxOutputTokens: 1000, maxRetries: 0 });
  return text;
};

globalThis.allBySdk = async (content) => {
  const client = new Anthropic({ baseURL: location.origin, apiKey: "via-worker", dangerouslyAllowBrowser: true, maxRetries: 0 });
  const tools = await memory.tools.runnable();
  const message = await client.beta.messages.toolRunner({ model, max_tokens: 1000, messages: [{ role: "user", content }], tools, thread: false });
  return message.content.map((block) => block.text).join("");
};

globalThis.allByAiSdk = async (prompt) => {
  const anthropic = createAnthropic({ baseURL: `${location.origin}/v1`, apiKey: "via-worker" });
  const own = (await memory.tools.list()).map(({ name, description, inputSchema, run }) => [name, tool({ description, inputSchema: jsonSchema(inputSchema), execute: run })]);
  const tools = { ...Object.fromEntries(own), memory: anthropic.tools.memory_20250818({ execute: memory.files.execute }) };
  const { text } = await generateText({ model: anthropic(model), prompt, tools, stopWhen: isStepCount(5), maxOutputTokens: 1000, maxRetries: 0 });
  return text;
};

/** The outcomes of commands, one after another. */
globalThis.outcomes = async (commands) => {
  const outcomes = [];
  for (const command of commands) {
    const told = memory.files.handlers[command.command](command);
    outcomes.push(await told.then((text) => ({ text, isError: false }), (error) => ({ text: error.message, isError: true })));
  }
  return outcomes;
};

globalThis.contents = async () => {
  const files = await Promise.all((await memory.files.list()).map(({ path }) => memory.files.read(path)));
  return Object.fromEntries(files.map(({ path, text }) => [path, text]));
};

globalThis.clear = async () => {
  for (const { path } of await memory.files.list()) await memory.files.remove(path);
};

globalThis.ready = true;
