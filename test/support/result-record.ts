// Reads one record of a result as a window does: through the decoder of its format, and then
// through the reader of results.
import { OutputReader, type OutputRecord } from '../../src/compare/output-reader.js';
import type { RecordDecoder } from '../../src/compare/record-decoder.js';
import type { Shape } from '../../src/compare/row-comparison.js';
import { textsOf } from './avro-rewritten.js';

/** Returns a shape whose key is the column `id`. */
export const shapeOf = (columns: Readonly<Record<string, string>>): Shape => ({
  key: ['id'],
  columns: [
    { name: 'id', type: 'int8' },
    ...Object.entries(columns).map(([name, type]) => ({ name, type })),
  ],
});

/** Returns the texts into which the decoder rewrites a record. */
export function rewritten(
  records: RecordDecoder,
  schemas: Readonly<Record<number, string>>,
  key: Buffer,
  value: Buffer | null,
): { key: string; value: string | null } {
  for (const [id, text] of Object.entries(schemas)) records.learn(Number(id), text);
  records.begin({ partition: 0, partitions: 0 });
  const both = Buffer.concat([key, value ?? Buffer.alloc(0)]);
  records.add(0, both, 0, key.length, value === null ? -1 : key.length, both.length);
  const [written] = textsOf(records);
  return { key: written!.key!, value: written!.value };
}

/** Reads one record. Throws an error if the record is refused. */
export function readRecord(
  shape: Shape,
  records: RecordDecoder,
  schemas: Readonly<Record<number, string>>,
  key: Buffer,
  value: Buffer | null,
): OutputRecord {
  const texts = rewritten(records, schemas, key, value);
  return new OutputReader(shape).read(
    Buffer.from(texts.key),
    texts.value === null ? null : Buffer.from(texts.value),
  );
}
