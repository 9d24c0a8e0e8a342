// A page of another origin than the edge worker, with the SDKs as they come from npm.
import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import { createAnthropic } from "@ai-sdk/anthropic";
import { generateText, jsonSchema, Output, stepCountIs, streamText, tool } from "ai";
import { codeTool } from "onhand/sandbox";

const endpoint = new URLSearchParams(location.search).get("endpoint");
const client = new Anthropic({ baseURL: endpoint, apiKey: "via-worker", dangerouslyAllowBrowser: true, maxRetries: 0 });
const anthropic = createAnthropic({ baseURL: `${endpoint}/v1`, apiKey: "via-worker" });
const model = "claude-sonnet-5-5";
const hello = (more = {}) => ({ model, max_tokens: 1000, messages: [{ role: "user", content: "hello" }], ...more });
const failure = (error) => ({ name: error.constructor.name, status: error.status ?? error.statusCode, type: error.type ?? null, request: error.requestID ?? null, message: error.message });
const failed = (promise) => promise.then(() => null, failure);
const code = codeTool();

globalThis.anthropic = {
  async create(more) {
    const message = await client.messages.create(hello(more));
    return { content: message.content, usage: message.usage, stop: message.stop_reason, request: message._request_id };
  },
  async stream(more) {
    const events = [];
    let text = "";
    const stream = client.messages.stream(hello(more)).on("streamEvent", ({ type }) => events.at(-1) === type || events.push(type)).on("text", (piece) => (text += piece));
    const message = await stream.finalMessage();
    return { content: message.content, usage: message.usage, stop: message.stop_reason, request: stream.request_id, events, text };
  },
  async raw() {
    const types = new Set();
    for await (const { type } of await client.messages.create(hello({ stream: true }))) types.add(type);
    return [...types];
  },
  async stopped() {
    const stream = client.messages.stream(hello());
    stream.on("text", () => stream.abort());
    return failed(stream.finalMessage());
  },
  async retried() {
    const retrying = new Anthropic({ baseURL: endpoint, apiKey: "via-worker", dangerouslyAllowBrowser: true });
    return (await retrying.messages.create(hello())).content[0].text;
  },
  failed: () => failed(client.messages.create(hello())),
  async structured(schema) {
    const message = await client.messages.create(hello({ output_config: { format: { type: "json_schema", schema } } }));
    return JSON.parse(message.content[0].text);
  },
  async runsCode() {
    const message = await client.beta.messages.toolRunner({ ...hello(), tools: [betaTool(code)], thread: false });
    return message.content[0].text;
  },
  async counts() {
    return (await client.messages.countTokens({ model, messages: hello().messages })).input_tokens;
  },
  async models() {
    const list = [];
    for await (const { id } of client.models.list({ limit: 3 })) list.push(id);
    return { list, one: (await client.models.retrieve(model)).id, missing: await failed(client.models.retrieve("claude-0")) };
  },
};

const runCode = tool({ description: code.description, inputSchema: jsonSchema(code.inputSchema), execute: (input, { abortSignal: signal }) => code.run(input, { signal }) });
const ask = { model: anthropic(model), prompt: "hello", maxOutputTokens: 1000, maxRetries: 0 };

globalThis.aiSdk = {
  async generate() {
    const { text, usage, finishReason } = await generateText(ask);
    return { text, input: usage.inputTokens, output: usage.outputTokens, finishReason };
  },
  async stream() {
    const pieces = [];
    const result = streamText({ ...ask, onError: () => {} });
    for await (const piece of result.textStream) pieces.push(piece);
    return { text: pieces.join(""), pieces: pieces.length, finishReason: await result.finishReason };
  },
  async runsCode() {
    const result = streamText({ ...ask, tools: { run_javascript: runCode }, stopWhen: stepCountIs(4), onError: () => {} });
    const kinds = [];
    for await (const { type } of result.fullStream) if (/^tool/.test(type) && kinds.at(-1) !== type) kinds.push(type);
    return { text: await result.text, kinds };
  },
  async structured(schema) {
    return (await generateText({ ...ask, output: Output.object({ schema: jsonSchema(schema) }) })).output;
  },
  failed: () => failed(generateText(ask)),
};

globalThis.ready = true;
