// Runs the canary of a result's comparison. In memory, it corrupts rows of this window on the
// stream's side, and adds one row. The comparison must report exactly these faults.
import type { CanaryResult } from './canary.js';
import type { Shape } from './row-comparison.js';
import { KeyTable } from './enc/key-table.js';
import { RowEncoder } from './enc/row.js';
import { plantFaults } from './hash-comparison.js';
import { HashedRows } from './hashed-rows.js';
import { ResultComparison } from './result-comparison.js';

/** `rows` are rows of this window's query that can be decoded, each with a ctid field. */
export function runResultCanary(shape: Shape, rows: readonly Uint8Array[]): CanaryResult {
  const encoder = new RowEncoder(shape, { hashesKey: true });
  const table = new KeyTable(encoder.keyWords, 0, true);
  const planted = plantFaults(shape, rows, encoder, table);
  const comparison = new ResultComparison(table);
  const hashed = new HashedRows(shape, comparison.judge.bind(comparison));
  for (const row of rows) hashed.add(row, 0);
  hashed.flush();
  const { missing, mismatched, unknown, extraneous } = comparison.finish().found;
  return { planted, found: missing + mismatched + unknown + extraneous };
}
