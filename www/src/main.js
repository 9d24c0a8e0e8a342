import { createMemory } from "onhand";
import { ChatView } from "./chat-view.js";
import { day } from "./dom.js";
import { FilesView } from "./files-view.js";
import { KeepView } from "./keep-view.js";
import { LockView } from "./lock-view.js";
import { MemoryView } from "./memory-view.js";
import { Notices } from "./notices.js";
import { REVIEW_CHAT, REVIEW_MEMORY, ReviewView } from "./review-view.js";
import { SessionPicker } from "./session-picker.js";
import { UsageView } from "./usage-view.js";

const notices = new Notices(document.getElementById("notices"));
const wanted = new URLSearchParams(location.search);
const isReview = wanted.get("demo") === "review";

try {
  // `debug` is for this demo, which runs on your own machine: see its documentation before you copy it.
  const options = isReview ? REVIEW_MEMORY : { preset: wanted.get("preset") ?? "agent" };
  const [memory, answers] = await Promise.all([createMemory({ debug: true, ...options }), showWhoAnswers()]);
  const files = new FilesView(memory);
  const keep = new KeepView(memory, () => chat.openAgain());
  const chat = new ChatView(memory, answers, keep, isReview ? REVIEW_CHAT : {});
  const facts = new MemoryView(memory, keep);
  const usage = new UsageView(memory);
  const picker = new SessionPicker(memory, (session) => chat.open(session));
  const drawAll = () => {
    delete document.body.dataset.locked;
    return Promise.all([chat.open(null), facts.refresh(), files.refresh(), usage.refresh(), picker.refresh(null)]);
  };
  let drawing = Promise.resolve();
  // A locked memory shows nothing of what was read before.
  const lock = new LockView(memory, (locked) => {
    drawing = locked ? clearAll(chat) : drawAll();
    void drawing.catch((error) => notices.show("failed", `Memory could not be read: ${error.message}`));
  });

  memory.subscribe((event) => {
    if (event.type === "restarted") {
      notices.show("engine", "The memory engine stopped and was started again from what is saved.", { dismissable: true });
    }
    if (event.type === "rebuild") showReading(event);
    if (event.type === "embedder") showEmbedder(event);
    if (event.type === "nearlyFull") showNearlyFull(event);
    if (event.type === "encryption") lock.show(event);
    if (document.body.dataset.locked) return;
    if (event.type === "restarted" || event.kinds?.some((kind) => kind === "fact" || kind === "job")) void facts.refresh();
    if (event.type === "restarted" || event.kinds?.includes("usage")) void usage.refresh();
    if (event.type === "restarted" || event.kinds?.includes("file")) void files.refresh();
    // Which conversation is the newest is known once all are read.
    if (event.type === "rebuild" && event.done === event.total) void picker.refresh(chat.session);
    if (event.type === "changed" && event.kinds.some((kind) => kind === "turn" || kind === "session")) void picker.refresh(chat.session);
  });

  await showStatus(memory);
  await ((await lock.refresh()) ? drawing : drawAll());
  showReview(chat, answers);
  document.body.dataset.ready = "true";
  // For trying things in the console, and for the end-to-end tests.
  globalThis.memory = memory;
} catch (error) {
  notices.show("failed", `Memory could not be opened: ${error.message}`);
}

/** Takes everything that was read off the page. A new conversation can begin, without memory. */
async function clearAll(chat) {
  document.body.dataset.locked = "true";
  for (const id of ["facts", "files", "sessions", "memory-state", "files-state", "keep-state", "keep-report"]) document.getElementById(id).replaceChildren();
  await chat.open(null);
  document.querySelector("#unlock input")?.focus();
}

/** The way to the review demo, or in it the way back. */
function showReview(chat, answers) {
  const link = document.getElementById("try-review");
  if (!isReview) return;
  link.textContent = "Leave the review demo";
  link.href = "/";
  new ReviewView(chat, answers);
}

/** Where memory is kept and whether the embedding table is there: said only when something is missing. */
async function showStatus(memory) {
  const { storage, embedder, unreadable, rebuilding } = await memory.status();
  if (rebuilding) showReading(rebuilding);
  if (storage.state === "memory") {
    notices.show(
      "storage",
      `This browser gives the page no storage (${storage.reason?.message ?? "unknown reason"}). The chat works, but everything is forgotten when you close this tab. Leave private mode or allow site data, then reload.`,
    );
  }
  if (storage.lost) showLoss(memory, storage.lost);
  if (storage.quota && storage.usage > 0.8 * storage.quota) showNearlyFull(storage);
  showEmbedder(embedder);
  if (unreadable.length > 0) {
    notices.show("unreadable", `${unreadable.length} stored records could not be read. They are kept as they are.`);
  }
}

/** What was remembered is gone from this browser: nobody is greeted as a stranger. */
function showLoss(memory, { turns, facts, lastSaved, lastBackup }) {
  const what = `${turns} ${turns === 1 ? "message" : "messages"} and ${facts} ${facts === 1 ? "fact" : "facts"}`;
  const backup = lastBackup ? `Your last export is of ${day(lastBackup)}: import it to have them back.` : "There is no export to bring them back from.";
  notices.show("lost", `This browser removed your memory: ${what}, last saved on ${day(lastSaved)}, are gone. ${backup}`, {
    dismissable: true,
    dismissed: () => memory.storage.acknowledgeLoss(),
  });
}

function showNearlyFull({ usage, quota }) {
  const percent = Math.round((100 * usage) / quota);
  notices.show("nearly-full", `${percent} % of the room that this browser gives the site is used. Export your memory and delete what you no longer need.`, { dismissable: true });
}

/** A large memory without its kept index answers from what was read so far. */
function showReading({ done, total }) {
  const line = document.getElementById("reading");
  line.hidden = done === total;
  Object.assign(line.querySelector("progress"), { value: done, max: total });
}

/** Recall by meaning: said only when it does not work, or is being prepared. */
function showEmbedder(embedder) {
  if (embedder.state === "missing") notices.show("embedder", `${embedder.message} Reload the page to try again.`);
  else if (embedder.state === "failed") notices.show("embedder", embedder.error.message);
  else if (embedder.state === "embedding") notices.show("embedder", `Preparing recall by meaning: ${embedder.done} of ${embedder.total} texts.`);
  else notices.clear("embedder");
}

/** Says plainly where answers come from, as the edge worker reports it, and gives the name of whoever answers. */
async function showWhoAnswers() {
  const pill = document.getElementById("answers-from");
  const say = (text, isClaude) => {
    pill.textContent = text;
    pill.dataset.standIn = String(!isClaude);
    return isClaude ? "Claude" : "Assistant";
  };
  let upstream;
  try {
    ({ upstream } = await (await fetch("/health")).json());
  } catch {
    return say("The edge worker does not answer", false);
  }
  if (upstream === "api.anthropic.com") return say("Answers come from Claude", true);
  if (!/^(127\.0\.0\.1|localhost|\[::1\])(:|$)/.test(upstream)) return say(`Answers come from ${upstream}`, false);
  say("Answers come from a local stand-in, not from Claude", false);
  notices.show(
    "stand-in",
    "No API key is set, so a stand-in on this machine answers: it quotes what the memory block of your message held, and picks up plain statements such as “I'm allergic to…”, “my … is …”, “we use …”, and searches memory when it is told to “look up …”. Set ANTHROPIC_API_KEY and start again to talk to Claude.",
    { dismissable: true },
  );
  return "Stand-in";
}
