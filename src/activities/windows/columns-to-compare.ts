// Selects the columns of a comparison: all columns except those that the plan ignores by name. Key
// columns are always compared.
import type { Column } from '../../clients/postgres/catalog.js';
import type { ComparedColumn } from '../../compare/row-comparison.js';
import type { MigrationSpec } from '../../domain/migration/spec.js';

/**
 * Returns the columns to compare. `subject` is the table as the spec writes it, or null for the
 * result.
 */
export function columnsToCompare(
  { spec }: MigrationSpec,
  columns: readonly Column[],
  key: readonly string[],
  subject: string | null,
): ComparedColumn[] {
  const { ignore, tolerances } = spec.validation.compare;
  return columns
    .filter(
      (c) =>
        key.includes(c.name) ||
        !(ignore.includes(c.name) || (subject !== null && ignore.includes(`${subject}.${c.name}`))),
    )
    .map((c) => ({
      name: c.name,
      type: c.type,
      ...(tolerances[c.name] && !key.includes(c.name)
        ? { toleranceAbs: tolerances[c.name]!.abs }
        : {}),
    }));
}
