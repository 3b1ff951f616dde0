// Divides a table into ranges of blocks, and selects their rows by ctid.

/** The blocks `[from, to)` of a table. If `to` is null, the range has no upper bound. */
export interface Blocks {
  readonly from: number;
  readonly to: number | null;
}

/** Returns the SQL condition that selects the rows in these blocks. */
export const inBlocks = ({ from, to }: Blocks): string =>
  `ctid >= '(${from},0)'::tid${to === null ? '' : ` AND ctid < '(${to},0)'::tid`}`;

/**
 * Divides a range of blocks into ranges of `size` blocks. `blocks` is the size of the table. If the
 * range has no upper bound, its last part has none either, because the table may have grown.
 */
export function dividedBlocks({ from, to }: Blocks, blocks: number, size: number): Blocks[] {
  const count = Math.max(1, Math.ceil(((to ?? blocks) - from) / size));
  return Array.from({ length: count }, (_, at) => ({
    from: from + at * size,
    to: at === count - 1 ? to : from + (at + 1) * size,
  }));
}

/** Returns SQL conditions that divide a table of `blocks` blocks into ranges of `size` blocks. */
export const blockRanges = (blocks: number, size: number): string[] =>
  dividedBlocks({ from: 0, to: null }, blocks, size).map(inBlocks);
