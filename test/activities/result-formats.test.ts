// Tests how a window reads a pipeline's result in Avro. It reads every record with the record's own
// schema, and gives a reason for each record that it cannot read.
import { describe, expect, it } from 'vitest';
import { FoldFiles } from '../../src/activities/windows/folds/fold-files.js';
import { FoldCache } from '../../src/activities/windows/folds/folds.js';
import { foldHashes, foldOutput } from '../../src/activities/windows/folds/fold-output.js';
import { readSuspects } from '../../src/activities/windows/results/exact/reread-suspects.js';
import { refusedOutput } from '../../src/activities/windows/tables/refused-records.js';
import type { SchemaRegistry } from '../../src/clients/http/schema-registry.js';
import { OutputFold } from '../../src/compare/output-fold.js';
import { OutputHashes } from '../../src/compare/output-hashes.js';
import { REFUSED } from '../../src/compare/refused.js';
import type { Shape } from '../../src/compare/row-comparison.js';
import { Problem } from '../../src/domain/failure.js';
import { aRef } from '../support/builders.js';
import { branch, bytes, framed, long, string } from '../support/avro-bytes.js';
import { clusterOf, type Message } from '../support/topic-in-memory.js';

const SHAPE: Shape = {
  key: ['day'],
  columns: [
    { name: 'day', type: 'date' },
    { name: 'source', type: 'text' },
    { name: 'op', type: 'text' },
    { name: 'revenue', type: 'numeric' },
  ],
};
const record = (name: string, fields: readonly (readonly [string, unknown])[]): object => ({
  type: 'record',
  name,
  namespace: 'shop',
  fields: fields.map(([field, type]) => ({ name: field, type })),
});
const DAY = { type: 'int', logicalType: 'date' };
const MONEY = { type: 'bytes', logicalType: 'decimal', precision: 20, scale: 2 };
const ROW: readonly (readonly [string, unknown])[] = [
  ['source', 'string'],
  ['op', ['null', 'string']],
  ['revenue', MONEY],
];
const SCHEMAS: Readonly<Record<number, object>> = {
  1: record('Key', [['day', DAY]]),
  2: record('Row', ROW),
  3: record('Row', [['region', 'string'], ...ROW].reverse() as typeof ROW),
  4: record('Row', ROW.slice(0, 2)),
  5: { ...record('Key', [['day', DAY]]), doc: 'of a later version' },
};
const known: SchemaRegistry['schema'] = (id) =>
  Promise.resolve(SCHEMAS[id] ? JSON.stringify(SCHEMAS[id]) : null);

const key = framed(1, long(20_454));
const [source, op, revenue] = [string('web'), branch(0), bytes(Buffer.from([0x04, 0xe2]))];
const right: Message = { key, value: framed(2, source, op, revenue) };
const evolved: Message = { key, value: framed(3, revenue, op, source, string('eu')) };
const RIGHT_ROW = '["2026-01-01","web",null,"12.5"]';

async function rowsOf(messages: readonly Message[]): Promise<OutputFold> {
  const fold = new OutputFold(SHAPE);
  const kafka = clusterOf([messages], known);
  await foldOutput({ kafka, topic: 't', format: 'avro', heartbeat: () => undefined }, fold);
  return fold;
}

