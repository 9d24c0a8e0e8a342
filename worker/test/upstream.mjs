/** A local upstream under test control, and a raw HTTP client that sends exactly the headers it is given. */

import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";

/**
 * Records every request (`method`, `path`, `headers`, `body` as bytes) and answers with `upstream.answer`,
 * a function `(request, response) => void` that a test replaces.
 */
export async function startUpstream() {
  const upstream = { requests: [], answer: answerMessage };
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk)).on("end", () => {
      const { method, url: path, headers } = request;
      upstream.requests.push({ method, path, headers, body: Buffer.concat(chunks) });
      upstream.answer(request, response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  upstream.host = `127.0.0.1:${server.address().port}`;
  upstream.url = `http://${upstream.host}`;
  upstream.reset = () => {
    upstream.requests.length = 0;
    upstream.answer = answerMessage;
  };
  upstream.close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return upstream;
}

export function answerMessage(_request, response) {
  response.writeHead(200, { "content-type": "application/json", "request-id": "req_1" });
  response.end(MESSAGE);
}
export const MESSAGE = '{"id":"msg_1", "type":"message",  "content":[{"type":"text","text":"h\\u00e9"}]}';

/** Sends a request and resolves with status, headers and whole body. `body` may be text, bytes or an array of chunks. */
export async function send(url, options = {}) {
  const response = await open(url, options);
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  return {
    status: response.statusCode,
    headers: response.headers,
    bytes,
    text: bytes.toString("utf8"),
    get json() { return JSON.parse(this.text); },
  };
}

/** Like `send`, but resolves with Node's response once its headers are there. An array of chunks goes without content-length. */
export async function open(url, { method = "GET", headers = {}, body, signal } = {}) {
  const request = httpRequest(url, { method, headers, signal, agent: false });
  const answered = once(request, "response");
  if (Array.isArray(body)) for (const chunk of body) request.write(chunk);
  else if (body !== undefined) {
    request.setHeader("content-length", Buffer.byteLength(body));
    request.write(body);
  }
  request.end();
  const [response] = await answered;
  return response;
}

export const PAGE = "https://chat.example.com";
export const JSON_HEADERS = { origin: PAGE, "content-type": "application/json", "anthropic-version": "2023-06-01" };
export const SERVER_KEY = "sk-ant-server-key";

export function messageBody(extra = {}) {
  return JSON.stringify({ model: "claude-haiku-5-5", max_tokens: 1024, messages: [{ role: "user", content: "Hello" }], ...extra });
}

export function post(url, body = messageBody(), headers = {}) {
  return send(`${url}/v1/messages`, { method: "POST", headers: { ...JSON_HEADERS, ...headers }, body });
}
