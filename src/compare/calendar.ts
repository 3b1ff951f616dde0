// Validates dates and times of day, and converts all spellings of one date or time to a single one.
// Postgres and Debezium spell the same day differently: `0044-03-15 BC` and `-0043-03-15Z`,
// `10000-01-01` and `+10000-01-01Z`. Here, years are astronomical: 1 BC is 0, 44 BC is -43.

/** The last year of a Postgres date, and of a Postgres timestamp. */
export const LAST_YEAR = { date: 5_874_897, timestamp: 294_276 } as const;
export const FIRST_YEAR = -4712;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

export function isDay(year: number, month: number, day: number, lastYear: number): boolean {
  if (month < 1 || month > 12 || day < 1 || year > lastYear || year < FIRST_YEAR) return false;
  return day <= DAYS[month - 1]! || (month === 2 && day === 29 && isLeap(year));
}

/** Returns whether the time exists. Postgres has the time `24:00:00`, but never in a timestamp. */
export function isClock(
  hours: number,
  minutes: number,
  seconds: number,
  isTimestamp: boolean,
): boolean {
  if (hours === 24) return !isTimestamp && minutes === 0 && seconds === 0;
  return hours < 24 && minutes < 60 && seconds < 60;
}

export const MICROSECOND_DIGITS = 6;
const DATE = /^([+-]?)(\d{4,7})-(\d\d)-(\d\d)/;
const CLOCK = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?/;

export interface Read {
  /** The date or time in its single spelling. */
  readonly text: string;
  readonly length: number;
}

/**
 * Reads the date at the beginning of `value`. `isBC` is true if `value` ends with BC. Returns null
 * if there is no valid date.
 */
export function readDate(value: string, isBC: boolean, lastYear: number): Read | null {
  const match = DATE.exec(value);
  if (!match || (isBC && match[1] !== '')) return null;
  const written = Number(match[2]);
  const year = isBC ? 1 - written : match[1] === '-' ? -written : written;
  if (!isDay(year, Number(match[3]), Number(match[4]), lastYear)) return null;
  const digits = String(Math.abs(year)).padStart(4, '0');
  return {
    text: `${year < 0 ? '-' : ''}${digits}-${match[3]}-${match[4]}`,
    length: match[0].length,
  };
}

/**
 * Reads the time of day at the beginning of `value`. Returns null if it is missing, invalid, or
 * finer than microseconds.
 */
export function readClock(value: string, isTimestamp: boolean): Read | null {
  const match = CLOCK.exec(value);
  if (!match) return null;
  const [, hours, minutes, seconds = '00', fraction = ''] = match;
  const digits = withoutZeros(fraction);
  if (
    !isClock(Number(hours), Number(minutes), Number(seconds), isTimestamp) ||
    digits.length > MICROSECOND_DIGITS
  )
    return null;
  if (hours === '24' && digits !== '') return null;
  return {
    text: `${hours}:${minutes}:${seconds}${digits === '' ? '' : `.${digits}`}`,
    length: match[0].length,
  };
}

/** Removes zeros at the end in linear time. A regular expression could take quadratic time. */
export function withoutZeros(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits.charCodeAt(end - 1) === 0x30) end -= 1;
  return digits.slice(0, end);
}
