/**
 * Chooses a model by the message, over one memory.
 *
 * A session stays with its model: Claude's cache and its thinking are bound to it. So the router holds a conversation for each
 * model. What one of them was told, memory puts before the messages of the other, as far as it fits them.
 */
export class Router {
  #memory;
  #models;
  #choose;
  #chats = new Map();

  /** `models` names the models, such as `{ quick, thorough }`; `choose(text)` gives the name of one of them. */
  constructor(memory, models, choose = byDifficulty) {
    this.#memory = memory;
    this.#models = models;
    this.#choose = choose;
  }

  /** Sends a message to the model that it needs. The events are the chat's own, after one that tells the choice. */
  async *send(text, options) {
    const name = this.#choose(text);
    const model = this.#models[name];
    if (model === undefined) throw new RangeError(`choose() gave ${name}, which is no name of a model`);
    yield { type: "route", name, model };
    if (!this.#chats.has(name)) this.#chats.set(name, this.#memory.chat({ model }));
    yield* this.#chats.get(name).send(text, options);
  }
}

const CODE = /```|^\s{4,}\S/m;
const THOUGHT = /\b(why|compare|prove|plan|design|debug|trade-?offs?|step by step)\b/i;
/** Longer messages tend to hold a task. A guess: measure it on your own traffic. */
const LONG_CHARACTERS = 400;

/** A rule that costs nothing and that a person can follow. A small model could choose as well, for the price of a request. */
export function byDifficulty(text) {
  return CODE.test(text) || THOUGHT.test(text) || text.length > LONG_CHARACTERS ? "thorough" : "quick";
}
