// Dates and times in `enc-v1`: days since 1970 and microseconds of the day, from ISO text and from Postgres' binary form. PURE.
import { Undecodable } from '../column-types.js';
import { smallInt64 } from './number.js';
import { int32At } from '../../domain/bytes.js';
import type { Scratch } from './scratch.js';

const DAYS_1970_TO_2000 = 10957;
const MICROS_PER_DAY = 86_400_000_000;
const INFINITY_DAYS = 0x7fffffff;

/** Proleptic Gregorian, as Postgres and ISO count: years before 1 are 0, -1 … */
function daysOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
}

const UNUSUAL_DATE = /^([+-]?\d{4,7})-(\d\d)-(\d\d)/;

/** Reads the date at `start`; `cursor.at` is then behind it. */
function dateAt(b: Uint8Array, start: number, end: number, cursor: { at: number }): number {
  if (end - start >= 10 && b[start + 4] === 0x2d && b[start + 7] === 0x2d) {
    cursor.at = start + 10;
    return checked(digits(b, start, 4), digits(b, start + 5, 2), digits(b, start + 8, 2));
  }
  const match = UNUSUAL_DATE.exec(Buffer.from(b.buffer, b.byteOffset + start, Math.min(end - start, 20)).toString('latin1'));
  if (!match) throw new Undecodable('expected an ISO date');
  cursor.at = start + match[0].length;
  return checked(Number(match[1]), Number(match[2]), Number(match[3]));
}

function checked(year: number, month: number, day: number): number {
  if (month < 1 || month > 12 || day < 1 || day > 31 || Math.abs(year) > 294_276) throw new Undecodable('no such date');
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

/** `10:00`, `10:00:00`, `10:00:00.123456` → microseconds of the day; `cursor.at` is then behind it. */
function clockAt(b: Uint8Array, start: number, end: number, cursor: { at: number }): number {
  if (end - start < 5 || b[start + 2] !== 0x3a) throw new Undecodable('expected a time of day');
  let micros = (digits(b, start, 2) * 60 + digits(b, start + 3, 2)) * 60_000_000;
  let at = start + 5;
  if (b[at] === 0x3a && at < end) {
    micros += digits(b, at + 1, 2) * 1_000_000;
    at += 3;
    if (b[at] === 0x2e && at < end) {
      let scale = 100_000;
      for (at += 1; at < end && b[at]! >= 0x30 && b[at]! <= 0x39; at += 1) {
        if (scale < 1) throw new Undecodable('finer than microseconds');
        micros += (b[at]! - 0x30) * scale;
        scale /= 10;
      }
    }
  }
  cursor.at = at;
  return micros;
}

const cursor = { at: 0 };

function ended(b: Uint8Array, end: number): void {
  if (cursor.at < end && b[cursor.at] === 0x5a) cursor.at += 1; // Z
  if (cursor.at !== end) throw new Undecodable('expected a date or time in UTC');
}

export function dateFromText(b: Uint8Array, start: number, end: number, out: Scratch): void {
  const days = dateAt(b, start, end, cursor);
  ended(b, end);
  out.safeInteger(days);
}

export function dateFromBinary(b: Uint8Array, at: number, out: Scratch): void {
  const days = int32At(b, at);
  out.safeInteger(days === INFINITY_DAYS || days === -INFINITY_DAYS - 1 ? days * 2 : days + DAYS_1970_TO_2000);
}

export function timeFromText(b: Uint8Array, start: number, end: number, out: Scratch): void {
  const micros = clockAt(b, start, end, cursor);
  ended(b, end);
  out.safeInteger(micros);
}

export function timeFromBinary(b: Uint8Array, at: number, out: Scratch): void {
  out.i64(int32At(b, at), int32At(b, at + 4));
}

export function instantFromText(b: Uint8Array, start: number, end: number, out: Scratch): void {
  const days = dateAt(b, start, end, cursor);
  if (b[cursor.at] !== 0x54 && b[cursor.at] !== 0x20) throw new Undecodable('expected a time after the date');
  const micros = clockAt(b, cursor.at + 1, end, cursor);
  ended(b, end);
  out.safeInteger(days);
  out.safeInteger(micros);
}

/** Microseconds since 2000, beyond what a double holds for years outside 1965 to 2034. */
export function instantFromBinary(b: Uint8Array, at: number, out: Scratch): void {
  const small = smallInt64(b, at);
  if (small !== null) {
    const days = Math.floor(small / MICROS_PER_DAY);
    out.safeInteger(days + DAYS_1970_TO_2000);
    out.safeInteger(small - days * MICROS_PER_DAY);
    return;
  }
  const micros = (BigInt(int32At(b, at)) << 32n) | BigInt(int32At(b, at + 4) >>> 0);
  const day = BigInt(MICROS_PER_DAY);
  const days = micros >= 0n ? micros / day : -((-micros + day - 1n) / day);
  out.safeInteger(Number(days) + DAYS_1970_TO_2000);
  out.safeInteger(Number(micros - days * day));
}
