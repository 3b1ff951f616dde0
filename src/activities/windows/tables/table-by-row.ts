// Compares a table with its topic row by row, as canonical text (one spelling for each value). This
// is slower than comparing hashes. It is used for tables with tolerances, because hashes cannot
// apply a tolerance.
import { runCanary } from '../../../compare/canary.js';
import { Comparison } from '../../../compare/row-comparison.js';
import type { TableFold } from '../../../compare/table-fold.js';
import { refuseDuplicates, type PassInput, type TablePass } from './table-by-hash.js';
import { refusedRecords } from './refused-records.js';
import { readRows } from '../canonical-rows.js';

/** Compares like `passByHash`. `mark` MUST be a number that no earlier pass over this fold used. */
export async function passByRow(
  input: PassInput,
  fold: TableFold,
  mark: number,
): Promise<TablePass> {
  const { reader, from, shape, rowsPerSecond, heartbeat } = input;
  const comparison = new Comparison(shape, fold.rows, mark);
  const sample: [string, string][] = [];
  await readRows(reader, from, shape, { rowsPerSecond, heartbeat }, (key, row) => {
    if (sample.length < 8 && row !== null) sample.push([key, row]);
    comparison.add(key, row);
  });
  refuseDuplicates(input, comparison.duplicates);
  const { counts, differences } = comparison.finish();
  const refused = await refusedRecords(input.kafka, input.topic, shape, fold);
  return {
    counts: { ...counts, unknown: counts.unknown + fold.unreadable },
    differences: [...differences, ...refused],
    rowsRead: comparison.rowsRead,
    canary: runCanary(shape, sample),
  };
}
