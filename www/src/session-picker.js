import { el, minute } from "./dom.js";

/** The list of conversations, newest first, and the way to a new one. */
export class SessionPicker {
  #memory;
  #select = document.getElementById("sessions");

  constructor(memory, open) {
    this.#memory = memory;
    this.#select.addEventListener("change", () => void open(this.#select.value || null));
    document.getElementById("new-chat").addEventListener("click", () => {
      this.#select.value = "";
      void open(null);
    });
  }

  async refresh(current) {
    const sessions = await this.#memory.sessions.list();
    const options = sessions.map(({ id, started, turns }) => el("option", { value: id }, `${minute(started)} (${turns} messages)`));
    this.#select.replaceChildren(el("option", { value: "" }, "New conversation"), ...options);
    this.#select.value = current ?? "";
  }
}