describe('a result in Avro', () => {
  it('keeps all columns of its rows, even those that are named like the parts of a change event', async () => {
    expect([...(await rowsOf([right])).rows.values()].map(({ row }) => row)).toEqual([RIGHT_ROW]);
  });

  it('is read with the schema of each record, and a tombstone deletes the row', async () => {
    expect([...(await rowsOf([right, evolved])).rows.values()].map(({ row }) => row)).toEqual([
      RIGHT_ROW,
    ]);
    expect((await rowsOf([right, { key, value: null }])).rows.size).toBe(0);
  });

  it("has an unknown row, and never a schema's default, if a record lacks a column", async () => {
    const fold = await rowsOf([{ key, value: framed(4, source, op) }]);
    expect([...fold.rows.values()]).toMatchObject([
      { row: null, why: { class: 'undecodable', column: 'revenue' } },
    ]);
  });

  it('is read again by the next window if the registry lacked a schema, which may exist by then', async () => {
    const folds = new FoldCache(new FoldFiles(''), 2 ** 20);
    const ref = aRef();
    const window = async (schema: SchemaRegistry['schema']): Promise<OutputFold> => {
      folds.dropOld(ref, new Map());
      const fold = folds.output(ref, 't', SHAPE);
      const kafka = clusterOf([[right]], schema);
      await foldOutput({ kafka, topic: 't', format: 'avro', heartbeat: () => undefined }, fold);
      return fold;
    };
    const lost = await window((id, type) => (id === 2 ? Promise.resolve(null) : known(id, type)));
    expect([lost.unreadable, lost.rows.size]).toEqual([1, 0]);
    const restored = await window(known);
    expect([restored.unreadable, restored.rows.size]).toEqual([0, 1]);
    folds.dropOld(ref, new Map());
    expect(folds.output(ref, 't', SHAPE)).toBe(restored);
  });

  it.each([
    ['is JSON', { key, value: Buffer.from('{"revenue":"1"}') }, 'does not begin with a zero byte'],
    ['names a schema that does not exist', { key, value: framed(99, op) }, 'schema 99 is not in'],
    [
      'has a key that is JSON',
      { ...right, key: Buffer.from('{"day":1}') },
      'does not begin with a zero byte',
    ],
    ['is a tombstone with a key that is JSON', { key: Buffer.from('x'), value: null }, 'zero byte'],
  ])('counts a record as unreadable, with the reason, if it %s', async (_what, message, why) => {
    const fold = await rowsOf([message]);
    expect([fold.unreadable, fold.rows.size]).toEqual([1, 0]);
    expect(`${fold.refused[0]!.key} ${fold.refused[0]!.value}`).toContain(why);
  });

  it('refuses a record whose key has another schema, because Kafka treats its bytes as a different key', async () => {
    const laterKey = framed(5, long(20_454));
    const messages = [right, { ...right, key: laterKey }, { key: laterKey, value: null }];
    const fold = await rowsOf(messages);
    const why = [REFUSED.respelled, REFUSED.respelled];
    expect([fold.rows.size, fold.refused.map((one) => one.why)]).toEqual([1, why]);
    const hashes = new OutputHashes(SHAPE);
    const reading = { kafka: clusterOf([messages], known), topic: 't', format: 'avro' } as const;
    await foldHashes({ ...reading, heartbeat: () => undefined }, hashes);
    expect([hashes.table.size, hashes.refused.map((one) => one.why)]).toEqual([1, why]);
  });

  it('is not read if the registry does not answer', async () => {
    const away = (): Promise<never> => Promise.reject(new Problem('unreachable', 'away'));
    const kafka = clusterOf([[right]], away);
    const reading = { kafka, topic: 't', format: 'avro', heartbeat: () => undefined } as const;
    await expect(foldHashes(reading, new OutputHashes(SHAPE))).rejects.toMatchObject({
      code: 'unreachable',
    });
  });

  it('shows the values of a suspect and of a refused record, which are read a second time', async () => {
    const fold = new OutputHashes(SHAPE);
    const kafka = clusterOf([[right]], known);
    const reading = { kafka, topic: 't', format: 'avro', heartbeat: () => undefined } as const;
    await foldHashes(reading, fold);
    const { encoder, table } = fold;
    expect(table.size).toBe(1);
    const hash: [number, number] = [encoder.row[0]!, encoder.row[1]!];
    const note: [number, number] = [0, 0];
    const rows = await readSuspects(reading, fold, [
      { key: encoder.keyText, row: null, hash, note, isProven: false } as never,
    ]);
    expect([...rows.values()]).toEqual([
      { key: ['2026-01-01'], values: ['2026-01-01', 'web', null, '12.5'] },
    ]);
    fold.refuse({ partition: 0, offset: 0, why: REFUSED.scattered });
    const [difference] = await refusedOutput(reading, SHAPE, fold);
    expect(difference).toMatchObject({ class: 'undecodable', key: { day: '2026-01-01' } });
    expect(difference!.stream).toContain('"revenue":"12.50"');
  });
});
