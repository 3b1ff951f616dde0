// Summarizes differences by column: how many rows differ, and whether one rule explains all of
// them. For example, the stream's value is always 7 hours later than the batch's, or always NULL.
import type { Difference } from './window.js';

export interface ColumnSummary {
  readonly column: string;
  readonly rows: number;
  /** A rule that all differences follow, such as `stream = batch + 7 h`. Null if there is none. */
  readonly always: string | null;
}

/**
 * Returns a summary for each column that differs. The column with the most differences comes first.
 */
export function byColumn(differences: readonly Difference[]): ColumnSummary[] {
  const columns = new Map<string, Difference[]>();
  for (const difference of differences) {
    if (difference.column === null || difference.class === 'undecodable') continue;
    const list = columns.get(difference.column) ?? [];
    list.push(difference);
    columns.set(difference.column, list);
  }
  return [...columns]
    .map(([column, list]) => ({
      column,
      rows: list.length,
      always: list.length > 1 ? commonRule(list) : null,
    }))
    .sort((a, b) => b.rows - a.rows);
}

function commonRule(list: readonly Difference[]): string | null {
  if (list.every((d) => d.class === 'type')) return 'of a different type';
  if (list.every((d) => d.stream === null)) return 'stream is NULL';
  if (list.every((d) => d.batch === null)) return 'batch is NULL';
  const distances = list.map(({ batch, stream }) =>
    batch === null || stream === null ? null : distance(batch, stream),
  );
  const first = distances[0];
  if (first && distances.every((d) => d === first)) return `stream = batch ${first}`;
  const lowered = list.every(
    ({ batch, stream }) =>
      batch !== null &&
      stream !== null &&
      batch.trim().toLowerCase() === stream.trim().toLowerCase(),
  );
  return lowered ? 'equal except for case or spaces at the ends' : null;
}

/**
 * Returns the distance from the batch's value to the stream's, such as `+ 7 h` or `− 0.01`. Null if
 * the values are neither both numbers nor both times.
 */
function distance(batch: string, stream: string): string | null {
  const number = decimals(batch, stream);
  if (number !== null) return number;
  const [from, to] = [instant(batch), instant(stream)];
  if (from === null || to === null) return null;
  return `${to < from ? '−' : '+'} ${spoken(Math.abs(to - from))}`;
}

const DECIMAL = /^(-?)(\d{1,30})(?:\.(\d{1,30}))?$/;

function decimals(batch: string, stream: string): string | null {
  const [left, right] = [DECIMAL.exec(batch), DECIMAL.exec(stream)];
  if (!left || !right) return null;
  const scale = Math.max(left[3]?.length ?? 0, right[3]?.length ?? 0);
  const digits = (match: RegExpExecArray): bigint =>
    BigInt(`${match[1]}${match[2]}${(match[3] ?? '').padEnd(scale, '0')}`);
  const delta = digits(right) - digits(left);
  const text = (delta < 0n ? -delta : delta).toString().padStart(scale + 1, '0');
  return `${delta < 0n ? '−' : '+'} ${scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`}`;
}

const INSTANT = /^(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?$/;

/** Parses a date or timestamp to microseconds since 1970. Null if the text is neither. */
function instant(text: string): number | null {
  const match = INSTANT.exec(text);
  if (!match) return null;
  const [year, month, day, hour, minute, second] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0)) as [number, number, number, number, number, number];
  return (
    Date.UTC(year, month - 1, day, hour, minute, second) * 1000 +
    Number((match[7] ?? '').padEnd(6, '0'))
  );
}

const UNITS: readonly (readonly [name: string, micros: number])[] = [
  ['d', 86_400_000_000],
  ['h', 3_600_000_000],
  ['min', 60_000_000],
  ['s', 1_000_000],
];

/** Prints a duration in the largest unit that divides it. */
function spoken(micros: number): string {
  const unit = UNITS.find(([, size]) => micros >= size && micros % size === 0);
  return unit ? `${micros / unit[1]} ${unit[0]}` : `${micros / 1_000_000} s`;
}
