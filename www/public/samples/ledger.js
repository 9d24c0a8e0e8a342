// Bookings between accounts. A sample for the review demo: here the same steps are safe, under a lock.

/** One holder at a time for each key; the others wait in the order in which they came. */
export class Locks {
  #last = new Map();

  async hold(key, work) {
    const before = this.#last.get(key) ?? Promise.resolve();
    const run = before.then(work);
    const settled = run.then(() => {}, () => {});
    this.#last.set(key, settled);
    try {
      return await run;
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    }
  }
}

export class Ledger {
  constructor(store, journal) {
    this.store = store;
    this.journal = journal;
    this.locks = new Locks();
  }

  async book(account, amount, text) {
    return this.locks.hold(account, async () => {
      const balance = (await this.store.get(`balance:${account}`)) ?? 0;
      await this.journal.append({ account, amount, text, before: balance });
      await this.store.set(`balance:${account}`, balance + amount);
      return balance + amount;
    });
  }

  /** Says by how much a balance and the sum of its entries differ; 0 if the books are in order. */
  async audit(account) {
    const entries = await this.journal.of(account);
    const sum = entries.reduce((total, entry) => total + entry.amount, 0);
    return ((await this.store.get(`balance:${account}`)) ?? 0) - sum;
  }
}
