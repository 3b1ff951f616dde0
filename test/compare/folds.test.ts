// Tests the folds that keep the whole rows of a topic.
import { describe, expect, it } from 'vitest';
import { joinRow, type Shape } from '../../src/compare/row-comparison.js';
import { OutputFold } from '../../src/compare/output-fold.js';
import { OutputHashes } from '../../src/compare/output-hashes.js';
import { ROW, kindOf } from '../../src/compare/output-note.js';
import { TableFold } from '../../src/compare/table-fold.js';
import { parseSnapshot, type SnapshotVisibility } from '../../src/domain/values/position.js';
import { feed as feedRecord } from '../support/rows.js';

const SHAPE: Shape = {
  key: ['id'],
  columns: [
    { name: 'id', type: 'int8' },
    { name: 'v', type: 'text' },
  ],
};

const row = (id: number, v: string | null): string => joinRow([String(id), v]);

const feed = (fold: TableFold, value: Buffer, snapshot: SnapshotVisibility): void => {
  const id = /"id":(\d+)/.exec(value.toString())?.[1] ?? '1';
  feedRecord(fold, `{"id":${id}}`, value, snapshot);
};

const change = (op: string, id: number, v: string | null, txId: number): Buffer => {
  const image = { id, v };
  return Buffer.from(
    JSON.stringify({
      op,
      before: op === 'd' ? image : null,
      after: op === 'd' ? null : image,
      source: { txId },
    }),
  );
};

describe('a table fold', () => {
  it('contains the changes that its snapshot sees, and applies others once a later snapshot sees them', () => {
    const fold = new TableFold(SHAPE);
    const early = parseSnapshot('10:12:11');
    for (const [op, id, v, tx] of [
      ['r', 1, 'a', 5],
      ['u', 1, 'b', 9],
      ['u', 1, 'c', 11],
      ['c', 2, 'x', 12],
      ['c', 3, 'y', 10],
    ] as const)
      feed(fold, change(op, id, v, tx), early);
    expect([...fold.rows.values()].map((r) => r.row)).toEqual([row(1, 'b'), row(3, 'y')]);
    const late = parseSnapshot('20:20:');
    fold.applyOverlay(late);
    feed(fold, change('d', 3, 'y', 15), late);
    expect([...fold.rows.values()].map((r) => r.row)).toEqual([row(1, 'c'), row(2, 'x')]);
  });
  it('counts records it cannot read', () => {
    const fold = new TableFold(SHAPE);
    for (const bad of [
      'not json',
      '{}',
      '{"op":"t"}',
      '{"op":"u","after":{"id":1,"v":"a"},"source":{}}',
      '{"op":"c","after":{"v":"a"},"source":{"txId":1}}',
    ])
      feed(fold, Buffer.from(bad), parseSnapshot('9:9:'));
    expect(fold.unreadable).toBe(5);
    expect(fold.rows.size).toBe(0);
  });
});

describe('an output fold', () => {
  const shape: Shape = {
    key: ['day'],
    columns: [
      { name: 'day', type: 'date' },
      { name: 'n', type: 'int8' },
      { name: 'sum', type: 'numeric' },
    ],
  };
  const date = { type: 'int32', name: 'org.apache.kafka.connect.data.Date', field: 'day' };
  const decimal = {
    type: 'bytes',
    name: 'org.apache.kafka.connect.data.Decimal',
    parameters: { scale: '2' },
    field: 'sum',
  };
  const withSchema = (fields: object[], payload: object): Buffer =>
    Buffer.from(JSON.stringify({ schema: { type: 'struct', fields }, payload }));
  it('reads plain JSON and JSON with schema as the same row', () => {
    const plain = new OutputFold(shape);
    plain.add(Buffer.from('{"day":"2024-01-02"}'), Buffer.from('{"n":3,"sum":"12.50"}'));
    const schema = new OutputFold(shape);
    schema.add(
      withSchema([date], { day: 19724 }),
      withSchema([{ field: 'n', type: 'int64' }, decimal], {
        n: 3,
        sum: Buffer.from([0x04, 0xe2]).toString('base64'),
      }),
    );
    const valuesOf = ({ rows }: OutputFold): unknown[] =>
      [...rows].map(([key, { row }]) => [key, row]);
    expect(valuesOf(schema)).toEqual(valuesOf(plain));
  });
  it('treats a row that lacks a column as unknown, and removes a key at its tombstone', () => {
    const fold = new OutputFold(shape);
    fold.add(Buffer.from('{"day":"2024-01-02"}'), Buffer.from('{"n":3}'));
    expect([...fold.rows.values()][0]!.row).toBeNull();
    fold.add(Buffer.from('{"day":"2024-01-02"}'), null);
    expect(fold.rows.size).toBe(0);
  });
  it.each(['null', ' null ', '""', '7', '[]'])(
    'counts a row as unknown if its record has the value %s, which is no object and no tombstone',
    (value) => {
      const [key, row] = [Buffer.from('{"day":"2024-01-02"}'), Buffer.from('{"n":3,"sum":"1"}')];
      const [rows, hashes] = [new OutputFold(shape), new OutputHashes(shape)];
      for (const fold of [rows, hashes])
        for (const [at, record] of [row, Buffer.from(value)].entries()) fold.add(key, record, at);
      expect([...rows.rows.values()].map((of) => of.row)).toEqual([null]);
      const slot = hashes.table.find(hashes.add(key, Buffer.from(value), 2)!);
      expect(kindOf(hashes.table.note(slot, 0))).toBe(ROW.undecodable);
    },
  );
});
