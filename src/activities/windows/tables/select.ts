// Builds the select list of a comparison, in the form that the encoders read.
import type { Shape } from '../../../compare/comparison.js';
import { encoderOf } from '../../../compare/enc/column.js';
import { quoteIdent } from '../../../domain/migration/names.js';

/** Returns the SELECT. The ctid is first, because it finds a row again within the snapshot. */
export function selectOf(shape: Shape, from: string, place = 'ctid'): string {
  const columns = shape.columns.map(
    (column) => `${quoteIdent(column.name)}${encoderOf(column.type).asText ? '::text' : ''}`,
  );
  return `SELECT ${place}, ${columns.join(', ')} FROM ${from}`;
}
