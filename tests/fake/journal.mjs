// The journal: one entry per request outside `/__fake/`, in order of arrival, for assertions.

export class Journal {
  /** `{at, method, path, headers, body, status, outcome, violations}`; `outcome` is `pending` until it is known. */
  entries = [];
  #waiting = [];

  open(entry) {
    this.entries.push(entry);
    this.#notify();
    return entry;
  }

  close(entry, outcome, status = entry.status) {
    entry.outcome = outcome;
    entry.status = status;
    this.#notify();
  }

  clear() {
    this.entries.length = 0;
  }

  /** Resolves with the first entry that fits, now or later; for what happens after the client's call has returned. */
  until(fits) {
    return new Promise((resolve) => {
      this.#waiting.push({ fits, resolve });
      this.#notify();
    });
  }

  #notify() {
    this.#waiting = this.#waiting.filter(({ fits, resolve }) => {
      const found = this.entries.find((entry) => fits(entry));
      if (found) resolve(found);
      return !found;
    });
  }
}
