// Encryption as a page uses it: on, locked, unlocked in every way, off; and the audit beside it.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { World } from "./world.mjs";

let world;
let page;
before(async () => (world = await World.start({ standIn: true })));
after(() => world?.end());
beforeEach(async () => {
  await world.newProfile();
  page = await open();
});
afterEach(() => world.closeBrowser());

/** The page, with what these tests call in it. Passkeys need a name where the address is a number. */
async function open() {
  const page = await world.openPage();
  await page.goto(world.edge.url.replace("127.0.0.1", "localhost"));
  await page.locator("body[data-ready=true]").waitFor();
  await page.evaluate(() => {
    const Memory = globalThis.memory.constructor;
    globalThis.openOwn = (more = {}) => Memory.open({ database: "own", ...more });
    globalThis.codeOf = (promise) => promise.then(() => "ok", (error) => error.code ?? String(error));
    /** Waits until the encryption is in this state. */
    globalThis.until = async (memory, state) => {
      for (;;) {
        const changed = new Promise((resolve) => {
          const stop = memory.subscribe((event) => event.type === "encryption" && (stop(), resolve()));
        });
        if ((await memory.encryption.status()).state === state) return;
        await changed;
      }
    };
    const ended = (request) => new Promise((resolve, reject) => ((request.onsuccess = () => resolve(request.result)), (request.onerror = () => reject(request.error))));
    globalThis.ended = ended;
    /** All that is in the database; bytes as hexadecimal digits. */
    globalThis.dump = async (name = "own") => {
      const database = await ended(indexedDB.open(name));
      const found = {};
      for (const store of database.objectStoreNames) found[store] = await ended(database.transaction(store).objectStore(store).getAll());
      database.close();
      const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
      return JSON.stringify(found, (_, value) => (typeof value === "bigint" ? String(value) : value instanceof Uint8Array ? hex(value) : value));
    };
  });
  return page;
}

