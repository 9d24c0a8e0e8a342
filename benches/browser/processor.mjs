// Processor time of a page's renderer process, from Linux's /proc. On a busy machine the wall clock charges a query for what other
// programs did in between; this does not.
import { readFileSync, readdirSync } from "node:fs";

/** Milliseconds that all threads of a process have run. Threads that ended are not in it. */
export function processorMs(pid) {
  let ns = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
    } catch {
      // The thread ended between the listing and the reading.
    }
  }
  return ns / 1e6;
}

/** Milliseconds that a process has run, with the threads that ended, in steps of 10 ms (Linux counts in hundredths of a second). */
export function coarseProcessorMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").pop().split(" ");
  // Fields 14 and 15 of proc(5), user and system time; the split starts at the third.
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

/** The renderer processes that descend from this process. */
export function renderers() {
  const parents = new Map();
  const found = [];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      // The name in brackets may hold anything, so fields are counted from its end.
      parents.set(Number(pid), Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").pop().split(" ")[1]));
      if (readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("--type=renderer")) found.push(Number(pid));
    } catch {
      // It ended meanwhile.
    }
  }
  return found.filter((pid) => {
    for (let at = pid; at; at = parents.get(at)) if (at === process.pid) return true;
    return false;
  });
}

/** Milliseconds that all processes below this one have run, in steps of 10 ms: the browser's own and its services too, where databases write. */
export function browserProcessorMs() {
  const parents = new Map();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      parents.set(Number(pid), Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").pop().split(" ")[1]));
    } catch {
      // It ended meanwhile.
    }
  }
  const isOurs = (pid) => {
    for (let at = parents.get(pid); at; at = parents.get(at)) if (at === process.pid) return true;
    return false;
  };
  let ms = 0;
  for (const pid of parents.keys()) {
    try {
      if (isOurs(pid)) ms += coarseProcessorMs(pid);
    } catch {
      // It ended meanwhile.
    }
  }
  return ms;
}

/** How often it is tried: a browser that has just started is busy elsewhere too. */
const TRIES = 8;

/** The process of a page: the one that runs while the page is kept busy. No interface of the browser tells it. */
export async function processOf(busy) {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const before = new Map(renderers().map((pid) => [pid, processorMs(pid)]));
    await busy();
    const ran = [...before].map(([pid, ms]) => [pid, processorMs(pid) - ms]).sort((a, b) => b[1] - a[1]);
    if (ran.length > 0 && (ran.length === 1 || ran[1][1] * 4 < ran[0][1])) return ran[0][0];
  }
  throw new Error("can not tell which process is the page's");
}
