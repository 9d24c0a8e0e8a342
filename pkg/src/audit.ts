import type { EngineHost } from "./host.js";
import type { AuditEntry, AuditReport } from "./types.js";

/** Entries asked for at a time. */
const PAGE = 500;

/** What was changed, and what went to Claude beside your own words: one chain of entries for each user and project. */
export class Audit {
  /** @internal Made by the memory. */
  constructor(
    private readonly host: EngineHost,
    private readonly owner: { user: string; project: string },
  ) {}

  /** Entries with a higher number than `after`, oldest first. */
  list({ after = 0, limit = PAGE }: { after?: number; limit?: number } = {}): Promise<AuditEntry[]> {
    return this.host.call({ type: "audit", after, limit });
  }

  /** Follows the whole chain and says where it breaks first, if it does. */
  verify(): Promise<AuditReport> {
    return this.host.call({ type: "verifyAudit" });
  }

  /**
   * All entries as JSON lines, after a line that says whose they are. There is no content in them: whoever gets the file can
   * check the chain (`docs/format.md`) and see what happened when to which record, and not what was said.
   */
  async export(): Promise<string> {
    const lines = [JSON.stringify({ type: "onhand-audit", version: 1, ...this.owner })];
    for (let after = 0; ; ) {
      const page = await this.list({ after });
      lines.push(...page.map((entry) => JSON.stringify(entry)));
      const last = page.at(-1);
      if (!last) return lines.join("\n") + "\n";
      after = last.number;
    }
  }
}
