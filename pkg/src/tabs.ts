/** Other tabs of the same memory: who runs the queue, and who hears of a commit. */

/** Runs `work` in one tab at a time. The browser frees the lock when a tab dies. */
export async function inOneTab<T>(name: string, work: () => Promise<T>): Promise<T> {
  // Missing outside secure contexts; then there is no way to ask the other tabs.
  if (!navigator.locks) return work();
  return (await navigator.locks.request(name, work)) as T;
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
