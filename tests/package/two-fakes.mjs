// Our fake of the Claude API and an independent one, `@copilotkit/aimock`, behind one interface: a script of replies in words of its
// own, and what was asked. A mistake that our client and our fake have in common shows at the other one.
import { LLMock } from "@copilotkit/aimock";
import { startFake } from "../fake/server.mjs";

/**
 * A reply says what it needs of:
 * `text`; `thinking`; `tools` (`{id, name, input}`); `usage` (`{input, output}`); `stop`; or `error` (`{status, type, message, retryAfter}`).
 * `cut` ends the connection in the middle; `slow` keeps the rest back after the first words; `broken` sends an error event in the middle.
 *
 * `facts` are what extraction finds, once; otherwise it finds nothing.
 */

export async function startOurs() {
  const fake = await startFake({ port: 0, seed: 1, now: Date.now });
  const none = { content: '{"facts":[]}' };
  return {
    name: "our fake",
    url: fake.url,
    script(replies, facts) {
      fake.reset();
      const chat = ({ body }) => !body.output_config?.format;
      const extraction = (request) => !chat(request);
      fake.script([
        ...replies.map((reply) => ({ match: chat, reply: toOurs(reply) })),
        ...(facts ? [{ match: extraction, reply: { content: JSON.stringify({ facts }) } }] : []),
        { match: extraction, reply: none, times: Infinity },
      ]);
    },
    unused: () => fake.unused(),
    /** Each chat request as `role: text` of its messages; results of tools as `tool: text`. */
    chats: () => fake.journal.filter(({ path, body }) => path === "/v1/messages" && !body.output_config?.format).map(({ body }) => body.messages.flatMap(shown)),
    complaints: () => fake.journal.flatMap(({ violations }) => violations.map(({ message }) => message)),
    stop: () => fake.close(),
  };
}

function toOurs({ text, thinking, tools = [], usage, stop, error, cut, slow, broken }) {
  if (error) {
    const { retryAfter, ...rest } = error;
    return { ...rest, ...(retryAfter === undefined ? {} : { headers: { "retry-after": String(retryAfter) } }) };
  }
  return {
    content: [
      ...(thinking ? [{ type: "thinking", thinking }] : []),
      ...(text ? [{ type: "text", text }] : []),
      ...tools.map((tool) => ({ type: "tool_use", ...tool })),
    ],
    ...(usage ? { usage: { input_tokens: usage.input, output_tokens: usage.output } } : {}),
    ...(stop ? { stop_reason: stop, impossible: true } : {}),
    ...(cut ? { cut: "after-events", n: 4 } : {}),
    ...(slow ? { pauseAfter: { n: 3, gate: "never" } } : {}),
    ...(broken ? { midStreamError: broken } : {}),
  };
}

const blocks = ({ content }) => (typeof content === "string" ? [{ type: "text", text: content }] : content);
const textOf = (content) => (typeof content === "string" ? content : (content ?? []).map(({ text }) => text).join(""));

function shown(message) {
  const results = blocks(message).filter(({ type }) => type === "tool_result").map(({ content }) => `tool: ${textOf(content)}`);
  const words = blocks(message).filter(({ type }) => type === "text").map(({ text }) => text).join("");
  return results.length > 0 ? results : [`${message.role}: ${words}`];
}

export async function startAimock() {
  const mock = new LLMock({ host: "127.0.0.1", port: 0, strict: true, chunkSize: 5 });
  await mock.start();
  let scripted = 0;
  let answered = 0;
  let factsLeft;
  const isChat = (request) => !isExtractionRequest(request);
  return {
    name: "aimock",
    url: mock.url,
    script(replies, facts) {
      mock.reset();
      [scripted, answered, factsLeft] = [replies.length, 0, facts];
      // It finds a fixture for a request and asks that for its response; a response counts as given then.
      const next = (at, response) => () => (answered++, response);
      mock.addFixtures([
        ...replies.map((reply, at) => ({ match: { predicate: (request) => isChat(request) && answered === at }, response: next(at, toAimock(reply)), ...delivery(reply) })),
        {
          match: { predicate: isExtractionRequest },
          response: () => {
            const found = factsLeft ?? [];
            factsLeft = undefined;
            return { content: JSON.stringify({ facts: found }) };
          },
        },
      ]);
    },
    unused: () => Array.from({ length: scripted - answered }, (_, i) => `entry ${answered + i}`),
    chats: () => mock.getRequests().filter(({ path, body }) => path === "/v1/messages" && isChat(body)).map(({ body }) => body.messages.filter(({ role }) => role !== "system").map(({ role, content }) => `${role}: ${textOf(content)}`)),
    // It refuses what no fixture fits and broken invariants of thinking, and looks at nothing else.
    complaints: () => mock.getRequests().filter(({ response }) => !response.fixture).map(({ path, response }) => `${path}: ${response.status}`),
    stop: () => mock.stop(),
  };
}

/** It keeps no trace of the schema that was asked for; a chat streams, extraction does not. */
function isExtractionRequest({ stream }) {
  return stream !== true;
}

function toAimock({ text, thinking, tools, usage, stop, error }) {
  if (error) {
    const { status, retryAfter, ...rest } = error;
    return { error: rest, status, ...(retryAfter === undefined ? {} : { retryAfter }) };
  }
  return {
    ...(text ? { content: text } : {}),
    ...(tools ? { toolCalls: tools.map(({ id, name, input }) => ({ id, name, arguments: JSON.stringify(input) })) } : {}),
    ...(thinking ? { reasoning: thinking } : {}),
    ...(usage ? { usage: { input_tokens: usage.input, output_tokens: usage.output } } : {}),
    ...(stop ? { finishReason: stop } : {}),
  };
}

/** How a fixture is delivered, one event after another. */
function delivery({ cut, slow }) {
  // Four events, as ours: the message, the block, and two of its deltas. Without a pause between them it would drop what it wrote but did not send.
  if (cut) return { truncateAfterChunks: 4, latency: 20 };
  // From the third event on nothing comes; it lets go by itself only because it could not be stopped otherwise.
  if (slow) return { recordedTimings: { ttftMs: 0, interChunkDelaysMs: [0, 0, ...Array(99).fill(60_000)], totalDurationMs: 0 }, disconnectAfterMs: 10_000 };
  return {};
}
