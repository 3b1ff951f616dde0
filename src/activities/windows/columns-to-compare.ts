// Selects the columns of a comparison: all columns except those in `validation.compare.ignore`. Key
// columns are always compared.
import type { Column } from '../../clients/postgres/catalog.js';
import type { ComparedColumn } from '../../compare/row-comparison.js';
import { hasDistance } from '../../compare/tolerance.js';
import type { MigrationSpec } from '../../domain/migration/spec.js';

/**
 * Returns the columns to compare. `subject` is the name of a table as in the spec, the name of a
 * stage, `result`, or `query` (for `connector.query`). In the spec, `subject.column` means a column
 * of one subject. A name without a subject means the columns of that name in all subjects.
 */
export function columnsToCompare(
  { spec }: MigrationSpec,
  columns: readonly Column[],
  key: readonly string[],
  subject: string,
): ComparedColumn[] {
  const { ignore, tolerances } = spec.validation.compare;
  return columns
    .filter(
      ({ name }) =>
        key.includes(name) || !(ignore.includes(name) || ignore.includes(`${subject}.${name}`)),
    )
    .map(({ name, type }) => {
      const tolerance = tolerances[`${subject}.${name}`] ?? tolerances[name];
      const applies = tolerance !== undefined && !key.includes(name) && hasDistance(type);
      return { name, type, ...(applies ? { toleranceAbs: tolerance.abs } : {}) };
    });
}
