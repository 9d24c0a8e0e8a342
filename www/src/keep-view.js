import { el } from "./dom.js";
import { confirmErase, count, receiptText } from "./forget.js";
import { SecretForm } from "./secret-form.js";

const RECORDS = ["record", "records"];

/** Export, import and erase, with what came of it. */
export class KeepView {
  #memory;
  #changed;
  #state = document.getElementById("keep-state");
  #report = document.getElementById("keep-report");
  #form = document.getElementById("import-form");
  #file = document.getElementById("import-file");
  #text = document.getElementById("import-text");
  #buttons = [...document.querySelectorAll("#keep button")];

  /** `changed` is called when what is shown elsewhere may be gone. */
  constructor(memory, changed) {
    this.#memory = memory;
    this.#changed = changed;
    document.getElementById("export").addEventListener("click", () => this.#beginExport());
    document.getElementById("erase-all").addEventListener("click", () => void this.#eraseAll());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#run(() => this.#preview());
    });
  }

  /** Asks, erases, and shows the receipt. `target` is what `memory.erase` takes. */
  async erase(target, question, what) {
    if (!(await confirmErase(question, what))) return;
    await this.#run(async () => {
      this.#say("Erasing…");
      const receipt = await this.#memory.erase(target);
      await this.#changed();
      this.#say(receiptText(receipt));
      if (receipt.nMentions > 0) this.#offerMentions(receipt);
    });
  }

  #eraseAll() {
    return this.erase({ all: true }, "Erase everything that is remembered in this browser?", "All conversations, facts and what was made of them, in every project. There is no undo: export first if you may want it back.");
  }

  #offerMentions({ mentions, nMentions }) {
    const erase = () =>
      this.#run(async () => {
        let receipt;
        for (const item of mentions) receipt = await this.#memory.erase({ item }).catch((error) => {
          // It went with an earlier one.
          if (error.code !== "not_found") throw error;
        }) ?? receipt;
        await this.#changed();
        this.#say(receipt ? receiptText(receipt) : "They are gone.");
      });
    this.#report.append(
      el("p", {}, `${count(nMentions, ["message still mentions", "messages still mention"])} it in other words.`),
      el("button", { type: "button", onclick: () => void erase() }, nMentions === 1 ? "Erase it, too" : "Erase them, too"),
    );
  }

  /** At once, or after a passphrase was given for the file. */
  #beginExport() {
    if (!document.getElementById("export-sealed").checked) return void this.#run(() => this.#export());
    this.#say("Whoever has the file and this passphrase can read it. Without the passphrase nobody can, you included.");
    const form = new SecretForm({
      label: "Passphrase of the file",
      fresh: true,
      action: "Export with it",
      submitted: (passphrase) => this.#run(() => this.#export(passphrase)),
      cancelled: () => {
        this.#say("");
        this.#report.replaceChildren();
        document.getElementById("export").focus();
      },
    });
    this.#report.replaceChildren(form.element);
    form.focus();
  }

  async #export(passphrase) {
    const onProgress = ({ done, total }) => this.#say(`Exporting: ${done} of ${total}`);
    const parts = [];
    // `new Response(stream).blob()` is shorter, and hides what went wrong.
    for (const reader = this.#memory.export({ passphrase, onProgress }).getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
    }
    const file = new Blob(parts, { type: passphrase ? "application/octet-stream" : "application/jsonl" });
    const ending = passphrase ? "onhand" : "jsonl";
    const link = el("a", { href: URL.createObjectURL(file), download: `onhand-${new Date().toISOString().slice(0, 10)}.${ending}` });
    link.click();
    URL.revokeObjectURL(link.href);
    const advice = passphrase ? "It opens with its passphrase only." : "Keep it where only you can read it: it is not encrypted.";
    this.#say(`Exported as ${link.download} (${Math.ceil(file.size / 1024)} KB). ${advice}`);
    document.getElementById("export").focus();
  }

  /** Says what an import would do, and offers to do it. */
  async #preview(source = this.#file.files[0] ?? this.#text.value, passphrase) {
    if (typeof source === "string" && !source.trim()) return this.#say("Choose a file or paste a list first.");
    let report;
    try {
      report = await this.#memory.import(source, { dryRun: true, passphrase });
    } catch (error) {
      if (error.code !== "passphrase_needed" && error.code !== "wrong_key") throw error;
      return this.#askForPassphrase(source, error);
    }
    this.#say(`${FORMATS[report.format]}: ${importText(report)}`);
    this.#report.append(...listed(report));
    if (report.added === 0) return;
    const add = el("button", { type: "button", onclick: () => void this.#run(() => this.#import(source, passphrase)) }, `Add ${count(report.added, RECORDS)}`);
    this.#report.append(add);
    add.focus();
  }

  #askForPassphrase(source, error) {
    this.#say("This file is encrypted.");
    const form = new SecretForm({ label: "Its passphrase", action: "Open it", submitted: (passphrase) => this.#run(() => this.#preview(source, passphrase)) });
    this.#report.replaceChildren(form.element);
    if (error.code === "wrong_key") form.show("This passphrase does not open it. Nothing was changed.", error.code);
    else form.focus();
  }

  async #import(source, passphrase) {
    const onProgress = ({ done, total }) => this.#say(total ? `Importing: ${Math.round((100 * done) / total)} %` : "Importing…");
    const report = await this.#memory.import(source, { passphrase, onProgress });
    this.#form.reset();
    await this.#changed();
    this.#say(`Imported: ${importText(report)}`);
    this.#report.append(...listed(report));
  }

  #say(text) {
    this.#state.textContent = text;
  }

  async #run(work) {
    this.#report.replaceChildren();
    for (const button of this.#buttons) button.disabled = true;
    try {
      await work();
    } catch (error) {
      this.#say("");
      this.#report.replaceChildren(el("p", { class: "problem", role: "alert", "data-code": error.code }, error.message));
    } finally {
      for (const button of this.#buttons) button.disabled = false;
    }
  }
}

