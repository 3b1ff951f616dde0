// Tests which row of a change event in Avro the kernel takes.
import { expect, it } from 'vitest';
import { AvroRecords } from '../../../src/compare/avro/avro-records.js';
import { CHANGE_WORDS } from '../../../src/compare/enc/change.js';
import { RecordBatch } from '../../../src/compare/kernel/record-batch.js';
import { RegistryEncoding } from '../../../src/compare/kernel/record-encoding.js';
import { branch, framed, long, string } from '../../support/avro-bytes.js';
import { shapeOf } from '../../support/result-record.js';

const [KEY, EVENT] = [1, 2];
const SHAPE = shapeOf({ v: 'text' });

type Fields = Readonly<Record<string, unknown>>;
const record = (name: string, fields: Fields): object => ({
  type: 'record',
  name,
  fields: Object.entries(fields).map(([field, type]) => ({ name: field, type })),
});
const rowOf = (name: string): unknown => ['null', record(name, { id: 'long', v: 'string' })];
const row = (v: string): Buffer => branch(1, Buffer.concat([long(1), string(v)]));
const AROUND = { source: record('Source', { txId: 'long' }), op: 'string' };

/** Encodes an event with the fields `images`, which contain `rows`. Returns its change's words. */
function changeOf(images: Fields, rows: readonly Buffer[], byKernel: boolean): string {
  const encoding = new RegistryEncoding(SHAPE, new AvroRecords());
  const learner = byKernel ? encoding : encoding.decoder;
  learner.learn(KEY, JSON.stringify(record('Key', { id: 'long' })));
  learner.learn(EVENT, JSON.stringify(record('Envelope', { ...images, ...AROUND })));
  encoding.decoder.keySchema = KEY;
  const key = framed(KEY, long(1));
  const bytes = Buffer.concat([key, framed(EVENT, ...rows, long(7), string('u'))]);
  const batch = new RecordBatch(SHAPE, encoding);
  batch.begin({ partition: 0, partitions: 1 }, bytes);
  batch.add(0, batch.response, 0, key.length, key.length, bytes.length);
  return batch.finish().words.subarray(0, CHANGE_WORDS).join();
}

it('the kernel takes the row `after`, even if the schema lists the row `before` last', () => {
  const usual = { before: rowOf('Before'), after: rowOf('After') };
  const turned = { after: rowOf('After'), before: rowOf('Before') };
  const [before, after] = [row('old'), row('new')];
  const expected = changeOf(usual, [before, after], false);
  expect(changeOf(usual, [before, after], true)).toBe(expected);
  expect(changeOf(turned, [after, before], false)).toBe(expected);
  expect(changeOf(turned, [after, before], true)).toBe(expected);
});
