// Encodes dates and times in `enc-v1` (scratch.ts), as days since 1970 and microseconds of the day.
// The input is ISO text or Postgres' binary form.
import { LAST_YEAR, daysOf, isClock, isDay } from '../calendar.js';
import { Undecodable } from '../undecodable.js';
import { smallInt64 } from './number.js';
import { int32At } from '../../domain/values/bytes.js';
import type { Scratch } from './scratch.js';

const DAYS_1970_TO_2000 = 10957;
const MICROS_PER_DAY = 86_400_000_000;
const INFINITY_DAYS = 0x7fffffff;

const UNUSUAL_DATE = /^([+-]?\d{4,7})-(\d\d)-(\d\d)/;
const INFINITY_WORD = /^(-?)infinity$/;
/** The number of days that represents infinity. No date of Postgres has this number. */
const INFINITE = 2 * INFINITY_DAYS;

/** Returns the days since 1970 of the date at `start`. Sets `cursor.at` to the end of the date. */
function dateAt(b: Uint8Array, start: number, end: number, lastYear: number): number {
  if (end - start >= 10 && b[start + 4] === 0x2d && b[start + 7] === 0x2d) {
    cursor.at = start + 10;
    return checked(digits(b, start, 4), digits(b, start + 5, 2), digits(b, start + 8, 2), lastYear);
  }
  const match = UNUSUAL_DATE.exec(
    Buffer.from(b.buffer, b.byteOffset + start, Math.min(end - start, 20)).toString('latin1'),
  );
  if (!match) throw new Undecodable('expected an ISO date');
  cursor.at = start + match[0].length;
  return checked(Number(match[1]), Number(match[2]), Number(match[3]), lastYear);
}

function checked(year: number, month: number, day: number, lastYear: number): number {
  if (!isDay(year, month, day, lastYear)) throw new Undecodable('no such date');
  return daysOf(year, month, day);
}

function digits(b: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i += 1) {
    const digit = b[i]! - 0x30;
    if (!(digit >= 0 && digit <= 9)) throw new Undecodable('expected a digit');
    value = value * 10 + digit;
  }
  return value;
}

/**
 * Returns the microseconds of `10:00`, `10:00:00` or `10:00:00.123456`. Sets `cursor.at` to the end
 * of the time.
 */
function clockAt(b: Uint8Array, start: number, end: number, isTimestamp: boolean): number {
  if (end - start < 5 || b[start + 2] !== 0x3a) throw new Undecodable('expected a time of day');
  const [hours, minutes] = [digits(b, start, 2), digits(b, start + 3, 2)];
  let [seconds, fraction] = [0, 0];
  let at = start + 5;
  if (b[at] === 0x3a && at < end) {
    if (at + 3 > end) throw new Undecodable('expected seconds');
    seconds = digits(b, at + 1, 2);
    at += 3;
    if (b[at] === 0x2e && at < end) {
      const first = (at += 1);
      let scale = 100_000;
      for (; at < end && b[at]! >= 0x30 && b[at]! <= 0x39; at += 1) {
        if (scale < 1 && b[at] !== 0x30) throw new Undecodable('finer than microseconds');
        fraction += scale < 1 ? 0 : (b[at]! - 0x30) * scale;
        scale /= 10;
      }
      if (at === first) throw new Undecodable('expected a fraction of a second');
    }
  }
  if (!isClock(hours, minutes, seconds, isTimestamp) || (hours === 24 && fraction > 0))
    throw new Undecodable('no such time of day');
  cursor.at = at;
  return (hours * 3600 + minutes * 60 + seconds) * 1_000_000 + fraction;
}

const cursor = { at: 0 };

function ended(b: Uint8Array, end: number): void {
  if (cursor.at < end && b[cursor.at] === 0x5a) cursor.at += 1; // Z
  if (cursor.at !== end) throw new Undecodable('expected a date or time in UTC');
}

const restAt = (b: Uint8Array, start: number, end: number): string =>
  Buffer.prototype.latin1Slice.call(b, start, end);

/** Works like `ended`, and also accepts a zero offset: `+00`, `-00:00`. */
function endedInUtc(b: Uint8Array, end: number): void {
  if (
    cursor.at < end &&
    b[cursor.at] !== 0x5a &&
    /^[+-]00(?::?00)?$/.test(restAt(b, cursor.at, Math.min(end, cursor.at + 7)))
  )
    return;
  ended(b, end);
}

/** Returns 1 for `infinity`, -1 for `-infinity`, and 0 for any other text. */
function infinityAt(b: Uint8Array, start: number, end: number): number {
  if (end - start > 9 || (b[start] !== 0x69 && b[start] !== 0x2d)) return 0;
  const match = INFINITY_WORD.exec(restAt(b, start, end));
  return match ? (match[1] ? -1 : 1) : 0;
}

export function dateFromText(b: Uint8Array, start: number, end: number, out: Scratch): void {
  const infinity = infinityAt(b, start, end);
  if (infinity !== 0) return out.safeInteger(infinity * INFINITE);
  const days = dateAt(b, start, end, LAST_YEAR.date);
  ended(b, end);
  out.safeInteger(days);
}

export function dateFromBinary(b: Uint8Array, at: number, out: Scratch): void {
  const days = int32At(b, at);
  if (days === INFINITY_DAYS) out.safeInteger(INFINITE);
  else if (days === -INFINITY_DAYS - 1) out.safeInteger(-INFINITE);
  else out.safeInteger(days + DAYS_1970_TO_2000);
}

export function timeFromText(b: Uint8Array, start: number, end: number, out: Scratch): void {
  const micros = clockAt(b, start, end, false);
  ended(b, end);
  out.safeInteger(micros);
}

export function timeFromBinary(b: Uint8Array, at: number, out: Scratch): void {
  out.i64(int32At(b, at), int32At(b, at + 4));
}

export function instantFromText(b: Uint8Array, start: number, end: number, out: Scratch): void {
  const infinity = infinityAt(b, start, end);
  if (infinity !== 0) return infinite(infinity, out);
  const days = dateAt(b, start, end, LAST_YEAR.timestamp);
  if (b[cursor.at] !== 0x54 && b[cursor.at] !== 0x20)
    throw new Undecodable('expected a time after the date');
  const micros = clockAt(b, cursor.at + 1, end, true);
  endedInUtc(b, end);
  out.safeInteger(days);
  out.safeInteger(micros);
}

function infinite(sign: number, out: Scratch): void {
  out.safeInteger(sign * INFINITE);
  out.safeInteger(0);
}

/** Reads microseconds since 2000. Values that `smallInt64` cannot hold are read as a BigInt. */
export function instantFromBinary(b: Uint8Array, at: number, out: Scratch): void {
  const small = smallInt64(b, at);
  if (small !== null) {
    const days = Math.floor(small / MICROS_PER_DAY);
    out.safeInteger(days + DAYS_1970_TO_2000);
    out.safeInteger(small - days * MICROS_PER_DAY);
    return;
  }
  if (int32At(b, at) === INFINITY_DAYS && int32At(b, at + 4) === -1) return infinite(1, out);
  if (int32At(b, at) === -INFINITY_DAYS - 1 && int32At(b, at + 4) === 0) return infinite(-1, out);
  const micros = (BigInt(int32At(b, at)) << 32n) | BigInt(int32At(b, at + 4) >>> 0);
  const day = BigInt(MICROS_PER_DAY);
  const days = micros >= 0n ? micros / day : -((-micros + day - 1n) / day);
  out.safeInteger(Number(days) + DAYS_1970_TO_2000);
  out.safeInteger(Number(micros - days * day));
}
