/** The demo's own source files, and the tool with which Claude reads them. */
export const SAMPLES = ["inventory.js", "ledger.js", "likes.py", "retry.js", "schedule.js", "seats.py", "upload.py", "votes.py", "wallet.js"];

export const readSample = {
  name: "read_sample",
  description: "Reads one source file of this project, whole. Use it before you say anything about a file.",
  inputSchema: { type: "object", additionalProperties: false, required: ["name"], properties: { name: { type: "string", enum: SAMPLES } } },
  async run({ name }, { signal }) {
    if (!SAMPLES.includes(name)) throw new Error(`There is no file ${name}.`);
    const response = await fetch(`/samples/${name}`, { signal });
    if (!response.ok) throw new Error(`${name} could not be read: status ${response.status}.`);
    return response.text();
  },
};
