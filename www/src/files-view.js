import { el, minute } from "./dom.js";

/** Memory files: what Claude wrote down through its memory tool, to read, change and delete. */
export class FilesView {
  #files;
  #list = document.getElementById("files");
  #state = document.getElementById("files-state");
  #add = document.getElementById("new-file");
  #drawing = Promise.resolve();

  constructor(memory) {
    this.#files = memory.files;
    this.#add.addEventListener("click", () => this.#open(null));
  }

  /** Draws the files that are there now. Calls follow one another, so that the last one wins. */
  refresh() {
    this.#drawing = this.#drawing.then(() => this.#draw()).catch((error) => {
      this.#state.textContent = `The memory files could not be shown: ${error.message}`;
    });
    return this.#drawing;
  }

  async #draw() {
    const files = await this.#files.list();
    // An edit under way is not thrown away by news from the background.
    if (this.#list.querySelector("form")) return;
    const focused = document.activeElement?.closest?.("[data-path]")?.dataset.path;
    this.#list.replaceChildren(...files.map((file) => this.#item(file)));
    this.#state.textContent = files.length === 0 ? "None yet. What Claude writes down with its memory tool appears here, and you can write some yourself." : "";
    if (focused) this.#focus(focused);
  }

  #item(file) {
    const path = file.path;
    const item = el(
      "li",
      { class: "file", "data-path": path },
      el("p", { class: "path" }, path),
      el("p", { class: "source quiet" }, `${file.bytes} bytes, written ${minute(file.modified)}`),
      el(
        "div",
        { class: "actions" },
        el("button", { type: "button", class: "quiet", "aria-label": `Open ${path}`, onclick: () => this.#open(path, item) }, "Open"),
        el("button", { type: "button", class: "quiet", "aria-label": `Delete ${path}`, onclick: () => this.#remove(path, item) }, "Delete"),
      ),
    );
    return item;
  }

  async #remove(path, item) {
    const neighbour = (item.nextElementSibling ?? item.previousElementSibling)?.dataset.path;
    try {
      await this.#files.remove(path);
    } catch (error) {
      return problem(item, error);
    }
    await this.refresh();
    this.#focus(neighbour);
  }

  /** The form of a file, in its place in the list; without a path, of a new one. */
  async #open(path, item = el("li", { class: "file" })) {
    if (this.#list.querySelector("form")) return this.#list.querySelector("form textarea").focus();
    let text = "";
    try {
      if (path) ({ text } = await this.#files.read(path));
    } catch (error) {
      return problem(item, error);
    }
    const name = el("input", { "aria-label": "Path", value: path ?? "/memories/", spellcheck: "false", readonly: path !== null });
    const field = el("textarea", { rows: "8", "aria-label": path ? `Text of ${path}` : "Text" });
    field.value = text;
    const close = async (focused) => {
      form.remove();
      await this.refresh();
      this.#focus(focused);
    };
    const save = async (event) => {
      event.preventDefault();
      try {
        const { path } = await this.#files.write(name.value, field.value);
        await close(path);
      } catch (error) {
        problem(item, error);
      }
    };
    const form = el(
      "form",
      { onsubmit: save, onkeydown: (event) => event.key === "Escape" && void close(path) },
      name,
      field,
      el("button", { type: "submit" }, "Save"),
      el("button", { type: "button", class: "quiet", onclick: () => void close(path) }, "Cancel"),
    );
    if (path) item.querySelector(".actions").replaceWith(form);
    else {
      item.append(form);
      this.#list.prepend(item);
    }
    (path ? field : name).focus();
  }

  /** Keeps the keyboard's place: a button of that file, or else the one that makes a new one. */
  #focus(path) {
    const item = path && [...this.#list.children].find((item) => item.dataset.path === path);
    (item ? item.querySelector("button") : this.#add).focus();
  }
}

function problem(item, error) {
  item.querySelector(".problem")?.remove();
  item.append(el("p", { class: "problem", role: "alert" }, error.message));
}
