// Converts all spellings of a decimal to a single one.
import { withoutZeros } from './calendar.js';
import { Undecodable } from './undecodable.js';

/** The names that Postgres and Debezium write for values that a Java decimal cannot represent. */
const SPECIAL_DECIMALS: ReadonlyMap<string, string> = new Map([
  ['nan', 'NaN'],
  ['infinity', 'Infinity'],
  ['-infinity', '-Infinity'],
  ['positive_infinity', 'Infinity'],
  ['negative_infinity', '-Infinity'],
]);

/**
 * Returns one text for all spellings of a number, such as `1.10` and `1.1`, or `-0` and `0`. Throws
 * Undecodable if the text is not a decimal.
 */
export function canonicalDecimal(value: string): string {
  const match = /^(-?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?$/.exec(value);
  if (!match) {
    const special = SPECIAL_DECIMALS.get(value.toLowerCase());
    if (special === undefined) throw new Undecodable('expected a decimal');
    return special;
  }
  const [, sign = '', whole = '', fraction = '', exponent] = match;
  if (exponent !== undefined)
    return canonicalDecimal(shiftPoint(sign, whole, fraction, Number(exponent)));
  const [left, right] = [whole.replace(/^0+(?=\d)/, ''), withoutZeros(fraction)];
  const digits = right === '' ? left : `${left}.${right}`;
  return digits === '0' ? '0' : `${sign}${digits}`;
}

function shiftPoint(sign: string, whole: string, fraction: string, exponent: number): string {
  if (Math.abs(exponent) > 20_000) throw new Undecodable('exponent out of range');
  const digits = whole + fraction;
  const point = whole.length + exponent;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return `${sign}${digits}${'0'.repeat(point - digits.length)}`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
