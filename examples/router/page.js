import { createMemory } from "onhand";
import { reflecting } from "./reflect.js";
import { Router } from "./router.js";

const MODELS = { quick: "claude-haiku-5-5", thorough: "claude-opus-5-5" };

const memory = await createMemory();
const critic = await createMemory({ database: "critic", preset: "stateless" });
const router = new Router(memory, MODELS);
const log = document.getElementById("log");
const field = document.getElementById("message");
const button = document.querySelector("button");

document.getElementById("composer").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = field.value;
  const line = document.createElement("li");
  const part = (name) => line.appendChild(Object.assign(document.createElement("pre"), { className: name }));
  part("asked").textContent = text;
  const [route, answer, check, cost] = ["route", "answer", "check", "cost"].map(part);
  log.append(line);
  field.value = "";
  button.disabled = true;
  try {
    const answered = router.send(text);
    const events = document.getElementById("reflect").checked ? reflecting(critic, MODELS.quick, text, answered) : answered;
    for await (const event of events) {
      if (event.type === "route") route.textContent = `To the ${event.name} model, ${event.model}.`;
      if (event.type === "text") (event.reflection ? check : answer).textContent += event.text;
      if (event.type === "usage") {
        const { input, cacheRead, cacheWrite, output } = event.tokens;
        cost.textContent += `${event.reflection ? "The check" : "The answer"}: ${input + cacheRead + cacheWrite} tokens in, ${output} out, ${event.model}.\n`;
      }
    }
    line.dataset.done = "true";
  } catch (error) {
    answer.textContent = `Not sent: ${error.message}`;
    field.value = text;
  } finally {
    button.disabled = false;
  }
});

const { upstream } = await (await fetch("/health")).json();
document.getElementById("who").textContent = upstream === "api.anthropic.com" ? "Claude answers." : "A stand-in answers, not Claude.";
document.body.dataset.ready = "true";
