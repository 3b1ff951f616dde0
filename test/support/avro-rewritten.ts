// Lets the tested code rewrite Avro records as JSON, with the schemas that a test gives.
import { AvroRecords } from '../../src/compare/avro/avro-records.js';
import type { RecordDecoder } from '../../src/compare/record-decoder.js';
import { framed, long } from './avro-bytes.js';

/** The schema of a key. `rewrite` gives it the id 1. */
export const KEY = {
  type: 'record',
  name: 'Key',
  namespace: 'shop.public.orders',
  fields: [{ name: 'id', type: 'long' }],
};
export const keyOf = (id: number): Buffer => framed(1, long(id));

export interface Written {
  readonly key: string | null;
  readonly value: string | null;
}

/** Rewrites one record. `KEY` has the id 1, and `schemas` have the ids from 2. */
export function rewrite(
  schemas: readonly object[],
  key: Buffer | null,
  value: Buffer | null,
  place = { partition: 0, partitions: 0 },
): Written {
  const records = new AvroRecords();
  [KEY, ...schemas].forEach((schema, at) => records.learn(at + 1, JSON.stringify(schema)));
  records.begin(place);
  const both = Buffer.concat([key ?? Buffer.alloc(0), value ?? Buffer.alloc(0)]);
  const middle = key?.length ?? 0;
  records.add(0, both, key ? 0 : -1, middle, value ? middle : -1, both.length);
  return textsOf(records)[0]!;
}

/** Returns the records of the decoder's last batch as text. */
export function textsOf(records: RecordDecoder): Written[] {
  const found: Written[] = [];
  records.visit((_offset, b, keyStart, keyEnd, start, end) => {
    const text = (from: number, to: number): string | null =>
      from < 0 ? null : b.toString('utf8', from, to);
    found.push({ key: text(keyStart, keyEnd), value: text(start, end) });
  });
  return found;
}

/** Returns the schema of a row. */
export const row = (...fields: readonly (readonly [string, unknown])[]): object => ({
  type: 'record',
  name: 'Value',
  namespace: 'shop.public.orders',
  fields: fields.map(([name, type]) => ({ name, type })),
});
