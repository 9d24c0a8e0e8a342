import { breathe } from "./breath.js";
import type { EngineHost } from "./host.js";
import { askPasskey, createPasskey } from "./passkey.js";
import { Runner } from "./runner.js";
import type { EncryptionStatus } from "./types.js";

/** A page of sealing does not wait longer than this for other calls to end. */
const LONGEST_PAUSE_MS = 100;

type Ask = { type: string; [argument: string]: unknown };

/**
 * Encryption of what is stored on this device. It belongs to the database: memories of all its users and projects have one
 * passphrase. The key stays in this tab's engine; each tab is unlocked by itself, and again after a reload.
 */
export class Encryption {
  readonly #runner: Runner;
  readonly #channel: BroadcastChannel;

  /** @internal Made by the memory. `tell` hears of every change. */
  constructor(
    private readonly host: EngineHost,
    database: string,
    private readonly tell: (status: EncryptionStatus) => void,
  ) {
    const name = `onhand:${database}:encryption`;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = () => void this.#ask({ type: "lookAgain" }).then(tell, () => {});
    this.#runner = new Runner(name, (isClosed) => this.#convert(isClosed));
  }

  /** Whether stored data is encrypted, and whether this tab can read it. Answers while locked, too. */
  status(): Promise<EncryptionStatus> {
    return this.#ask({ type: "status" });
  }

  /**
   * Turns encryption on. What is written from now on is encrypted; what was there follows in the background, and after a crash
   * when the memory is unlocked next (`status().state` is `"sealing"` until it is done).
   *
   * Show the recovery code and let the person print it: it is kept nowhere, and without it a forgotten passphrase is the end of
   * the memory. Other tabs become locked.
   */
  async enable({ passphrase }: { passphrase: string }): Promise<{ recoveryCode: string }> {
    const enabled = await this.#ask<{ recoveryCode: string }>({ type: "enable", passphrase });
    await this.#changed();
    return enabled;
  }

  /** Opens the memory in this tab. A wrong secret changes nothing and throws `wrong_key`. */
  async unlock(secret: { passphrase: string } | { recoveryCode: string } | { passkey: true }): Promise<void> {
    const { passphrase = null, recoveryCode = null, passkey = false } = secret as Record<string, unknown>;
    const asked = passkey ? await askPasskey((await this.status()).passkeys) : undefined;
    this.tell(await this.#ask({ type: "unlock", passphrase, recoveryCode, secret: asked?.secret ?? null }));
    this.#runner.wake();
  }

  /**
   * Forgets the key and what was read, in this tab. Calls throw `locked` then. Conversations that are open in this tab go on,
   * without memory; what is said in them is written after the next `unlock`.
   */
  async lock(): Promise<void> {
    this.tell(await this.#ask({ type: "lock" }));
  }

  /** Another passphrase; the recovery code and passkeys stay as they are. Nothing is encrypted anew. */
  async changePassphrase({ passphrase }: { passphrase: string }): Promise<void> {
    await this.#ask({ type: "changePassphrase", passphrase });
    await this.#changed();
  }

  /**
   * Adds a passkey of this site as one more way in; the browser asks the person. Throws `passkey_unavailable` where the browser
   * or the passkey lacks the function that it takes (WebAuthn's `prf`).
   */
  async addPasskey({ name = "memory" }: { name?: string } = {}): Promise<void> {
    const passkey = await createPasskey(name);
    await this.#ask({ type: "addPasskey", ...passkey });
    await this.#changed();
  }

  /** Turns encryption off. What is written from now on is plain; the rest follows in the background. */
  async disable(): Promise<void> {
    await this.#ask({ type: "disable" });
    await this.#changed();
  }

  /** @internal */
  close(): void {
    this.#runner.close();
    this.#channel.close();
  }

  #ask<T = EncryptionStatus>(ask: Ask): Promise<T> {
    return this.host.call<T>({ type: "encryption", ask });
  }

  async #changed(): Promise<void> {
    this.#channel.postMessage(null);
    this.tell(await this.status());
    this.#runner.wake();
  }

  /** Brings what is stored into the new shape, in one tab, in steps that leave room for other calls. */
  async #convert(isClosed: () => boolean): Promise<null> {
    const isUnderWay = ({ state, locked }: EncryptionStatus): boolean => !locked && (state === "sealing" || state === "unsealing");
    let status = await this.#ask({ type: "lookAgain" });
    if (!isUnderWay(status)) return null;
    while (isUnderWay(status) && !isClosed()) {
      status = await this.#ask({ type: "step" });
      this.tell(status);
      await breathe();
      await this.host.idle(LONGEST_PAUSE_MS);
    }
    if (!isClosed()) this.#channel.postMessage(null);
    return null;
  }
}
