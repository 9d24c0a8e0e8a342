/** Whether what is stored will stay: the browser's promise, the room that is left, and a loss that happened. */

import type { Counts, EngineStatus, Keeping, Loss, MemoryEvent } from "./types.js";
import { WitnessFile, type Witness } from "./witness.js";

/** From this share of the quota on, the page is told that room is getting scarce. */
const NEARLY_FULL = 0.8;
/** Commits come in bursts; what is written about them can wait this long. */
const SETTLE_MS = 1_000;

/** Looks after one memory's place in the browser. */
export class Keeper {
  readonly #file: WitnessFile;
  #witness: Witness | null = null;
  #room: { usage: number | null; quota: number | null } = { usage: null, quota: null };
  #persistent: boolean | null = null;
  #asked = false;
  #wasNearlyFull = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #started = Promise.resolve();
  #writing = Promise.resolve();
  #closed = false;
  readonly #gestures = ["pointerdown", "keydown"];
  readonly #onGesture = (): void => void this.persist();

  /** `ask` decides whether the browser is asked, once, to keep the data; `status` need not count jobs. */
  constructor(
    name: string,
    private readonly ask: boolean,
    private readonly status: () => Promise<EngineStatus>,
    private readonly tell: (event: MemoryEvent) => void,
  ) {
    this.#file = new WitnessFile(name);
  }

  /** Compares what is there with what was there. Nobody who opens a memory has to wait for it: `keeping` does. */
  start(): void {
    this.#started = this.#start().catch(() => {});
    this.#writing = this.#started;
  }

  async #start(): Promise<void> {
    const [{ storage, counts }, before] = await Promise.all([this.status(), this.#file.read()]);
    if (storage.state === "memory") return;
    this.#witness = before;
    if (before && before.store !== storage.store) {
      const lost = before.turns + before.facts > 0 ? { turns: before.turns, facts: before.facts, at: before.at, backup: before.backup } : before.lost;
      this.#witness = { v: 1, store: storage.store ?? "", turns: counts.turns, facts: counts.facts, at: Date.now(), backup: null, lost };
      await this.#file.write(this.#witness);
    }
    await this.#measure();
  }

  /** Something was committed. */
  committed(kinds: string[]): void {
    if (this.#closed || !kinds.some((kind) => kind === "turn" || kind === "fact" || kind === "file")) return;
    if (this.ask && !this.#asked) {
      this.#asked = true;
      void this.#started.then(() => this.#askWhenItFits());
    }
    this.#timer ??= setTimeout(() => void this.settle(), SETTLE_MS);
  }

  /** Brings the witness up to what is stored now. */
  settle(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write()).catch(() => {});
    return this.#writing;
  }

  async #write(): Promise<void> {
    const { storage, counts, locked } = await this.status();
    // A locked memory counts nothing; that is no loss.
    if (this.#closed || !storage.store || locked) return;
    await this.#record(storage.store, counts, {});
    await this.#measure();
  }

  async #record(store: string, counts: Counts, change: Partial<Witness>): Promise<void> {
    const { backup = null, lost = null } = this.#witness ?? {};
    this.#witness = { v: 1, store, turns: counts.turns, facts: counts.facts, at: Date.now(), backup, lost, ...change };
    await this.#file.write(this.#witness);
  }

  /** What was there before and is gone; null once it was taken note of. */
  get lost(): Loss | null {
    const lost = this.#witness?.lost;
    return lost ? { turns: lost.turns, facts: lost.facts, lastSaved: lost.at, lastBackup: lost.backup } : null;
  }

  /** Forgets a loss that the person has been told of. */
  async acknowledgeLoss(): Promise<void> {
    await this.#started;
    const { storage, counts, locked } = await this.status();
    const known = locked && this.#witness ? { turns: this.#witness.turns, facts: this.#witness.facts } : {};
    await this.#record(storage.store ?? "", counts, { ...known, lost: null });
  }

  /** Notes that all of the memory was exported just now. */
  async backedUp(): Promise<void> {
    await this.#started;
    const { storage, counts } = await this.status();
    if (storage.store) await this.#record(storage.store, counts, { backup: Date.now() });
  }

  async keeping(): Promise<Keeping> {
    await this.#started;
    return { persistent: this.#persistent, ...this.#room, lost: this.lost, lastBackup: this.#witness?.backup ?? null };
  }

  /** Asks the browser not to remove the data when it needs room. Some browsers ask the person. */
  async persist(): Promise<boolean> {
    this.#asked = true;
    this.#stopListening();
    try {
      this.#persistent = await navigator.storage.persist();
    } catch {
      this.#persistent = null;
    }
    return this.#persistent === true;
  }

  async #measure(): Promise<void> {
    try {
      this.#persistent = await navigator.storage.persisted();
      const { usage, quota } = await navigator.storage.estimate();
      this.#room = { usage: usage ?? null, quota: quota ?? null };
    } catch {
      // This browser does not tell.
      return;
    }
    const { usage, quota } = this.#room;
    const nearlyFull = usage !== null && quota !== null && usage >= quota * NEARLY_FULL;
    if (nearlyFull && !this.#wasNearlyFull) this.tell({ type: "nearlyFull", usage, quota });
    this.#wasNearlyFull = nearlyFull;
  }

  /** Where the browser asks the person, a question out of nowhere is refused: it waits for their next key or click. */
  #askWhenItFits(): void {
    if (this.#closed) return;
    if (this.#persistent !== false) return;
    if (navigator.userActivation?.isActive) void this.persist();
    else for (const gesture of this.#gestures) globalThis.addEventListener(gesture, this.#onGesture, { once: true });
  }

  #stopListening(): void {
    for (const gesture of this.#gestures) globalThis.removeEventListener(gesture, this.#onGesture);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#stopListening();
  }
}
