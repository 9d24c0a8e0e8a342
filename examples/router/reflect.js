const RULES =
  "You check an answer before a person relies on it. You get the question and the answer. Name what is wrong, unsupported or missing, in at most three short sentences. If nothing is, say: Nothing to add.";

/**
 * Lets every answer be checked once more, by another request: at least the question and the answer are paid again.
 *
 * `critic` is a memory of `preset: "stateless"`: nothing of the check is stored, and it is no part of the conversation, so that
 * memory never takes a model's doubts for something that was said. The check's own events come after the chat's, each marked with
 * `reflection: true`; its `usage` is what it cost.
 */
export async function* reflecting(critic, model, text, events) {
  let answer = "";
  for await (const event of events) {
    if (event.type === "text") answer += event.text;
    yield event;
  }
  if (!answer.trim()) return;
  const check = critic.chat({ model, instructions: RULES });
  for await (const event of check.send(`Question:\n${text}\n\nAnswer:\n${answer}`)) {
    if (event.type === "text" || event.type === "usage" || event.type === "notice") yield { ...event, reflection: true };
  }
}
