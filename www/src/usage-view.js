import { el } from "./dom.js";

const number = new Intl.NumberFormat("en");
const percent = new Intl.NumberFormat("en", { style: "percent" });

/** A line below an answer: what all requests of one message used. */
export class UsageLine {
  #line = el("p", { class: "quiet usage" });
  #requests = [];

  /** Takes the `usage` event of one request. */
  add(answer, event) {
    this.#requests.push(event);
    this.#line.textContent = inWords(summedUp(this.#requests));
    answer.append(this.#line);
  }
}

/** Today's total in the panel, and what there is room for. */
export class UsageView {
  #memory;
  #state = document.getElementById("usage-today");
  #model = document.getElementById("model");

  constructor(memory) {
    this.#memory = memory;
  }

  async refresh() {
    const midnight = new Date().setHours(0, 0, 0, 0);
    try {
      const [today] = await this.#memory.usage.totals({ by: "day", from: midnight });
      this.#state.textContent = today
        ? `Today: ${today.requests} ${today.requests === 1 ? "request" : "requests"}, ${inWords(today)}`
        : "Nothing was sent today.";
    } catch (error) {
      this.#state.textContent = `What was used today could not be read: ${error.message}`;
    }
    this.#model.textContent = await this.#room();
  }

  /** The model that chats, how much it reads at once, and who says so. */
  async #room() {
    const [{ estimator }, { models, tableDate }] = await Promise.all([this.#memory.status(), this.#memory.models()]);
    const model = models.find(({ id }) => id === estimator.model);
    if (!model) return "";
    const { value, source } = model.contextTokens;
    const who = source === "api" ? "as Claude's API says" : `by a table of ${tableDate}`;
    return `${model.name ?? model.id} reads up to ${number.format(value)} tokens at once, ${who}.`;
  }
}

function summedUp(requests) {
  const sum = (of) => requests.reduce((all, request) => all + of(request), 0);
  const priced = requests.filter(({ cost }) => cost !== null);
  const tokens = Object.fromEntries(["input", "output", "cacheRead", "cacheWrite"].map((kind) => [kind, sum((request) => request.tokens[kind])]));
  const prompt = promptOf(tokens);
  return {
    tokens,
    cacheShare: prompt > 0 ? tokens.cacheRead / prompt : null,
    cost: priced.length > 0 ? priced.reduce((all, { cost }) => all + cost, 0) : null,
    unpriced: requests.length - priced.length,
  };
}

const promptOf = ({ input, cacheRead, cacheWrite }) => input + cacheRead + cacheWrite;

function inWords({ tokens, cacheShare, cost, unpriced }) {
  const parts = [`${number.format(promptOf(tokens))} tokens in, ${number.format(tokens.output)} out`];
  if (cacheShare !== null) parts.push(`${percent.format(cacheShare)} from the cache`);
  if (cost === null) parts.push("price not known");
  else parts.push(`${dollars(cost)}${unpriced > 0 ? `, and ${unpriced} of unknown price` : ""}`);
  return parts.join(" · ");
}

/** Two digits that mean something: most answers cost a fraction of a cent. */
function dollars(cost) {
  return new Intl.NumberFormat("en", { style: "currency", currency: "USD", maximumSignificantDigits: 2, minimumSignificantDigits: 1 }).format(cost);
}
