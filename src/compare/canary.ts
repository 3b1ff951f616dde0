// Runs the canary, which tests the comparator itself. It corrupts a known number of compared rows
// in memory and adds one row. The comparator must report each of them.
import { Comparison, joinRow, splitRow, type Shape, type StreamRow } from './row-comparison.js';

export interface CanaryResult {
  readonly planted: number;
  readonly found: number;
}

/**
 * Runs the canary on at most eight rows of `sample`, which has decoded rows of this comparison
 * (key, row). If the sample is empty, one row is made up from the shape.
 */
export function runCanary(
  shape: Shape,
  sample: readonly (readonly [string, string])[],
): CanaryResult {
  const rows = sample.length > 0 ? sample.slice(0, 8) : [madeUpRow(shape)];
  const stream = new Map<string, StreamRow>(rows.map(([key, row]) => [key, { row, mark: 0 }]));
  let planted = 0;
  let at = 0;
  for (const [key, row] of rows) {
    const corruption = CORRUPTIONS[at++ % CORRUPTIONS.length]!;
    const damaged = corruption(shape, row);
    if (damaged === row) continue;
    planted += 1;
    if (damaged === null) stream.delete(key);
    else stream.set(key, { row: damaged, mark: 0 });
  }
  const extra = joinRow(shape.key.map(() => 'sluice-canary'));
  stream.set(extra, { row: rows[0]![1], mark: 0 });
  planted += 1;
  const comparison = new Comparison(shape, stream, 1);
  for (const [key, row] of rows) comparison.add(key, row);
  const { counts } = comparison.finish();
  return { planted, found: counts.missing + counts.extraneous + counts.mismatched };
}

/**
 * Returns a damaged copy of the row, or null to drop the row. Returns the row itself if it cannot
 * be damaged in this way.
 */
type Corruption = (shape: Shape, row: string) => string | null;

const CORRUPTIONS: readonly Corruption[] = [
  (shape, row) => changeLast(shape, row, (value) => `${value ?? ''}1`),
  () => null,
  (shape, row) => changeLast(shape, row, (value) => (value === null ? '' : null)),
  (_shape, row) => {
    const values = splitRow(row);
    const first = values.findIndex(
      (value, at) => at + 1 < values.length && value !== values[at + 1],
    );
    if (first < 0) return row;
    [values[first], values[first + 1]] = [values[first + 1]!, values[first]!];
    return joinRow(values);
  },
];

/**
 * Changes the last column that is compared exactly, because a change within a tolerance is not a
 * difference.
 */
function changeLast(
  shape: Shape,
  row: string,
  change: (value: string | null) => string | null,
): string {
  const values = splitRow(row);
  const at = shape.columns.findLastIndex((column) => column.toleranceAbs === undefined);
  if (at < 0) return row;
  values[at] = change(values[at] ?? null);
  return joinRow(values);
}

function madeUpRow(shape: Shape): [string, string] {
  return [
    joinRow(shape.key.map((_, at) => `key${at}`)),
    joinRow(shape.columns.map((_, at) => `value${at}`)),
  ];
}
