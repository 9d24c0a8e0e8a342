/** Memory as a file: out of the engine and back, a step at a time. */
import { OnhandError } from "./errors.js";
import type { EngineHost } from "./host.js";
import type { ImportReport } from "./types.js";

export interface ExportOptions {
  /** Seals the file: only this opens it, on any device, and nothing else does. At least eight characters. */
  passphrase?: string;
  /** Records written so far, and how many there were at the beginning. */
  onProgress?: (progress: { done: number; total: number }) => void;
  /** Ends the stream with an error of code `cancelled`. */
  signal?: AbortSignal;
}

/** What can be imported: an export, a list, or a zip file of `/memories`. A `File` is a `Blob`. */
export type ImportSource = Blob | ReadableStream<Uint8Array> | ArrayBuffer | Uint8Array | string;

export interface ImportOptions {
  /** Writes nothing; the report says what would happen. */
  dryRun?: boolean;
  /** Of an export that was sealed. Without it the error's code is `passphrase_needed`, with another one `wrong_key`. */
  passphrase?: string;
  /** Bytes read so far, and of how many if that is known. */
  onProgress?: (progress: { done: number; total: number | null }) => void;
  /** Ends the import with an error of code `cancelled`. What was added stays; the same file adds the rest. */
  signal?: AbortSignal;
}

interface Page {
  bytes: Uint8Array;
  done: number;
  total: number;
}

/** Bytes of one step: small enough to leave room for everything else, large enough not to be slow. */
const STEP_BYTES = 64 * 1024;

/** An export as a stream of bytes. Nothing is read ahead of whoever reads it; `whole` is called after its end was read. */
export function exportStream(host: EngineHost, { passphrase, onProgress, signal }: ExportOptions, whole: () => Promise<void>): ReadableStream<Uint8Array> {
  let id: number | null = null;
  const next = async (): Promise<Page | null> => {
    if (id === null) ({ id } = await host.call<{ id: number }>({ type: "exportBegin", passphrase: passphrase ?? null }));
    return host.call<Page | null>({ type: "exportNext", id });
  };
  const end = async (): Promise<void> => {
    if (id !== null) await host.call({ type: "transferEnd", id });
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          if (signal?.aborted) throw cancelled();
          // A page of a sealed export may complete no chunk; whoever reads waits for the next one.
          for (let bytes: Uint8Array = new Uint8Array(); bytes.length === 0; ) {
            const page = await next();
            if (signal?.aborted) throw cancelled();
            if (page === null) {
              await end();
              await whole();
              return controller.close();
            }
            bytes = page.bytes;
            onProgress?.({ done: page.done, total: page.total });
            if (bytes.length > 0) controller.enqueue(bytes);
          }
        } catch (error) {
          await end().catch(() => {});
          controller.error(error);
        }
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
}

/** Reads a file into memory. */
export async function importFrom(host: EngineHost, source: ImportSource, options: ImportOptions): Promise<ImportReport> {
  const { dryRun = false, passphrase = null, onProgress, signal } = options;
  const { stream, total } = streamOf(source);
  const reader = stream.getReader();
  const check = (): void => {
    if (signal?.aborted) throw cancelled();
  };
  let id: number | null = null;
  try {
    check();
    ({ id } = await host.call<{ id: number }>({ type: "importBegin", dryRun, passphrase }));
    for (let done = 0; ; ) {
      const { value } = await reader.read();
      check();
      if (!value) break;
      for (let at = 0; at < value.length; at += STEP_BYTES) {
        const bytes = value.slice(at, at + STEP_BYTES);
        await host.call({ type: "importPush", id, bytes });
        check();
        done += bytes.length;
        onProgress?.({ done, total });
      }
    }
    return await host.call<ImportReport>({ type: "importFinish", id });
  } catch (error) {
    if (id !== null) await host.call({ type: "transferEnd", id }).catch(() => {});
    throw error;
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function streamOf(source: ImportSource): { stream: ReadableStream<Uint8Array>; total: number | null } {
  if (source instanceof ReadableStream) return { stream: source, total: null };
  const blob = source instanceof Blob ? source : new Blob([source as BlobPart]);
  return { stream: blob.stream() as ReadableStream<Uint8Array>, total: blob.size };
}

function cancelled(): OnhandError {
  return new OnhandError({ code: "cancelled", message: "Cancelled.", retryable: false });
}
