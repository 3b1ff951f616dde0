// Encodes dates and times as enc/time.ts does. It understands years of four digits, times with
// seconds or without, and Z or nothing at the end. The TypeScript reference (enc/) reads other
// forms.
import { writeI64 } from './number';

const DAYS_1970_TO_2000: i64 = 10957;
const MICROS_PER_DAY: i64 = 86_400_000_000;
const INFINITY_DAYS: i32 = 0x7fffffff;
const INFINITE: i64 = 2 * 0x7fffffff;
const DASH: u8 = 0x2d;
const COLON: u8 = 0x3a;
const DOT: u8 = 0x2e;
const ZULU: u8 = 0x5a;
const T: u8 = 0x54;
const SPACE: u8 = 0x20;
const DATE_LENGTH: usize = 10;
const UNCLEAR: i64 = i64.MIN_VALUE;
const MOST_FRACTION: usize = 6;

/** Returns the number that the two digits at `at` form. Returns 100 if one of them is no digit. */
function twoDigits(at: usize): u32 {
  const tens = <u32>load<u8>(at) - 0x30;
  const ones = <u32>load<u8>(at, 1) - 0x30;
  return tens > 9 || ones > 9 ? 100 : tens * 10 + ones;
}

/**
 * Returns the days from 1970 to the ISO date at `at`. Returns UNCLEAR if the reference must read
 * the date.
 */
function dateAt(at: usize, end: usize): i64 {
  if (end - at < DATE_LENGTH) return UNCLEAR;
  if (load<u8>(at, 4) != DASH || load<u8>(at, 7) != DASH) return UNCLEAR;
  const century = twoDigits(at);
  const rest = twoDigits(at + 2);
  const month = twoDigits(at + 5);
  const day = twoDigits(at + 8);
  if (century > 99 || rest > 99 || month < 1 || month > 12 || day < 1) return UNCLEAR;
  const year = <i32>(century * 100 + rest);
  if (day > daysIn(month, year)) return UNCLEAR;
  return daysOf(year, <i32>month, <i32>day);
}

function daysIn(month: u32, year: i32): u32 {
  if (month == 2) return isLeap(year) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

function isLeap(year: i32): bool {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

function daysOf(year: i32, month: i32, day: i32): i64 {
  const y = month <= 2 ? year - 1 : year;
  const era = (y >= 0 ? y : y - 399) / 400;
  const yearOfEra = y - era * 400;
  const dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
  return <i64>(era * 146_097 + dayOfEra - 719_468);
}

/**
 * Returns the microseconds of the time in `[start, end)`. The time may end with a Z. Returns
 * UNCLEAR if the reference must read the time.
 */
function clockAt(start: usize, end: usize): i64 {
  const last = end > start && load<u8>(end - 1) == ZULU ? end - 1 : end;
  const length = last - start;
  if (length < 5 || load<u8>(start, 2) != COLON) return UNCLEAR;
  const hours = twoDigits(start);
  const minutes = twoDigits(start + 3);
  let seconds: u32 = 0;
  let fraction: u32 = 0;
  if (length > 5) {
    if (length < 8 || load<u8>(start, 5) != COLON) return UNCLEAR;
    seconds = twoDigits(start + 6);
    if (length > 8) {
      if (load<u8>(start, 8) != DOT || length < 10) return UNCLEAR;
      if (length - 9 > MOST_FRACTION) return UNCLEAR;
      let scale: u32 = 100_000;
      for (let at = start + 9; at < last; at += 1) {
        const digit = <u32>load<u8>(at) - 0x30;
        if (digit > 9) return UNCLEAR;
        fraction += digit * scale;
        scale /= 10;
      }
    }
  }
  if (hours > 23 || minutes > 59 || seconds > 59) return UNCLEAR;
  return <i64>(hours * 3600 + minutes * 60 + seconds) * 1_000_000 + <i64>fraction;
}

export function dateFromText(start: usize, end: usize, out: usize): usize {
  const days = dateAt(start, end);
  if (days == UNCLEAR) return 0;
  const next = start + DATE_LENGTH;
  if (next != end && !(next + 1 == end && load<u8>(next) == ZULU)) return 0;
  return writeI64(out, days);
}

export function timeFromText(start: usize, end: usize, out: usize): usize {
  const micros = clockAt(start, end);
  return micros == UNCLEAR ? 0 : writeI64(out, micros);
}

export function instantFromText(start: usize, end: usize, out: usize): usize {
  const days = dateAt(start, end);
  if (days == UNCLEAR || end - start < DATE_LENGTH + 1) return 0;
  const between = load<u8>(start, 10);
  if (between != T && between != SPACE) return 0;
  const micros = clockAt(start + DATE_LENGTH + 1, end);
  return micros == UNCLEAR ? 0 : writeI64(writeI64(out, days), micros);
}

export function dateFromBinary(at: usize, out: usize): usize {
  const days = <i32>bswap<u32>(load<u32>(at));
  if (days == INFINITY_DAYS) return writeI64(out, INFINITE);
  if (days == i32.MIN_VALUE) return writeI64(out, -INFINITE);
  return writeI64(out, <i64>days + DAYS_1970_TO_2000);
}

/** Reads microseconds since 2000. */
export function instantFromBinary(at: usize, out: usize): usize {
  const micros = <i64>bswap<u64>(load<u64>(at));
  if (micros == i64.MAX_VALUE) return writeI64(writeI64(out, INFINITE), 0);
  if (micros == i64.MIN_VALUE) return writeI64(writeI64(out, -INFINITE), 0);
  let days = micros / MICROS_PER_DAY;
  let rest = micros - days * MICROS_PER_DAY;
  if (rest < 0) {
    days -= 1;
    rest += MICROS_PER_DAY;
  }
  return writeI64(writeI64(out, days + DAYS_1970_TO_2000), rest);
}
