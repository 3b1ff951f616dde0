// Computes how often a batch runs, from its schedule. A schedule is a cron expression of five
// fields, a name such as `@daily`, or a text such as `every 15m`.
import { DURATION_PATTERN, durationMs } from '../domain/values/duration.js';

const NAMED: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
};
const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
const DAYS = 'sun mon tue wed thu fri sat'.split(' ');
const LOOK_AHEAD_DAYS = 400;
const DAY_MS = 86_400_000;

/**
 * Returns the mean time between two runs in ms. Returns null if the text is not a schedule, or if
 * it matches no date.
 */
export function intervalMs(schedule: string): number | null {
  const text = schedule.trim().toLowerCase();
  const every = /^every\s+(\S+)$/.exec(text)?.[1];
  if (every !== undefined) return DURATION_PATTERN.test(every) ? durationMs(every) : null;
  const fields = (NAMED[text] ?? text).split(/\s+/);
  if (fields.length !== 5) return null;
  const [minutes, hours, days, months, weekdays] = [
    values(fields[0]!, 0, 59),
    values(fields[1]!, 0, 23),
    values(fields[2]!, 1, 31),
    values(fields[3]!, 1, 12, MONTHS, 1),
    values(fields[4]!, 0, 7, DAYS),
  ];
  if (!minutes || !hours || !days || !months || !weekdays) return null;
  const runsADay = minutes.size * hours.size;
  // Cron's rule: if both day and weekday are restricted, a date needs to match only one of them.
  // For cron, a field that begins with `*`, such as `*/2`, is not restricted.
  const either = !fields[2]!.startsWith('*') && !fields[4]!.startsWith('*');
  let runDays = 0;
  for (let day = 0; day < LOOK_AHEAD_DAYS; day += 1) {
    const date = new Date(Date.UTC(2026, 0, 1) + day * DAY_MS);
    const weekday = weekdays.has(date.getUTCDay()) || (date.getUTCDay() === 0 && weekdays.has(7));
    const inMonth = days.has(date.getUTCDate());
    if (months.has(date.getUTCMonth() + 1) && (either ? weekday || inMonth : weekday && inMonth))
      runDays += 1;
  }
  return runDays === 0 ? null : (LOOK_AHEAD_DAYS * DAY_MS) / (runDays * runsADay);
}

function values(
  field: string,
  low: number,
  high: number,
  words: readonly string[] = [],
  first = 0,
): Set<number> | null {
  const found = new Set<number>();
  for (const part of field.split(',')) {
    const match = /^(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:\/(\d+))?$/.exec(part);
    if (!match) return null;
    const number = (text: string): number =>
      words.includes(text) ? words.indexOf(text) + first : /^\d+$/.test(text) ? Number(text) : NaN;
    const step = match[3] === undefined ? 1 : Number(match[3]);
    const from = match[1] === '*' ? low : number(match[1]!);
    const to =
      match[2] !== undefined
        ? number(match[2])
        : match[1] === '*' || match[3] !== undefined
          ? high
          : from;
    if (!(from >= low && to <= high && from <= to && step >= 1)) return null;
    for (let value = from; value <= to; value += step) found.add(value);
  }
  return found;
}
