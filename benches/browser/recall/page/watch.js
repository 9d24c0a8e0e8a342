/** How long the page's thread was held up: the longest gap of a 5 ms ticker, and the long tasks (over 50 ms) where the browser tells them. */
const TICK_MS = 5;

export function watchThread() {
  let last = performance.now();
  let gap = 0;
  const look = () => {
    const now = performance.now();
    gap = Math.max(gap, now - last - TICK_MS);
    last = now;
  };
  const ticker = setInterval(look, TICK_MS);
  const tasks = [];
  const canTell = PerformanceObserver.supportedEntryTypes.includes("longtask");
  const observer = canTell ? new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))) : undefined;
  observer?.observe({ entryTypes: ["longtask"] });
  return {
    end() {
      look();
      clearInterval(ticker);
      tasks.push(...(observer?.takeRecords() ?? []).map(({ duration }) => duration));
      observer?.disconnect();
      return { longestGapMs: gap, longTasks: canTell ? tasks.length : null, longestTaskMs: tasks.length > 0 ? Math.max(...tasks) : null };
    },
  };
}
