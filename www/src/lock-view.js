import { el } from "./dom.js";
import { SecretForm } from "./secret-form.js";

const SAYS = {
  off: "Off. Anyone who can open this browser profile can read what is remembered.",
  sealing: "Being encrypted. You can go on meanwhile.",
  sealed: "On. What is stored can be read with your passphrase only, in this tab until you lock it or close it.",
  unsealing: "Being turned off. You can go on meanwhile.",
  locked: "Locked. The chat works, without memory.",
};

/** Encryption of what is stored: on, locked, unlocked in every way, off. */
export class LockView {
  #encryption;
  #changed;
  #locked = false;
  #passkeys = [];
  #busy = false;
  #state = document.getElementById("lock-state");
  #progress = document.getElementById("lock-progress");
  #actions = document.getElementById("lock-actions");
  #form = document.getElementById("lock-form");
  #recovery = document.getElementById("recovery");
  #gate = document.getElementById("unlock");

  /** `changed` hears whether the memory is locked, each time that this changes. */
  constructor(memory, changed) {
    this.#encryption = memory.encryption;
    this.#changed = changed;
  }

  /** Shows how it is now; says whether it is locked. */
  async refresh() {
    this.show(await this.#encryption.status());
    return this.#locked;
  }

  show({ state, locked, passkeys, progress }) {
    this.#passkeys = passkeys;
    const says = locked ? SAYS.locked : SAYS[state];
    if (this.#state.textContent !== says) this.#state.textContent = says;
    this.#progress.hidden = locked || !progress;
    if (progress) {
      this.#progress.max = Math.max(progress.total, 1);
      this.#progress.value = progress.done;
    }
    this.#offer(locked ? "locked" : state);
    if (locked === this.#locked) return;
    this.#locked = locked;
    this.#form.replaceChildren();
    this.#recovery.replaceChildren();
    if (locked) this.#askForPassphrase();
    else this.#gate.replaceChildren();
    this.#changed(locked);
  }

  /** The buttons that make sense now. They are made anew only when others do, so that the keyboard keeps its place. */
  #offer(state) {
    const key = `${state} ${this.#passkeys.length}`;
    if (this.#actions.dataset.offers === key) return;
    this.#actions.dataset.offers = key;
    const had = this.#actions.contains(document.activeElement);
    const button = (text, onclick) => el("button", { type: "button", onclick }, text);
    const offers = {
      off: [["Encrypt with a passphrase…", () => this.#turnOn()]],
      sealed: [
        ["Lock now", () => this.#run(() => this.#encryption.lock())],
        ["Change passphrase…", () => this.#changePassphrase()],
        ...("PublicKeyCredential" in globalThis ? [["Add a passkey", () => this.#run(() => this.#addPasskey())]] : []),
        ["Turn off…", () => this.#turnOff()],
      ],
    };
    this.#actions.replaceChildren(...(offers[state] ?? []).map(([text, act]) => button(text, () => void act())));
    if (had) this.#actions.querySelector("button")?.focus();
  }

  #turnOn() {
    this.#ask({
      label: "New passphrase",
      fresh: true,
      action: "Encrypt",
      submitted: async (passphrase) => {
        const { recoveryCode } = await this.#encryption.enable({ passphrase });
        this.#form.replaceChildren();
        this.#showRecovery(recoveryCode);
      },
    });
  }

  /** The code is shown this once: it is kept nowhere. */
  #showRecovery(code) {
    const told = el("p", { role: "status", class: "quiet" });
    const copy = async () => {
      try {
        await navigator.clipboard.writeText(code);
        told.textContent = "Copied. Keep it where nobody else looks.";
      } catch {
        told.textContent = "This browser does not let the page copy it: select it instead.";
      }
    };
    const done = () => {
      this.#recovery.replaceChildren();
      this.#actions.querySelector("button")?.focus();
    };
    const title = el("h3", { id: "recovery-title", tabindex: "-1" }, "Your recovery code");
    this.#recovery.replaceChildren(
      el(
        "section",
        { "aria-labelledby": "recovery-title" },
        title,
        el("p", {}, "If you forget the passphrase, this code opens your memory, and nothing else does. It is shown only now. Print it, and keep the paper."),
        el("output", { class: "code" }, code),
        el(
          "div",
          { class: "actions" },
          el("button", { type: "button", onclick: () => void copy() }, "Copy"),
          el("button", { type: "button", onclick: () => globalThis.print() }, "Print"),
          el("button", { type: "button", onclick: done }, "I have kept it"),
        ),
        told,
      ),
    );
    title.focus();
  }

  #changePassphrase() {
    this.#ask({
      label: "New passphrase",
      fresh: true,
      action: "Change it",
      submitted: async (passphrase) => {
        await this.#encryption.changePassphrase({ passphrase });
        this.#done("The passphrase was changed. The recovery code is the same as before.");
      },
    });
  }

  async #addPasskey() {
    await this.#encryption.addPasskey({ name: "onhand" });
    this.#done("The passkey was added. It opens this memory beside the passphrase.");
  }

  #turnOff() {
    const sure = el("button", { type: "button", onclick: () => void this.#run(() => this.#encryption.disable()) }, "Turn it off");
    const keep = el("button", { type: "button", class: "quiet", onclick: () => this.#done("") }, "Keep it on");
    this.#form.replaceChildren(el("p", {}, "What is stored becomes readable for anyone who can open this browser profile."), el("div", { class: "actions" }, keep, sure));
    keep.focus();
  }

  #ask(options) {
    const form = new SecretForm({ ...options, cancelled: () => this.#done("") });
    this.#form.replaceChildren(form.element);
    form.focus();
  }

  #askForPassphrase() {
    this.#unlockWith({ label: "Passphrase", secret: (passphrase) => ({ passphrase }), other: ["Use the recovery code", () => this.#askForCode()] });
  }

  #askForCode() {
    this.#unlockWith({ label: "Recovery code", visible: true, secret: (recoveryCode) => ({ recoveryCode }), other: ["Use the passphrase", () => this.#askForPassphrase()] });
  }

  #unlockWith({ label, visible, secret, other: [text, act] }) {
    const form = new SecretForm({ label, visible, action: "Unlock", submitted: (typed) => this.#encryption.unlock(secret(typed)) });
    const others = [el("button", { type: "button", class: "quiet", onclick: act }, text)];
    if (this.#passkeys.length > 0) {
      const passkey = () => this.#encryption.unlock({ passkey: true }).catch((error) => form.show(error.message, error.code));
      others.push(el("button", { type: "button", class: "quiet", onclick: () => void passkey() }, "Use a passkey"));
    }
    const title = el("h2", { id: "unlock-title" }, "Your memory is locked");
    this.#gate.replaceChildren(el("section", { "aria-labelledby": "unlock-title" }, title, form.element, el("div", { class: "actions" }, ...others)));
    form.focus();
  }

  #done(text) {
    this.#form.replaceChildren(...(text ? [el("p", { role: "status" }, text)] : []));
    this.#actions.querySelector("button")?.focus();
  }

  async #run(work) {
    if (this.#busy) return;
    this.#busy = true;
    this.#form.replaceChildren();
    try {
      await work();
    } catch (error) {
      this.#form.replaceChildren(el("p", { class: "problem", role: "alert", "data-code": error.code }, error.message));
    } finally {
      this.#busy = false;
    }
  }
}
