// When jobs run. A sample for the review demo, without a mistake of the kind it looks for.

const DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MINUTE_MS = 60_000;

/** `"monday 09:30"`, `"daily 23:00"` or `"every 15 minutes"`. */
export function parse(text) {
  const every = /^every (\d{1,4}) minutes?$/.exec(text);
  if (every) return { kind: "every", minutes: Math.max(1, Number(every[1])) };
  const at = /^(daily|[a-z]+day) (\d{2}):(\d{2})$/.exec(text);
  if (!at || Number(at[2]) > 23 || Number(at[3]) > 59) throw new SyntaxError(`not a schedule: ${text}`);
  const day = at[1] === "daily" ? null : DAYS.indexOf(at[1]);
  if (day === -1) throw new SyntaxError(`not a day: ${at[1]}`);
  return { kind: "at", day, hour: Number(at[2]), minute: Number(at[3]) };
}

/** The first time after `from`, both in UTC milliseconds. */
export function next(schedule, from) {
  if (schedule.kind === "every") {
    const step = schedule.minutes * MINUTE_MS;
    return (Math.floor(from / step) + 1) * step;
  }
  const date = new Date(from);
  date.setUTCHours(schedule.hour, schedule.minute, 0, 0);
  while (date.getTime() <= from || (schedule.day !== null && date.getUTCDay() !== schedule.day)) {
    date.setUTCDate(date.getUTCDate() + 1);
  }
  return date.getTime();
}

/** The jobs that are due, the one that waits longest first. */
export function due(jobs, lastRuns, now) {
  const waiting = jobs.map((job) => ({ job, at: next(job.schedule, lastRuns.get(job.name) ?? 0) }));
  return waiting.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at).map(({ job }) => job);
}
