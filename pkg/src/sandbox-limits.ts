import { SandboxError } from "./sandbox-error.js";

/** What one run may take. */
export interface SandboxLimits {
  /** Milliseconds of running, 1 to 60,000; loading does not count. Default 5,000: an answer of Claude waits for it. */
  timeMs: number;
  /** Bytes of memory, interpreter included, 20 MiB to 1 GiB. Default 80 MiB, of which the program has some 64. */
  memoryBytes: number;
  /** Characters of what is printed, and as many of the value, up to 1,000,000. Default 20,000: some 5,000 tokens. */
  outputCharacters: number;
}

const DEFAULTS: SandboxLimits = { timeMs: 5_000, memoryBytes: 80 << 20, outputCharacters: 20_000 };

/** QuickJS's build asks for 16 MiB before it runs anything. */
const RANGES: Record<keyof SandboxLimits, readonly [least: number, most: number]> = {
  timeMs: [1, 60_000],
  memoryBytes: [20 << 20, 1 << 30],
  outputCharacters: [1, 1_000_000],
};

/** All limits, checked. Throws {@link SandboxError}. */
export function withLimits(given: Partial<SandboxLimits> = {}): SandboxLimits {
  const limits = { ...DEFAULTS, ...given };
  for (const [name, [least, most]] of Object.entries(RANGES) as [keyof SandboxLimits, readonly [number, number]][]) {
    const limit = limits[name];
    if (!Number.isSafeInteger(limit) || limit < least || limit > most) {
      throw new SandboxError("invalid_input", `\`limits.${name}\` is not valid: use a whole number from ${least} to ${most}.`);
    }
  }
  return limits;
}

/** The limits in words, for the model. */
export function describe({ timeMs, memoryBytes, outputCharacters }: SandboxLimits): string {
  return `${timeMs} ms, ${Math.floor(memoryBytes / (1 << 20))} MiB, ${outputCharacters} characters of output`;
}
