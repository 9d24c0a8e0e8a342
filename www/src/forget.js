import { el } from "./dom.js";

/** Asks before something is erased for good; resolves to whether it is wanted. Escape and Cancel mean no. */
export function confirmErase(question, what) {
  const id = "erase-question";
  const dialog = el(
    "dialog",
    { "aria-labelledby": id },
    el("p", { id }, question),
    el("p", { class: "quiet" }, what),
    el(
      "form",
      { method: "dialog", class: "actions" },
      // First, so that it has the focus: Enter does no harm.
      el("button", { type: "submit", class: "quiet", value: "no" }, "Keep it"),
      el("button", { type: "submit", value: "erase" }, "Erase for good"),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "erase");
    });
  });
}

/** What an erasure did, in words. */
export function receiptText(receipt) {
  const shown = ["fact", "turn", "session", "injection", "job"].filter((kind) => receipt.erased[kind]);
  const erased = shown.map((kind) => count(receipt.erased[kind], NAMES[kind])).join(", ");
  const parts = [erased ? `Erased for good: ${erased}.` : "There was nothing to erase."];
  if (receipt.changed.turn) parts.push(`The words were taken out of ${count(receipt.changed.turn, NAMES.turn)}.`);
  if (receipt.left > 0) parts.push(`${receipt.left} stored records were written again meanwhile; try once more.`);
  else if (receipt.scanned === 0) parts.push("A second look found no records: nothing of it is left.");
  else parts.push(`All ${receipt.scanned} stored records were looked at again: nothing of it is left.`);
  if (receipt.unreadable.length > 0) parts.push(`${count(receipt.unreadable.length, ["record", "records"])} could not be read and so not be looked into.`);
  if (receipt.endedSessions.length > 0) parts.push(`${count(receipt.endedSessions.length, NAMES.session)} had shown it and can be read, but not be continued.`);
  return parts.join(" ");
}

const NAMES = {
  fact: ["version of a fact", "versions of facts"],
  turn: ["message", "messages"],
  session: ["conversation", "conversations"],
  injection: ["quotation in a prompt", "quotations in prompts"],
  job: ["waiting job", "waiting jobs"],
};

export function count(n, [one, many]) {
  return `${n} ${n === 1 ? one : many}`;
}
