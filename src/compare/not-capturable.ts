// Separates differences that polling cannot see from those that it should have seen. PURE.
import { looksAtTimes, type Polling } from '../domain/migration/polling.js';
import { splitRow, type Shape } from './comparison.js';

/** A settled difference: rows as canonical text; undefined = not there, null = there and undecodable. */
export interface Unequal {
  readonly expected: string | null | undefined;
  readonly actual: string | null | undefined;
}

/** True where the connector had no way to notice: deleted rows, rows without a time, rows changed without a new time or id. */
export function notCapturable(
  { mode, timestampColumns }: Polling,
  shape: Shape,
): (difference: Unequal) => boolean {
  const timesAt = timestampColumns.map((name) =>
    shape.columns.findIndex((column) => column.name === name),
  );
  const timeOf = (row: string): string | null => {
    const values = splitRow(row);
    return timesAt.map((at) => values[at] ?? null).find((value) => value !== null) ?? null;
  };
  const knowsTimes = looksAtTimes(mode) && !timesAt.includes(-1);
  return ({ expected, actual }) => {
    if (expected === undefined) return true; // deleted: a query returns no row that is gone
    if (expected === null || actual === null) return false; // undecodable says why itself
    if (actual === undefined) return knowsTimes && timeOf(expected) === null;
    if (mode === 'bulk') return false;
    return looksAtTimes(mode) ? knowsTimes && timeOf(expected) === timeOf(actual) : true;
  };
}