test("a raw dump of an encrypted memory holds no word and no vector, and every way in opens it again", async () => {
  const result = await page.evaluate(async () => {
    const memory = await openOwn();
    const turns = Array.from({ length: 300 }, (_, i) => ({ role: "user", text: `the canary ${i} sings in the boat house` }));
    await memory.remember(turns);
    const before = await dump();
    const [vector] = before.match(/"components":"[0-9a-f]{64}/) ?? [];
    const bytes = vector.slice(-40);
    const events = [];
    memory.subscribe((event) => event.type === "encryption" && events.push(event));
    const { recoveryCode } = await memory.encryption.enable({ passphrase: "correct horse" });
    await until(memory, "sealed");
    const sealed = await dump();
    const found = (await memory.recall("canary 17")).length;
    const progress = events.filter((event) => event.progress).map(({ progress }) => progress.done);
    memory.close();
    const again = await openOwn();
    const locked = {
      status: await again.encryption.status(),
      recall: await codeOf(again.recall("canary 17")),
      facts: await codeOf(again.facts.list()),
      remember: await codeOf(again.remember([{ role: "user", text: "x" }])),
      wrong: await codeOf(again.encryption.unlock({ passphrase: "wrong horse" })),
      mistyped: await codeOf(again.encryption.unlock({ recoveryCode: "7Q2M" })),
    };
    const intact = (await dump()) === sealed;
    await again.encryption.unlock({ recoveryCode: recoveryCode.toLowerCase() });
    const recovered = (await again.recall("canary 17")).length;
    await again.encryption.changePassphrase({ passphrase: "battery staple" });
    await again.encryption.lock();
    const old = await codeOf(again.encryption.unlock({ passphrase: "correct horse" }));
    const fresh = await codeOf(again.encryption.unlock({ passphrase: "battery staple" }));
    await again.encryption.disable();
    await until(again, "off");
    const plain = await dump();
    const audit = await again.audit.verify();
    again.close();
    const holds = (text) => [text.includes("canary"), text.includes(bytes)];
    return { before: holds(before), sealed: holds(sealed), plain: holds(plain), found, progress, locked, intact, recovered, old, fresh, audit, recoveryCode };
  });
  assert.deepEqual(result.before, [true, true], "they are looked for rightly");
  assert.deepEqual(result.sealed, [false, false]);
  assert.deepEqual(result.plain, [true, true]);
  assert.ok(result.found > 0 && result.recovered > 0);
  assert.ok(result.progress.length > 3 && result.progress.every((done, i, all) => i === 0 || done >= all[i - 1]), String(result.progress));
  const { status, ...calls } = result.locked;
  assert.deepEqual([status.state, status.locked], ["sealed", true]);
  assert.deepEqual(calls, { recall: "locked", facts: "locked", remember: "locked", wrong: "wrong_key", mistyped: "invalid_input" });
  assert.ok(result.intact, "a wrong key changes nothing");
  assert.deepEqual([result.old, result.fresh], ["wrong_key", "ok"]);
  assert.deepEqual(result.audit.broken, null);
  assert.match(result.recoveryCode, /^([0-9A-Z]{4}-){6}[0-9A-Z]{4}$/);
});

test("a locked memory chats on without memory, and what was said is written once it is unlocked", async () => {
  const result = await page.evaluate(async () => {
    const memory = await openOwn();
    await memory.remember([{ role: "user", text: "the boat house code is 4471" }]);
    // Not the number: four digits turn up among the hexadecimal digits of anything.
    const leaks = async () => (await dump()).includes("boat house");
    const open = await leaks();
    await memory.encryption.enable({ passphrase: "correct horse" });
    await until(memory, "sealed");
    await memory.encryption.lock();
    const chat = memory.chat();
    const say = async (text) => {
      const types = [];
      for await (const event of chat.send(text)) if (!["text", "thinking"].includes(event.type)) types.push(event.code ?? event.type);
      return types;
    };
    const locked = await say("what is the boat house code?");
    const sealed = await leaks();
    await memory.encryption.unlock({ passphrase: "correct horse" });
    const unlocked = await say("and now?");
    const turns = await memory.sessions.turns(chat.session);
    memory.close();
    return { locked, unlocked, turns: turns.length, leaks: { open, sealed } };
  });
  assert.equal(result.locked.filter((type) => type === "locked").length, 2);
  assert.ok(result.locked.includes("done") && !result.locked.includes("saved"));
  assert.ok(result.unlocked.includes("saved"));
  assert.equal(result.turns, 4);
  assert.deepEqual(result.leaks, { open: true, sealed: false });
});

test("other tabs become locked, and hear when it is over", async () => {
  const result = await page.evaluate(async () => {
    const [one, other] = [await openOwn(), await openOwn({ project: "another" })];
    await other.remember([{ role: "user", text: "the boat house code is 4471" }]);
    const heard = (locked) =>
      new Promise((resolve) => {
        const stop = other.subscribe((event) => event.type === "encryption" && event.locked === locked && (stop(), resolve()));
      });
    const isLocked = heard(true);
    await one.encryption.enable({ passphrase: "correct horse" });
    await isLocked;
    const locked = await codeOf(other.recall("boat house"));
    const isOpen = heard(false);
    await until(one, "sealed");
    await one.encryption.disable();
    await until(one, "off");
    await isOpen;
    // It was locked while the last pages were opened; the news of the end opens it.
    const found = (await other.recall("boat house")).length;
    one.close();
    other.close();
    return { locked, found };
  });
  assert.deepEqual(result, { locked: "locked", found: 1 });
});

test("a browser that is killed while everything is being encrypted goes on when it is unlocked", async () => {
  await page.evaluate(async () => {
    const memory = await openOwn();
    for (let session = 0; session < 4; session++) {
      await memory.remember(Array.from({ length: 500 }, (_, i) => ({ role: "user", text: `the canary ${session} ${i} sings` })));
    }
    // The first page of the conversion is done; the rest is cut off.
    const begun = new Promise((resolve) => memory.subscribe((event) => event.type === "encryption" && event.progress?.done > 0 && resolve()));
    await memory.encryption.enable({ passphrase: "correct horse" });
    await begun;
  });
  await world.closeBrowser();
  page = await open();
  const result = await page.evaluate(async () => {
    const memory = await openOwn();
    const before = await memory.encryption.status();
    await memory.encryption.unlock({ passphrase: "correct horse" });
    await until(memory, "sealed");
    const { counts, unreadable } = await memory.status();
    const holds = (await dump()).includes("canary");
    memory.close();
    return { locked: before.locked, turns: counts.turns, unreadable, holds };
  });
  assert.deepEqual(result, { locked: true, turns: 2000, unreadable: [], holds: false });
});

test("a passkey opens it where the browser has the function for it", async () => {
  const client = await page.context().newCDPSession(page);
  await client.send("WebAuthn.enable");
  await client.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true, hasUserVerification: true, hasPrf: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  const result = await page.evaluate(async () => {
    const memory = await openOwn();
    await memory.remember([{ role: "user", text: "the boat house code is 4471" }]);
    await memory.encryption.enable({ passphrase: "correct horse" });
    await until(memory, "sealed");
    const none = await codeOf(memory.encryption.unlock({ passkey: true }));
    await memory.encryption.addPasskey({ name: "Ada" });
    const { passkeys } = await memory.encryption.status();
    memory.close();
    const again = await openOwn();
    const locked = await codeOf(again.recall("boat house"));
    await again.encryption.unlock({ passkey: true });
    const found = (await again.recall("boat house")).length;
    again.close();
    return { none, passkeys: passkeys.length, locked, found };
  });
  assert.deepEqual(result, { none: "passkey_unavailable", passkeys: 1, locked: "locked", found: 1 });
});

test("the audit tells what was changed and sent, verifies in one call, and shows tampering", async () => {
  const result = await page.evaluate(async () => {
    const memory = await openOwn();
    await memory.remember([{ role: "user", text: "the boat house code is 4471" }]);
    for await (const _ of memory.chat().send("what is the boat house code?"));
    const entries = await memory.audit.list();
    const [page] = await memory.audit.list({ after: 1, limit: 1 });
    const text = await memory.audit.export();
    const whole = await memory.audit.verify();
    const database = await ended(indexedDB.open("own"));
    const store = database.transaction("audit", "readwrite").objectStore("audit");
    const entry = await ended(store.get(["me", "default", 2]));
    entry.content = entry.content.replace("action", "notion");
    await ended(store.put(entry, ["me", "default", 2]));
    database.close();
    const broken = await memory.audit.verify();
    memory.close();
    return { entries, page, text, whole, broken };
  });
  // Facts are read out in the background, before or after the chat.
  assert.equal(result.entries[0].action, "remember");
  assert.deepEqual(result.entries.map(({ number }) => number), result.entries.map((_, i) => i + 1));
  assert.deepEqual(result.page, result.entries[1]);
  // The last conversation is in the snapshot, so it goes with every request of the new one.
  const [shown] = result.entries.find(({ action }) => action === "chat").surfaced;
  assert.match(shown.request, /^session:/);
  assert.match(shown.record, /^turn:.*\.00000000$/);
  assert.equal(result.whole.broken, null);
  assert.deepEqual(result.broken.broken, { number: 2, fault: "wrong_content" });
  const lines = result.text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines[0], { type: "onhand-audit", version: 1, user: "me", project: "default" });
  assert.equal(lines.length, result.whole.entries + 1);
  // Not the number: four digits turn up among the hexadecimal digits of anything.
  assert.doesNotMatch(result.text, /boat|salt/);
});
