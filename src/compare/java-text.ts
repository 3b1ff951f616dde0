// Prints floats, times and intervals as Java and Debezium print them.
import { Undecodable } from './undecodable.js';

/**
 * Prints a float like Java, always with a point. An absolute value of at least 10^7, or of less
 * than 10^-3 and not zero, has an exponent. `value` is the number as Postgres prints it. `number`
 * is the same number, parsed and rounded to the precision of the column's type. It MUST be finite.
 */
export function javaFloat(value: string, number: number): string {
  if (number === 0) return Object.is(number, -0) ? '-0.0' : '0.0';
  // Java and Postgres print the fewest digits that give the same number. Java prints at least two.
  const shortest = Number(value);
  const size = Math.abs(shortest);
  if (size >= 1e-3 && size < 1e7)
    return Number.isInteger(shortest) ? `${shortest}.0` : String(shortest);
  const [mantissa, exponent] = shortest.toExponential().split('e') as [string, string];
  if (mantissa.includes('.')) return `${mantissa}E${Number(exponent)}`;
  const [two, its] = number.toExponential(1).split('e') as [string, string];
  return `${two}E${Number(its)}`;
}

export const trimmed = (clock: string): string =>
  clock.includes('.') ? clock.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '') : clock;

/**
 * The texts that Debezium writes for `infinity` and `-infinity`. They are dates and times near the
 * limits of what the JDBC driver can represent. For timestamptz, Debezium writes `infinity` itself.
 */
export const INFINITE_DATES: Readonly<Record<string, string>> = {
  infinity: '+5877611-06-21Z',
  '-infinity': '-5877611-06-22Z',
};
export const INFINITE_TIMES: Readonly<Record<string, string>> = {
  infinity: '+292278994-08-16T23:00:00Z',
  '-infinity': '-292275055-05-16T23:00:00Z',
};

/** Prints years like Java: `+10000`, and 44 BC as `-0043`. */
export function isoYear(value: string): string {
  if (hasUsualYear(value)) return value;
  const match = /^(\d{4,7})(-\d\d-\d\d.*?)( BC)?$/.exec(value);
  if (!match) throw new Undecodable(`date ${value}`);
  const year = match[3] ? 1 - Number(match[1]) : Number(match[1]);
  const sign = year < 0 ? '-' : year > 9999 ? '+' : '';
  return `${sign}${String(Math.abs(year)).padStart(4, '0')}${match[2]}`;
}

/**
 * Returns whether Java and Postgres print the year in the same way. This check is fast. An initial
 * load converts millions of dates, and almost all of them need no further step.
 */
const hasUsualYear = (value: string): boolean =>
  /^\d{4}-\d\d-\d\d/.test(value) && !value.endsWith('BC');

export const isoInstant = (value: string): string => `${trimmed(withoutZone(isoYear(value)))}Z`;

/** Prints a timestamp with a zone like Debezium, with a fraction of six digits. */
export function isoInstantOfZone(value: string): string {
  const [whole, fraction = ''] = withoutZone(isoYear(value)).split('.') as [string, string?];
  return `${whole}.${fraction.padEnd(6, '0')}Z`;
}

const withoutZone = (value: string): string =>
  value.replace(' ', 'T').replace(/[+-]00(?::?00)?$/, '');

/** Prints an interval like Debezium, with all six parts: `P1Y2M3DT4H5M6.789S`. */
export function javaInterval(value: string): string {
  const match =
    /^P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)W)?(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?\d+(?:\.\d+)?)S)?)?$/.exec(
      value,
    );
  if (!match) throw new Undecodable(`interval ${value}`);
  const days = Number(match[4] ?? 0) + 7 * Number(match[3] ?? 0);
  return `P${match[1] ?? 0}Y${match[2] ?? 0}M${days}DT${match[5] ?? 0}H${match[6] ?? 0}M${match[7] ?? 0}S`;
}
