// Orders of a small shop. A sample for the review demo: it holds a mistake on purpose.

const LOW_STOCK = 5;

export class OutOfStock extends Error {
  constructor(item, wanted, left) {
    super(`Only ${left} of ${item} are left, ${wanted} were asked for.`);
    this.code = "out_of_stock";
  }
}

export class Inventory {
  constructor(store, payments, suppliers) {
    this.store = store;
    this.payments = payments;
    this.suppliers = suppliers;
  }

  async add(item, amount) {
    if (!Number.isInteger(amount) || amount < 1) throw new RangeError("amount must be a whole number above 0");
    await this.store.increment(`stock:${item}`, amount);
  }

  async order(customer, item, amount) {
    const left = await this.store.get(`stock:${item}`);
    if (left < amount) throw new OutOfStock(item, amount, left);
    const receipt = await this.payments.charge(customer, item, amount);
    await this.store.set(`stock:${item}`, left - amount);
    if (left - amount <= LOW_STOCK) await this.suppliers.notify(item);
    return receipt;
  }

  async report(items) {
    const lines = [];
    for (const item of items) {
      const left = await this.store.get(`stock:${item}`);
      lines.push({ item, left, low: left <= LOW_STOCK });
    }
    return lines.sort((a, b) => a.left - b.left);
  }
}
