// Half an entry at the end of the log of a profile's database, as a browser leaves it that dies between two of its writes.
import { appendFile, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

// LevelDB's log: blocks of 32 KiB; an entry is a checksum (4 bytes), a length (2) and a type (1) before its bytes.
// Source: doc/log_format.md of LevelDB.
const BLOCK = 32_768;
const HEADER = 7;
/** An entry of 100 bytes of which 10 were written. */
const HALF = Buffer.from([1, 2, 3, 4, 100, 0, 1, ...Array(10).fill(7)]);

/** Adds half an entry. False if the browser has left one itself, or the block has no room for it: nothing is done then. */
export async function leaveHalfEntry(profile) {
  const databases = join(profile, "Default", "IndexedDB");
  const [ours] = (await readdir(databases)).filter((name) => name.endsWith(".leveldb"));
  const logs = (await readdir(join(databases, ours))).filter((name) => name.endsWith(".log"));
  const log = join(databases, ours, logs.sort().at(-1));
  const bytes = await readFile(log);
  if (!endsWhole(bytes) || BLOCK - (bytes.length % BLOCK) < HALF.length) return false;
  await appendFile(log, HALF);
  return true;
}

/** Whether the last entry of a log is all there. */
function endsWhole(bytes) {
  let at = 0;
  while (at < bytes.length) {
    const left = BLOCK - (at % BLOCK);
    if (left < HEADER) at += left;
    else if (at + HEADER > bytes.length) return false;
    else at += HEADER + bytes.readUInt16LE(at + 4);
  }
  return at === bytes.length;
}
