// Reads ranges of timestamptz. A connector prints their bounds in the time zone of its Java
// process, and Sluice's sessions print them in UTC.
import { clockText, dayText, daysOf, isClock, isDay, LAST_YEAR } from '../calendar.js';
import { both, fail, type Codec } from './codec.js';

const RANGE = /^([[(])("[^"]*"|[^",]*),("[^"]*"|[^",]*)([\])])$/;
const INSTANT =
  /^(\d{4,6})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-])(\d\d)(?::(\d\d)(?::(\d\d))?)?( BC)?$/;
const DAYS_1970_TO_2000 = 10_957;
const SECONDS_PER_DAY = 86_400;

function inUtc(range: string): string {
  if (range === 'empty') return range;
  const match = RANGE.exec(range);
  if (!match) return fail('expected a range of timestamps');
  const [, open, from, to, close] = match;
  return `${open}${bound(from!)},${bound(to!)}${close}`;
}

/** Prints a bound in UTC, with 1 BC as the year 0. A missing bound is empty. */
function bound(written: string): string {
  const value = written.startsWith('"') ? written.slice(1, -1) : written;
  if (value === '' || value === 'infinity' || value === '-infinity') return value;
  const match = INSTANT.exec(value);
  if (!match) return fail('expected a timestamp with its offset from UTC');
  const part = (at: number): number => Number(match[at] ?? 0);
  const year = match[12] === undefined ? part(1) : 1 - part(1);
  const isReal =
    isDay(year, part(2), part(3), LAST_YEAR.timestamp + 1) &&
    isClock(part(4), part(5), part(6), true);
  if (!isReal || part(10) > 59 || part(11) > 59) return fail('no such timestamp');
  const offset = (part(9) * 60 + part(10)) * 60 + part(11);
  const seconds = (part(4) * 60 + part(5)) * 60 + part(6) + (match[8] === '-' ? offset : -offset);
  const days = Math.floor(seconds / SECONDS_PER_DAY);
  const micros =
    (seconds - days * SECONDS_PER_DAY) * 1_000_000 + Number((match[7] ?? '').padEnd(6, '0'));
  const day = daysOf(year, part(2), part(3)) + days - DAYS_1970_TO_2000;
  return `${dayText(day)} ${clockText(micros)}`;
}

export const utcRange: Codec = both(inUtc);
