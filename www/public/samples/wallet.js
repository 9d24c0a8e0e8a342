// Credit that customers hold. A sample for the review demo: it holds a mistake on purpose.

export const CURRENCIES = new Map([
  ["EUR", 2],
  ["JPY", 0],
  ["KWD", 3],
]);

/** Money is kept in the smallest unit of its currency, so that nothing is ever rounded twice. */
export function parseAmount(text, currency) {
  const digits = CURRENCIES.get(currency);
  if (digits === undefined) throw new RangeError(`unknown currency ${currency}`);
  const match = /^(\d{1,9})(?:\.(\d+))?$/.exec(text.trim());
  if (!match) throw new RangeError("expected an amount such as 12.50");
  const [, whole, part = ""] = match;
  if (part.length > digits) throw new RangeError(`${currency} has ${digits} decimals`);
  return Number(whole + part.padEnd(digits, "0"));
}

export function formatAmount(amount, currency) {
  const digits = CURRENCIES.get(currency);
  const text = String(amount).padStart(digits + 1, "0");
  const at = text.length - digits;
  return digits === 0 ? `${text} ${currency}` : `${text.slice(0, at)}.${text.slice(at)} ${currency}`;
}

export class Wallet {
  constructor(store, risk) {
    this.store = store;
    this.risk = risk;
  }

  async credit(customer, amount) {
    await this.store.increment(`credit:${customer}`, amount);
  }

  async spend(customer, amount, purpose) {
    const credit = (await this.store.get(`credit:${customer}`)) ?? 0;
    if (credit < amount) return { ok: false, reason: "not_enough" };
    const verdict = await this.risk.check(customer, amount, purpose);
    if (verdict !== "fine") return { ok: false, reason: verdict };
    await this.store.set(`credit:${customer}`, credit - amount);
    return { ok: true, left: credit - amount };
  }
}
