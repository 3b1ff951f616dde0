// Distinguishes changes that polling cannot see from changes that polling should have seen.
import { looksAtTimes, type Polling } from '../domain/capture/polling-settings.js';
import { splitRow, type Shape } from './row-comparison.js';

/**
 * A settled difference. Its rows are canonical text; undefined means absent, and null means
 * undecodable.
 */
export interface Unequal {
  readonly expected: string | null | undefined;
  readonly actual: string | null | undefined;
}

/**
 * Returns a predicate for differences that may come from changes that the connector cannot detect.
 * These are deleted rows, rows without a time, and rows that changed without a new time or id.
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
    // the row was deleted, and a query does not return deleted rows
    if (expected === undefined) return true;
    // an undecodable row is reported with its own reason
    if (expected === null || actual === null) return false;
    if (actual === undefined) return knowsTimes && timeOf(expected) === null;
    if (mode === 'bulk') return false;
    return looksAtTimes(mode) ? knowsTimes && timeOf(expected) === timeOf(actual) : true;
  };
}
