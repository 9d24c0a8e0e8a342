import { OnhandError } from "./errors.js";
import type { EvaluationQuestion } from "./types.js";

/** Questions as lines of JSON, the form that the engine reads. What has no JSON stays a line, so that it is reported by its number. */
export function linesOf(questions: string | readonly EvaluationQuestion[]): string {
  if (typeof questions === "string") return questions;
  if (!Array.isArray(questions)) {
    const message = "`questions` is not valid: expected a list of questions, or text with one JSON object per line";
    throw new OnhandError({ code: "invalid_input", message, retryable: false });
  }
  return questions.map(lineOf).join("\n");
}

function lineOf(question: unknown): string {
  try {
    return JSON.stringify(question) ?? "undefined";
  } catch {
    // It refers to itself, or holds a BigInt.
    return "unwritable";
  }
}
