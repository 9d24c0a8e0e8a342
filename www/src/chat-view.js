import { day, el } from "./dom.js";
import { ToolLines } from "./tool-lines.js";
import { UsageLine } from "./usage-view.js";

/** The conversation: its messages, the field to write in, and what goes wrong on the way. */
export class ChatView {
  #memory;
  #keep;
  #options;
  #chat;
  #running = null;
  #speakers;
  #log = document.getElementById("log");
  #welcome = document.getElementById("welcome");
  #field = document.getElementById("message");
  #send = document.getElementById("send");
  #stop = document.getElementById("stop");

  /**
   * `answers` names whoever answers, as the edge worker reports it; `keep` asks before a message is erased; `options` are of every
   * chat.
   */
  constructor(memory, answers, keep, options = {}) {
    this.#memory = memory;
    this.#keep = keep;
    this.#options = options;
    this.#speakers = { user: "You", assistant: answers, tool: "Tool" };
    document.getElementById("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.#submit();
      }
    });
    this.#stop.addEventListener("click", () => this.#running?.abort());
  }

  get session() {
    return this.#chat?.session ?? null;
  }

  /** Shows a stored conversation, or an empty one. */
  async open(session) {
    this.#running?.abort();
    this.#chat = this.#memory.chat(session ? { ...this.#options, session } : this.#options);
    this.#log.replaceChildren();
    const turns = session ? await this.#memory.sessions.turns(session) : [];
    this.#show(turns);
    await this.#greet(turns.length === 0);
    this.#field.focus();
  }

  /** A bubble for each message, and one for all that answered it. */
  #show(turns) {
    let answer = null;
    turns.forEach((turn, at) => {
      if (turn.role === "tool") return;
      if (turn.role === "user" || !answer) {
        const bubble = this.#bubble(turn.role, turn.text);
        answer = turn.role === "user" ? null : { bubble, tools: new ToolLines(bubble.querySelector(".words")) };
        this.#log.append(bubble);
        // An answer with tools is forgotten with the message that it answers.
        if (turn.role === "user" || turns[at + 1]?.role !== "tool") this.#forgettable(bubble, turn.role, turn.id);
      } else {
        const words = answer.bubble.querySelector(".words");
        words.textContent += words.textContent && turn.text ? `\n\n${turn.text}` : turn.text;
      }
      answer?.tools.stored(turn, turns[at + 1]);
    });
  }

  /** Shows the conversation as it is now, after something was erased. */
  openAgain() {
    return this.open(this.session);
  }

  async #greet(empty) {
    this.#welcome.replaceChildren();
    if (!empty) return;
    if ((await this.#memory.encryption.status()).locked) return;
    const [facts, sessions] = await Promise.all([this.#memory.facts.list(), this.#memory.sessions.list()]);
    const known = facts.filter((fact) => fact.current).length;
    const text =
      sessions.length === 0
        ? "Nothing is remembered yet. Tell something about yourself, close the page, and come back: what you said is kept in this browser and nowhere else."
        : `Welcome back. You last talked on ${day(sessions[0].started)}; ${known} ${known === 1 ? "fact is" : "facts are"} remembered in this browser.`;
    this.#welcome.append(el("p", {}, text));
  }

  #submit() {
    const text = this.#field.value.trim();
    if (!text || this.#running) return;
    this.#field.value = "";
    void this.ask(text);
  }

  /**
   * Sends one message, and says whether it was answered; `seen` is given each event. Whatever fails, the words stay on the page and
   * can be sent again.
   */
  async ask(text, seen = () => {}) {
    if (this.#running) return false;
    this.#welcome.replaceChildren();
    const mine = this.#bubble("user", text);
    const answer = this.#bubble("assistant", "");
    const words = answer.querySelector(".words");
    const tools = new ToolLines(words);
    const usage = new UsageLine();
    let isBroken = false;
    answer.setAttribute("aria-busy", "true");
    this.#log.append(mine, answer);
    this.#setRunning(new AbortController());
    const chat = this.#chat;
    try {
      for await (const event of chat.send(text, { signal: this.#running.signal })) {
        seen(event);
        switch (event.type) {
          case "memory":
            mine.append(memoryNote(event));
            break;
          case "compaction":
            if (event.state === "started") note(answer, "waiting", "This conversation is long. Shortening what is sent of it…");
            else note(mine, "notice", `The first ${event.turns} messages are not sent to Claude any more. They stay here, and can be recalled.`);
            break;
          case "cleared":
            note(mine, "notice", `Claude's API left ${event.inputTokens} tokens of old tool results out of this request.`);
            break;
          case "text":
            note(answer, "waiting");
            words.textContent += isBroken ? `\n\n${event.text}` : event.text;
            isBroken = false;
            break;
          case "tool":
            note(answer, "waiting");
            tools[event.state](event);
            isBroken = words.textContent !== "";
            break;
          case "usage":
            usage.add(answer, event);
            break;
          case "thinking":
            if (!words.textContent) note(answer, "waiting", "Thinking…");
            break;
          case "retrying":
            note(answer, "waiting", `${event.error.message} Trying again in ${Math.ceil(event.inMs / 1000)} s (${event.attempt} of 2).`);
            break;
          case "notice":
            note(mine, "notice", ["session_ended", "limit_reached", "budget_reached"].includes(event.code) ? event.message : `Memory did not work for this message: ${event.message}`);
            break;
          case "saved":
            mine.dataset.saved = answer.dataset.saved = "true";
            this.#forgettable(mine, "user", event.turns[0]);
            if (event.turns.length === 2) this.#forgettable(answer, "assistant", event.turns[1]);
            break;
          case "done":
            if (event.stopReason === "max_tokens") note(answer, "notice", "The answer reached its length limit and was cut.");
            break;
        }
        this.#log.lastElementChild?.scrollIntoView({ block: "end" });
      }
      return true;
    } catch (error) {
      answer.remove();
      this.#offerRetry(mine, text, error);
      return false;
    } finally {
      answer.removeAttribute("aria-busy");
      note(answer, "waiting");
      this.#setRunning(null);
    }
  }

  #offerRetry(mine, text, error) {
    const cancelled = error.code === "cancelled";
    const again = () => {
      mine.remove();
      void this.ask(text);
    };
    const edit = () => {
      mine.remove();
      this.#field.value = text;
      this.#field.focus();
    };
    const retry = el("button", { type: "button", onclick: again }, "Try again");
    mine.querySelector("details")?.remove();
    mine.append(
      el(
        "div",
        { class: "problem", role: cancelled ? "status" : "alert", "data-code": error.code },
        el("p", {}, cancelled ? "Stopped. Nothing of this exchange was recorded." : `Not sent: ${error.message}`),
        retry,
        el("button", { type: "button", class: "quiet", onclick: edit }, "Edit"),
      ),
    );
    retry.focus();
  }

  #bubble(role, text) {
    return el("li", { class: `message ${role}` }, el("p", { class: "speaker" }, this.#speakers[role]), el("div", { class: "words" }, text));
  }

  /** Gives a stored message the way to be erased. */
  #forgettable(message, role, id) {
    const question = role === "user" ? "Forget this message and the answer to it?" : "Forget this answer?";
    const forget = () => this.#keep.erase({ item: `turn:${id}` }, question, "What was learned from it goes, too. The rest of this conversation can be read, but not be continued. There is no undo.");
    message.querySelector(".words").after(el("button", { type: "button", class: "quiet forget", onclick: () => void forget() }, "Forget"));
    return message;
  }

  #setRunning(controller) {
    this.#running = controller;
    this.#send.disabled = controller !== null;
    this.#stop.hidden = controller === null;
  }
}

/** What went along with the message, exactly as it was sent. */
function memoryNote({ block, tokens, items }) {
  if (!block) return el("p", { class: "quiet sent-with" }, "Sent without memory: nothing remembered fits this message.");
  const count = `${items.length} ${items.length === 1 ? "memory" : "memories"}`;
  return el("details", { class: "sent-with" }, el("summary", {}, `Sent with ${count} (about ${tokens} tokens)`), el("pre", {}, block));
}

/** Sets or clears a small line below a message. */
function note(message, kind, text) {
  message.querySelector(`.note.${kind}`)?.remove();
  if (text) message.append(el("p", { class: `note ${kind}`, role: "status" }, text));
}
