// Validates dates and times of day, and converts all spellings of one date or time to a single one.
// Postgres and Debezium spell the same day differently: `0044-03-15 BC` and `-0043-03-15Z`,
// `10000-01-01` and `+10000-01-01Z`. Here, years are astronomical: 1 BC is 0, 44 BC is -43.
import { Undecodable } from './undecodable.js';

/** The last year of a Postgres date, and of a Postgres timestamp. */
export const LAST_YEAR = { date: 5_874_897, timestamp: 294_276 } as const;
/** The first day of a Postgres date: 24 November 4714 BC. */
const FIRST = { year: -4713, month: 11, day: 24 } as const;
const FIRST_DAY = -2_451_545; // counted from 2000-01-01
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

export function isDay(year: number, month: number, day: number, lastYear: number): boolean {
  if (month < 1 || month > 12 || day < 1 || year > lastYear || year < FIRST.year) return false;
  if (year === FIRST.year && (month < FIRST.month || (month === FIRST.month && day < FIRST.day)))
    return false;
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

/**
 * Counts days since 1970-01-01 in the proleptic Gregorian calendar, which Postgres and ISO 8601
 * also use. The years before year 1 are 0, -1 and so on.
 */
export function daysOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return (
    era * 146_097 +
    yearOfEra * 365 +
    Math.floor(yearOfEra / 4) -
    Math.floor(yearOfEra / 100) +
    dayOfYear -
    719_468
  );
}

const DAYS_0000_TO_2000 = 730_485;
const DAYS_PER_ERA = 146_097;

/**
 * Prints a day of the proleptic Gregorian calendar. `days` is counted from 2000-01-01. Throws
 * Undecodable for a day before FIRST_DAY.
 */
export function dayText(days: number): string {
  if (days < FIRST_DAY) throw new Undecodable('no such date');
  // counted from 0000-03-01, so that a leap day is the last day of a year
  const shifted = days + DAYS_0000_TO_2000 - 60;
  const era = Math.floor(shifted / DAYS_PER_ERA);
  const ofEra = shifted - era * DAYS_PER_ERA;
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) /
      365,
  );
  const ofYear =
    ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * ofYear + 2) / 153);
  const day = ofYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${year < 0 ? '-' : ''}${String(Math.abs(year)).padStart(4, '0')}-${two(month)}-${two(day)}`;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** Prints a time of day, without zeros at the end of its fraction. */
export function clockText(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000);
  const fraction = withoutZeros(String(micros - seconds * 1_000_000).padStart(6, '0'));
  const clock = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return fraction === '' ? clock : `${clock}.${fraction}`;
}
