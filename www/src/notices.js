import { el } from "./dom.js";

/** Lines above the chat that say what does not work as usual; one per topic. */
export class Notices {
  #place;
  #shown = new Map();

  constructor(place) {
    this.#place = place;
  }

  show(topic, text, { dismissable = false, dismissed = () => {} } = {}) {
    this.clear(topic);
    const close = dismissable
      ? el("button", { type: "button", class: "quiet", "aria-label": "Dismiss this notice", onclick: () => (this.clear(topic), dismissed()) }, "Dismiss")
      : null;
    const notice = el("div", { class: "notice", role: "alert", "data-topic": topic }, el("p", {}, text), close);
    this.#shown.set(topic, notice);
    this.#place.append(notice);
  }

  clear(topic) {
    this.#shown.get(topic)?.remove();
    this.#shown.delete(topic);
  }
}
