// Builds the SELECT of a comparison. Its columns have the form that the encoders read.
import type { Shape } from '../../../compare/row-comparison.js';
import { encoderOf } from '../../../compare/enc/column.js';
import { quoteIdent } from '../../../domain/migration/names.js';

/**
 * Returns the SELECT. `place` names its first columns. The default is the ctid, by which a row can
 * be found again in the same snapshot.
 */
export function selectOf(shape: Shape, from: string, place = 'ctid'): string {
  const columns = shape.columns.map(({ name, type }) =>
    encoderOf(type).asText ? asPrinted(quoteIdent(name)) : quoteIdent(name),
  );
  return `SELECT ${place}, ${columns.join(', ')} FROM ${from}`;
}

/**
 * Returns SQL for the text that Postgres prints for the column. A cast to text does not always give
 * the same text. For example, the cast adds `/32` to an address, and keeps the encoding of an XML
 * document.
 */
const asPrinted = (column: string): string =>
  `CASE WHEN pg_catalog.num_nulls(${column}) = 0 THEN pg_catalog.format('%s', ${column}) END`;
