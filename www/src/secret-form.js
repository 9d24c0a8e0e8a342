import { el } from "./dom.js";

const MIN_CHARACTERS = 8;
let n = 0;

/**
 * A form for a passphrase, with the focus on it once it is shown by `focus()`. A new one (`fresh`) is asked for twice: nobody
 * can look a slip of the finger up later. What is copied from paper may be seen (`visible`). `submitted` hears the passphrase; what it throws is the form's to show.
 */
export class SecretForm {
  #first;
  #second;
  #problem = el("p", { class: "problem", role: "alert", hidden: true });
  element;

  constructor({ label, fresh = false, visible = false, action, submitted, cancelled }) {
    const id = `secret-${++n}`;
    const field = (id) => el("input", { id, type: visible ? "text" : "password", autocomplete: visible ? "off" : fresh ? "new-password" : "current-password", spellcheck: "false", required: true });
    this.#first = field(id);
    this.#second = fresh ? field(`${id}-again`) : null;
    this.element = el(
      "form",
      { class: "secret", novalidate: true, onkeydown: (event) => event.key === "Escape" && cancelled?.() },
      el("label", { for: id }, label),
      this.#first,
      ...(fresh ? [el("label", { for: `${id}-again` }, "Once more"), this.#second] : []),
      this.#problem,
      el(
        "div",
        { class: "actions" },
        el("button", { type: "submit" }, action),
        cancelled ? el("button", { type: "button", class: "quiet", onclick: () => cancelled() }, "Cancel") : null,
      ),
    );
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit(submitted);
    });
  }

  focus() {
    this.#first.focus();
  }

  /** Says what is wrong, and gives the field back. */
  show(message, code) {
    this.#problem.textContent = message;
    this.#problem.hidden = false;
    this.#problem.dataset.code = code ?? "";
    this.#first.focus();
    this.#first.select();
  }

  async #submit(submitted) {
    const passphrase = this.#first.value;
    this.#problem.hidden = true;
    if (this.#second && [...passphrase].length < MIN_CHARACTERS) return this.show(`It needs at least ${MIN_CHARACTERS} characters.`);
    if (this.#second && this.#second.value !== passphrase) return this.show("The two are not the same.");
    if (!passphrase) return this.show("Type it first.");
    try {
      await submitted(passphrase);
    } catch (error) {
      this.show(error.message, error.code);
    }
  }
}