const FORMATS = { onhand: "An export of this program", chatgpt: "A list of memories", claude: "Claude's memory", mem0: "Memories of mem0", memories: "A folder of memory files" };

function importText({ added, skipped, nConflicts, nRefused, seal, dryRun }) {
  const parts = [`${count(added, RECORDS)} ${dryRun ? "to add" : "added"}`];
  if (skipped > 0) parts.push(`${skipped} here already`);
  if (nConflicts > 0) parts.push(`${nConflicts} here with another content, left as they are`);
  if (nRefused > 0) parts.push(`${count(nRefused, ["line", "lines"])} not usable`);
  const warning = { cut: " The file ends too early.", altered: " The file was changed after it was written." }[seal] ?? "";
  return `${parts.join(", ")}.${warning}`;
}

function listed({ conflicts, refused }) {
  const place = ({ line, path }) => path ?? `Line ${line}`;
  const lines = [...refused.map((one) => `${place(one)}: ${REASONS[one.reason]}`), ...conflicts.map((one) => `${place(one)}: ${one.path ? "it" : one.record} is here with another content`)];
  if (lines.length === 0) return [];
  return [el("details", {}, el("summary", {}, "What was left out"), el("ul", {}, ...lines.map((line) => el("li", {}, line))))];
}

const REASONS = {
  not_text: "not readable as text",
  not_json: "not JSON",
  too_long: "too long",
  wrong_shape: "not in the form that is expected",
  unknown_kind: "a kind that is not known",
  unknown_version: "written by a newer version",
  after_end: "after the end of the file",
  empty: "no words in it",
  erased: "it was erased here",
  no_session: "its conversation is missing",
  no_evidence: "its message does not say so",
  bad_file: "a file of this path or size is not allowed here",
  link: "a link, and no file",
  unsupported: "encrypted, or compressed in a way that is not read here",
  damaged: "damaged",
};
