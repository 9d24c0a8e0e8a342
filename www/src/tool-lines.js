import { el } from "./dom.js";

/** What each of the memory's own tools does, and the demo's, in words for the person. */
const DOES = {
  recall: ({ query }) => `Searches memory for “${query}”`,
  remember: ({ statement }) => `Notes “${statement}”`,
  mark_fact_stale: ({ reason }) => `Marks a fact as no longer true: ${reason}`,
  read_sample: ({ name }) => `Reads ${name}`,
  memory: ({ command, path, old_path }) => `Memory file: ${command} ${path ?? old_path ?? ""}`,
};

/** One small line for each tool that was called for an answer. */
export class ToolLines {
  #list = el("ul", { class: "tools", "aria-label": "Tools used", hidden: true });
  #lines = new Map();

  /** Before the words of the answer: the tools ran before they were written. */
  constructor(words) {
    words.before(this.#list);
  }

  started({ id, name, input }) {
    const line = el("li", { "aria-busy": "true" }, DOES[name]?.(input ?? {}) ?? `Uses ${name}`);
    this.#lines.set(id, line);
    this.#list.append(line);
    this.#list.hidden = false;
  }

  /** `ms` is missing for what was stored. */
  finished({ id, ms, isError }) {
    const line = this.#lines.get(id);
    if (!line) return;
    line.removeAttribute("aria-busy");
    line.dataset.failed = String(isError);
    const took = ms === undefined ? "" : ` (${ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`})`;
    line.append(isError ? `: did not work${took}` : took);
  }

  /** The calls of a stored turn, and what became of them in the turn with their results. */
  stored(turn, results) {
    const failed = new Set((results?.content ?? []).filter((block) => block.is_error).map((block) => block.tool_use_id));
    for (const { type, id, name, input } of turn.content) {
      if (type !== "tool_use") continue;
      this.started({ id, name, input });
      this.finished({ id, isError: failed.has(id) });
    }
  }
}
