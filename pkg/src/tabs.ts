/** Other tabs of the same memory: who runs the queue, and who hears of a commit. */

/** Runs `work` in one tab at a time. The browser frees the lock when a tab dies. */
export async function inOneTab(name: string, work: () => Promise<void>): Promise<void> {
  // Missing outside secure contexts; then there is no way to ask the other tabs.
  if (!navigator.locks) return work();
  await navigator.locks.request(name, work);
}

/** Tells the other tabs of commits and hears of theirs. */
export class CommitChannel {
  readonly #channel: BroadcastChannel;

  constructor(name: string, heard: (kinds: string[]) => void) {
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data }: MessageEvent<{ kinds: string[] }>) => heard(data.kinds);
  }

  tell(kinds: string[]): void {
    this.#channel.postMessage({ kinds });
  }

  close(): void {
    this.#channel.close();
  }
}
