import { el } from "./dom.js";
import { readSample } from "./samples.js";

/**
 * The memory of the review demo: a project of its own, so that it knows nothing of the person's other conversations and they
 * nothing of it. Old results are cleared at a length that the third session reaches with a few small files; in earnest leave
 * `contextEditing` as it is.
 */
export const REVIEW_MEMORY = { project: "review-demo", preset: "agent", contextEditing: { atTokens: 5_000, keep: 2, atLeastTokens: 500 } };

/** For each chat of the demo. */
export const REVIEW_CHAT = {
  tools: [readSample],
  instructions:
    "You review small source files for one person. Look at the memory files under /memories first. Read each file before you judge it, one after another, and say what you found in it right away. Apply what you know from earlier reviews.",
};

const STEPS = [
  {
    title: "Learn",
    about: "A review finds how an item was sold twice. Claude keeps a fact, and a note on how to look for it in a memory file.",
    says: ["Please review inventory.js: last week we sold one item twice. Keep what you learn as a fact, and how to look for it in a memory file, for later reviews."],
  },
  {
    title: "Apply",
    about: "A new conversation, another file, another language. Nobody says what to look for.",
    says: ["Please do a code review of likes.py before I merge it."],
  },
  {
    title: "Go on for long",
    about: "So many files that Claude's API clears old results out of the prompt. What was learned is still there.",
    says: [
      "Please review wallet.js, seats.py, ledger.js, retry.js, upload.py, votes.py and schedule.js, one after another.",
      "Which kind of mistake do our reviews look for, and where was it seen first?",
    ],
  },
];

/** Walks through three conversations that show memory at work, and says what each of them took. */
export class ReviewView {
  #chat;
  #answers;
  #buttons = [];

  /** `answers` names whoever answers, as the edge worker reports it. */
  constructor(chat, answers) {
    this.#chat = chat;
    this.#answers = answers;
    const place = document.getElementById("review");
    const who =
      answers === "Claude"
        ? "Claude answers, and each request costs what it costs."
        : "No Claude answers here: a stand-in on this machine follows rules. It writes down a note that it did not find by itself, and then looks in each file for the words that the note names. Without the note it finds nothing: delete the memory file and try step 2.";
    place.append(
      el("h2", {}, "Three sessions of code review"),
      el("p", { class: "quiet" }, `Each step begins a new conversation, in a memory of its own beside yours. ${who}`),
      el("ol", {}, ...STEPS.map((step) => this.#step(step))),
    );
    place.hidden = false;
  }

  #step({ title, about, says }) {
    const took = el("p", { class: "took quiet", role: "status" });
    const button = el("button", { type: "button", onclick: () => void this.#run(says, took) }, title);
    this.#buttons.push(button);
    return el("li", {}, button, el("span", {}, ` ${about}`), took);
  }

  async #run(says, took) {
    for (const button of this.#buttons) button.disabled = true;
    const tally = new Tally();
    took.textContent = "Running…";
    try {
      await this.#chat.open(null);
      let isAnswered = true;
      for (const text of says) isAnswered &&= await this.#chat.ask(text, (event) => tally.see(event));
      took.textContent = isAnswered ? tally.told(this.#answers) : "Not finished: see below.";
    } finally {
      for (const button of this.#buttons) button.disabled = false;
    }
  }
}

/** What the requests of one step took. */
class Tally {
  #requests = 0;
  #cleared = 0;
  /** Before anything was cleared: an edit breaks the cache at its place. */
  #read = 0;
  #prompt = 0;

  see(event) {
    if (event.type === "cleared") this.#cleared = Math.max(this.#cleared, event.toolUses);
    if (event.type !== "usage") return;
    this.#requests += 1;
    // The first request of a conversation has nothing to read.
    if (this.#cleared > 0 || this.#requests === 1) return;
    const { input, cacheRead, cacheWrite } = event.tokens;
    this.#read += cacheRead;
    this.#prompt += input + cacheRead + cacheWrite;
  }

  told(answers) {
    const by = answers === "Claude" ? "by Claude" : "by the stand-in on this machine, not by Claude";
    const count = this.#requests === 1 ? "1 request, answered" : `${this.#requests} requests, all answered`;
    const cache = this.#prompt > 0 ? ` After the first, ${Math.round((100 * this.#read) / this.#prompt)} % of the prompt was read from the cache${this.#cleared > 0 ? ", until old results were cleared" : ""}.` : "";
    const cleared = this.#cleared > 0 ? ` Claude's API cleared up to ${this.#cleared} old results from a request.` : "";
    return `${count} ${by}.${cache}${cleared}`;
  }
}
