// Says which parts of the data a spec leaves out of every comparison.
import type { MigrationSpec } from '../migration/spec.js';

/** Returns a sentence for each column that is not compared, or that may differ. */
export const leftOutOf = ({
  spec: {
    validation: { compare },
  },
}: MigrationSpec): string[] => [
  ...compare.ignore.map((column) => `${column} is not compared`),
  ...Object.entries(compare.tolerances).map(
    ([column, { abs }]) => `${column} may differ by ${abs}`,
  ),
];
