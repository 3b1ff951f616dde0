// Distinguishes changes that polling cannot see from changes that it should have seen. PURE.
import { looksAtTimes, type Polling } from '../domain/migration/polling.js';
import { splitRow, type Shape } from './comparison.js';

/**
 * A settled difference, with rows as canonical text. Undefined means absent, and null means
 * undecodable.
 */
export interface Unequal {
  readonly expected: string | null | undefined;
  readonly actual: string | null | undefined;
}

/**
 * Returns true if the connector could not notice: deleted rows, rows without a time, rows changed
 * without a new time or id.
 */
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
    if (expected === undefined) return true; // the row was deleted, and a query returns no deleted row
    if (expected === null || actual === null) return false; // an undecodable row has its own reason
    if (actual === undefined) return knowsTimes && timeOf(expected) === null;
    if (mode === 'bulk') return false;
    return looksAtTimes(mode) ? knowsTimes && timeOf(expected) === timeOf(actual) : true;
  };
}
