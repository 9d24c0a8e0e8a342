// What is called saved is saved, also where the browser dies in the next moment. `make soak ROUNDS=n` does more of it.
import { test } from "node:test";
import { killRounds } from "./kill-rounds.mjs";

const N_ROUNDS = Number(process.env.ROUNDS ?? 20);
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 32);

test(`a browser killed ${N_ROUNDS} times while it writes loses nothing (SEED=${seed})`, { timeout: 60_000 + N_ROUNDS * 30_000 }, async (t) => {
  await killRounds(N_ROUNDS, seed, (line) => t.diagnostic(line));
});
