import { day, el } from "./dom.js";

/** What is known: each fact with its source, and the ways to mend it. */
export class MemoryView {
  #memory;
  #keep;
  #list = document.getElementById("facts");
  #state = document.getElementById("memory-state");
  #drawing = Promise.resolve();

  /** `keep` asks before something is erased, and shows the receipt. */
  constructor(memory, keep) {
    this.#memory = memory;
    this.#keep = keep;
  }

  /** Draws what is known now. Calls follow one another, so that the last one wins. */
  refresh() {
    this.#drawing = this.#drawing.then(() => this.#draw()).catch((error) => {
      this.#state.textContent = `What is remembered could not be shown: ${error.message}`;
    });
    return this.#drawing;
  }

  async #draw() {
    const [facts, jobs] = await Promise.all([this.#memory.facts.list(), this.#memory.queue.list()]);
    // An edit under way is not thrown away by news from the background.
    if (this.#list.querySelector("form")) return;
    const newest = facts.filter((fact) => fact.supersededBy === null);
    const byId = new Map(facts.map((fact) => [fact.id, fact]));
    this.#list.replaceChildren(...newest.map((fact) => this.#item(fact, byId)));
    this.#state.replaceChildren(...this.#queueLine(jobs, newest.length));
  }

  #queueLine(jobs, known) {
    const dead = jobs.filter((job) => job.state === "dead").length;
    const failed = jobs.filter((job) => job.state === "waiting" && job.lastError).length;
    const retry = el("button", { type: "button", class: "quiet", onclick: () => void this.#memory.queue.retry() }, "Try now");
    if (dead > 0) return [`${dead} exchanges could not be read for facts. `, retry];
    if (failed > 0) return [`${failed} exchanges wait to be read for facts; the last try failed. `, retry];
    if (jobs.length > 0) return ["Reading what you said for facts…"];
    return [known === 0 ? "Nothing yet. Facts appear here after you tell something about yourself." : ""];
  }

  #item(fact, byId) {
    const older = versionsBefore(fact, byId);
    const facts = this.#memory.facts;
    let item;
    const act = async (action) => {
      try {
        await action();
      } catch (error) {
        item.querySelector(".problem")?.remove();
        item.append(el("p", { class: "problem", role: "alert" }, error.message));
      }
    };
    const toggle = fact.stale
      ? el("button", { type: "button", class: "quiet", onclick: () => act(() => facts.restore(fact.id)) }, "Undo")
      : el("button", { type: "button", class: "quiet", onclick: () => act(() => facts.markStale(fact.id, "said so in the memory list")) }, "No longer true");
    const correct = el("button", { type: "button", class: "quiet", onclick: () => this.#edit(item, fact, act) }, "Correct");
    const forget = el("button", { type: "button", class: "quiet", "aria-label": `Forget: ${fact.statement}`, onclick: () => void this.#forget(fact) }, "Forget");
    item = el(
      "li",
      { class: fact.current ? "fact" : "fact stale", "data-fact": fact.id },
      el("p", { class: "statement" }, el("span", { class: `type ${fact.type}` }, fact.type), ` ${fact.statement}`),
      el("p", { class: "source quiet" }, source(fact)),
      older.length > 0
        ? el("details", {}, el("summary", {}, `${older.length} earlier ${older.length === 1 ? "version" : "versions"}`), el("ul", {}, ...older.map((old) => el("li", {}, `${old.statement} (${day(old.validFrom)})`))))
        : null,
      el("div", { class: "actions" }, fact.stale ? null : correct, toggle, forget),
    );
    return item;
  }

  #forget(fact) {
    return this.#keep.erase({ item: `fact:${fact.id}` }, `Forget “${fact.statement}”?`, "All its versions go, and the words that say it are blackened in your conversations. There is no undo.");
  }

  #edit(item, fact, act) {
    const field = el("textarea", { rows: "2", "aria-label": "Corrected statement" });
    field.value = fact.statement;
    const done = () => {
      form.remove();
      void this.refresh();
    };
    const save = async (event) => {
      event.preventDefault();
      await act(() => this.#memory.facts.correct(fact.id, field.value));
      done();
    };
    const form = el(
      "form",
      { onsubmit: save, onkeydown: (event) => event.key === "Escape" && done() },
      field,
      el("button", { type: "submit" }, "Save"),
      el("button", { type: "button", class: "quiet", onclick: done }, "Cancel"),
    );
    item.querySelector(".actions").replaceWith(form);
    field.focus();
  }
}

function source(fact) {
  if (fact.stale) return `No longer true since ${day(fact.stale.at)}: ${fact.stale.reason}`;
  if (fact.origin === "assistant") return `Noted by the assistant on ${day(fact.recordedAt)}${fact.evidence?.quote ? `, from “${fact.evidence.quote}”` : ""}`;
  if (fact.evidence) return `You said “${fact.evidence.quote}” on ${day(fact.validFrom)}`;
  return `Written by you on ${day(fact.recordedAt)}`;
}

function versionsBefore(fact, byId) {
  const older = [];
  for (let id = fact.supersedes; id !== null && older.length < byId.size; id = byId.get(id)?.supersedes ?? null) {
    const version = byId.get(id);
    if (version) older.push(version);
  }
  return older;
}
