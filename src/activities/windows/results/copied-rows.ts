// Reads the rows of a query or of a sink's table with COPY in binary form, and passes on their
// hashes. If the sink's table has a type that differs from the query's, its rows are read as text.
import { describeQuery } from '../../../clients/postgres/catalog.js';
import type { SourceClient } from '../../../clients/postgres/connection.js';
import { copyRows } from '../../../clients/postgres/copy-stream.js';
import { canonRow, type CanonRow } from '../../../compare/binary-text.js';
import { splitRow, type Shape } from '../../../compare/row-comparison.js';
import { RowEncoder } from '../../../compare/enc/row.js';
import { TID_FIELD_BYTES } from '../../../compare/enc/row-place.js';
import { HashedRows, type TakeHashed } from '../../../compare/hashed-rows.js';
import { quoteIdent } from '../../../domain/migration/names.js';
import { readRows } from '../canonical-rows.js';
import { selectOf } from '../tables/select-statement.js';

/** The rows of a query have no ctid, but the encoders expect one. */
const NO_PLACE = `'(0,0)'::pg_catalog.tid`;
const HEARTBEAT_ROWS = 4096;

/**
 * Reads the rows of `from`, which is a table or a sub-query. Its columns MUST have the shape's
 * types. Returns the number of rows.
 */
export async function copyHashed(
  client: SourceClient,
  from: string,
  shape: Shape,
  heartbeat: () => void,
  take: TakeHashed,
): Promise<number> {
  const rows = new HashedRows(shape, take);
  let read = 0;
  await copyRows(client, selectOf(shape, from, NO_PLACE), { rowsPerSecond: 0 }, (bytes, at) => {
    read += 1;
    if (read % HEARTBEAT_ROWS === 0) heartbeat();
    return rows.add(bytes, at);
  });
  rows.flush();
  return read;
}

/** Takes the key and the hash of a sink's row. `canon` decodes the row. */
export type TakeSinkRow = (
  key: Int32Array,
  high: number,
  low: number,
  canon: () => CanonRow,
) => void;

/**
 * Reads the rows of a sink's table. If the type of a column differs from the query's type, all rows
 * are read as text, because the binary forms differ. Returns the number of rows.
 */
export async function copySink(
  client: SourceClient,
  from: string,
  shape: Shape,
  heartbeat: () => void,
  take: TakeSinkRow,
): Promise<number> {
  if (await hasTypesOf(client, from, shape))
    return copyHashed(client, from, shape, heartbeat, (key, high, low, row) =>
      take(key, high, low, () => canonRow(shape, row(), TID_FIELD_BYTES)),
    );
  const encoder = new RowEncoder(shape, { hashesKey: true });
  return readRows(client, from, shape, { rowsPerSecond: 0, heartbeat }, (keyText, text) => {
    const key = splitRow(keyText);
    const values = text === null ? null : splitRow(text);
    encoder.keyFromCanon(key);
    encoder.rowFromCanon(values);
    take(encoder.key, encoder.row[0]!, encoder.row[1]!, () => ({ key, values }));
  });
}

async function hasTypesOf(client: SourceClient, from: string, shape: Shape): Promise<boolean> {
  const names = shape.columns.map(({ name }) => quoteIdent(name)).join(', ');
  const described = await describeQuery(client, `SELECT ${names} FROM ${from}`);
  return shape.columns.every(({ type }, at) => type === described[at]?.type);
}
