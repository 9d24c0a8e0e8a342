/** Runs one program and waits to be ended. */
import { startInterpreter } from "./sandbox-interpreter.js";
import type { FromSandbox, ToSandbox } from "./sandbox-protocol.js";
import { cut } from "./sandbox-text.js";

globalThis.addEventListener("message", ({ data }: MessageEvent<ToSandbox>) => void run(data));

const post = (message: FromSandbox): void => (globalThis as unknown as { postMessage(message: FromSandbox): void }).postMessage(message);

async function run({ quickjs, code, limits: { outputCharacters, ...limits } }: ToSandbox): Promise<void> {
  try {
    const interpreter = await startInterpreter(quickjs, { ...limits, lineCharacters: outputCharacters }, printer(outputCharacters));
    post({ type: "running" });
    const outcome = interpreter.run(code);
    if (outcome.outcome !== "finished" || outcome.value === null) return post({ type: "done", outcome });
    const value = cut(outcome.value, outputCharacters);
    if (value.length < outcome.value.length) post({ type: "cut" });
    post({ type: "done", outcome: { ...outcome, value } });
  } catch (error) {
    post({ type: "failed", reason: String(error) });
  }
}

/**
 * Tells the page each line as it is printed: a program that has to be ended from outside has still said what it said.
 * Lines that do not fit are not told, so that a program that prints without end does not keep the page busy.
 */
function printer(characters: number): (line: string) => void {
  let room = characters;
  let full = false;
  return (line) => {
    if (full) return;
    const text = cut(line, Math.max(room, 0));
    full = room < 0 || text.length < line.length;
    if (room >= 0) post({ type: "printed", text });
    if (full) post({ type: "cut" });
    // The line break takes one.
    room -= text.length + 1;
  };
}
