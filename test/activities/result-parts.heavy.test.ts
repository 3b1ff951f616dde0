// A result that does not fit in the worker's memory is compared in parts on disk. The outcome is
// the same as in memory.
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FoldFiles } from '../../src/activities/windows/folds/fold-files.js';
import { FoldCache } from '../../src/activities/windows/folds/folds.js';
import type { ComparedQuery } from '../../src/activities/windows/results/compared-queries.js';
import { sidesByHash } from '../../src/activities/windows/results/exact/result-by-hash.js';
import type { StillPoint } from '../../src/activities/windows/results/exact/still-point.js';
import type { ConnectedSession } from '../../src/activities/windows/session.js';
import type { Shape } from '../../src/compare/row-comparison.js';
import { aRef } from '../support/builders.js';
import { binaryRow, random, type Value } from '../support/rows.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const SHAPE: Shape = {
  key: ['id'],
  columns: [
    { name: 'id', type: 'int8' },
    { name: 'v', type: 'text' },
  ],
};
const TYPES = ['int8', 'text'];

interface TopicRecord {
  readonly partition: number;
  readonly key: string;
  readonly value: string | null;
}

/** The oids of the types of SHAPE in Postgres' catalog. */
const OIDS = { int8: 20, text: 25 };

/** A connection that answers a COPY with the rows, and answers a count with their number. */
function aSource(rows: readonly Value[][]): ConnectedSession['reader'] {
  interface Copy {
    submit(wire: object): void;
    handleRowDescription(message: object): void;
    handleCopyData?: (message: { chunk: Uint8Array }, wire: unknown) => void;
    handleReadyForQuery(): void;
  }
  const nothing = (): void => undefined;
  const events = { on: nothing, off: nothing };
  const wire = { query: nothing, parse: nothing, describe: nothing, sync: nothing, ...events };
  const fields = Object.values(OIDS).map((oid, at) => ({
    name: SHAPE.columns[at]!.name,
    dataTypeID: oid,
  }));
  const types = Object.entries(OIDS).map(([type, oid]) => ({ oid: String(oid), type }));
  const query = (what: string | Copy): unknown => {
    if (typeof what === 'string')
      return Promise.resolve({
        rows: what.startsWith('SELECT t.oid') ? types : [{ n: String(rows.length) }],
      });
    what.submit(wire);
    if (!what.handleCopyData) {
      what.handleRowDescription({ fields });
      return what.handleReadyForQuery();
    }
    const header = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
    what.handleCopyData({ chunk: header }, {});
    for (const row of rows)
      what.handleCopyData(
        { chunk: Buffer.concat([Buffer.from([0, 3]), binaryRow(TYPES, row)]) },
        {},
      );
    what.handleCopyData({ chunk: Buffer.from([0xff, 0xff]) }, {});
    what.handleReadyForQuery();
    return undefined;
  };
  return { query } as unknown as ConnectedSession['reader'];
}

/**
 * Compares rows and records with a memory of `budget` bytes. `again` are the records that a second
 * reading of a partition returns. `stored` are the rows of the sink's table.
 */
async function compare(
  rows: readonly Value[][],
  records: readonly TopicRecord[],
  budget: number,
  { again, stored }: { again?: (TopicRecord | null)[]; stored?: readonly Value[][] } = {},
) {
  const parts = [0, 1].map((partition) => records.filter((r) => r.partition === partition));
  const ends = parts.map(({ length }, partition) => ({
    partition,
    low: 0,
    high: length,
    committed: length,
    epoch: 0,
  }));
  const readings = new Set<number>();
  const kafka = {
    topicId: () => Promise.resolve('one'),
    lows: () => Promise.resolve(new Map([0, 1].map((partition) => [partition, 0]))),
    offsets: () => Promise.resolve(ends),
    epochEnd: (_topic: string, partition: number) => Promise.resolve(parts[partition]!.length),
    readRange: (
      _topic: string,
      partition: number,
      from: number,
      to: number,
      visit: (...record: [number, Buffer, number, number, number, number]) => void,
    ) => {
      const isAgain = readings.has(partition);
      readings.add(partition);
      for (let offset = from; offset < to; offset += 1) {
        const record = (isAgain && again ? again : parts[partition]!)[offset];
        if (!record) continue; // compaction removed it
        const { key, value } = record;
        const bytes = Buffer.from(key + (value ?? ''));
        const start = value === null ? -1 : Buffer.byteLength(key);
        visit(offset, bytes, 0, Buffer.byteLength(key), start, bytes.length);
      }
      return Promise.resolve();
    },
  };
  const dir = temporaryFolder('sluice-test-parts-');
  const folds = new FoldCache(new FoldFiles(dir), budget);
  const reader = aSource(rows);
  const ref = aRef();
  const session = { kafka, folds, ref, reader, heartbeat: () => undefined };
  const comparedQuery = {
    subject: 'result',
    shape: SHAPE,
    topic: 'out',
    sink: stored ? { table: 'public.stored' } : null,
  };
  const point = { outputs: new Map([['out', ends]]), sink: stored ? aSource(stored) : null };
  const sides = await sidesByHash(
    session as unknown as ConnectedSession,
    comparedQuery as unknown as ComparedQuery,
    'SELECT',
    point as unknown as StillPoint,
  );
  const left = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((e) => e.isFile());
  if (!sides.ok) throw new Error(sides.reason);
  return { side: sides.value[0]!, sink: sides.value[1], left };
}

function example(seed: number): { rows: Value[][]; records: TopicRecord[] } {
  const next = random(seed);
  const rows: Value[][] = [];
  const records: TopicRecord[] = [];
  const send = (id: number, v: string | null, partition = id % 2): void =>
    void records.push({
      partition,
      key: `{"id":${id}}`,
      value: v === null ? null : JSON.stringify({ id, v }),
    });
  for (let id = 1; id <= 6000; id += 1) {
    const dice = next();
    send(id, `old ${id}`);
    if (dice < 0.01) send(id, null);
    else send(id, dice < 0.02 ? 'other' : `new ${id}`);
    if (dice > 0.999) send(id, `new ${id}`, (id + 1) % 2);
    else if (dice > 0.9985)
      records.push({ partition: id % 2, key: `{"id": ${id}}`, value: `{"id":${id},"v":"last"}` });
    if (dice > 0.02 && dice < 0.03) continue;
    rows.push([String(id), `new ${id}`]);
  }
  records.push({ partition: 0, key: 'broken', value: '{}' });
  return { rows, records };
}

const AMPLE = 2 ** 30;

describe('a result in parts', () => {
  it('has the same counts, differences and refused records as a comparison in one part', async () => {
    const { rows, records } = example(1);
    const whole = await compare(rows, records, AMPLE);
    const inParts = await compare(rows, records, 100_000);
    const texts = (differences: readonly object[]): string[] =>
      differences.map((difference) => JSON.stringify(difference)).toSorted();
    expect(whole.side.note).toBeUndefined();
    expect(inParts.side.note).toMatch(/^in \d+ parts, \d+ MiB on disk$/);
    expect(inParts.side.counts).toEqual(whole.side.counts);
    expect(Object.values(whole.side.counts).filter((count) => count > 10)).toHaveLength(4);
    expect(texts(inParts.side.differences)).toEqual(texts(whole.side.differences));
    expect(inParts.side.refused!.unreadable).toBe(whole.side.refused!.unreadable);
    expect(whole.side.refused!.unreadable).toBeGreaterThan(1);
    expect(texts(inParts.side.refused!.differences)).toEqual(
      texts(whole.side.refused!.differences),
    );
    expect([inParts.side.canary, inParts.side.counted]).toEqual([
      whole.side.canary,
      whole.side.counted,
    ]);
    expect(inParts.left).toEqual([]);
  });

  it('moves to disk even if memory runs out only while the query runs', async () => {
    const { rows } = example(2);
    const { side, left } = await compare(rows, [], 100_000);
    expect(side.note).toMatch(/^in 8 parts/);
    expect(side.counts).toMatchObject({ matched: 0, missing: rows.length, extraneous: 0 });
    expect(left).toEqual([]);
  });

  it('is refused if two rows of the query or of the sink have the same key', async () => {
    const { rows, records } = example(3);
    const repeated = [...rows, rows[77]!, rows[5000]!];
    const message = `the query of result returned ${repeated.length} rows for ${rows.length} keys: (id) is not unique`;
    await expect(compare(repeated, records, AMPLE)).rejects.toThrow(message);
    await expect(compare(repeated, records, 100_000)).rejects.toThrow(message);
    const stored = [...rows, rows[77]!];
    const ofSink = `the sink's table public.stored has ${stored.length} rows for ${rows.length} keys`;
    await expect(compare(rows, records, AMPLE, { stored })).rejects.toThrow(ofSink);
    await expect(compare(rows, records, 100_000, { stored })).rejects.toThrow(ofSink);
  });

  it("finds the same counts for the sink's table on disk as in memory", async () => {
    const { rows, records } = example(4);
    const stored = rows.slice(30).map(([id, v], at): Value[] => [id!, at < 20 ? 'stored' : v!]);
    stored.push(['9001', 'more']);
    const inMemory = (await compare(rows, records, AMPLE, { stored })).sink!;
    const onDisk = (await compare(rows, records, 100_000, { stored })).sink!;
    expect(inMemory).toMatchObject({ isSink: true, refused: null });
    expect(inMemory.counts).toMatchObject({
      matched: rows.length - 50,
      missing: 30,
      mismatched: 20,
      extraneous: 1,
    });
    expect(onDisk.counts).toEqual(inMemory.counts);
    expect(onDisk.note).toMatch(/on disk$/);
    expect(onDisk.counted).toEqual({ countedRows: stored.length, readRows: stored.length });
    const mismatched = onDisk.differences.filter((d) => d.class === 'mismatched');
    expect(mismatched).toHaveLength(20);
    for (const { column, batch, stream } of mismatched)
      expect([column, batch?.startsWith('new '), stream]).toEqual(['v', true, 'stored']);
  });

  it('proves nothing if the record of a suspect was replaced or is gone at the second reading', async () => {
    const rows: Value[][] = [['2', 'batch']];
    const record = (v: string): TopicRecord => ({
      partition: 0,
      key: '{"id":2}',
      value: JSON.stringify({ id: 2, v }),
    });
    const { side } = await compare(rows, [record('stream')], AMPLE);
    expect(side.differences).toMatchObject([{ column: 'v', batch: 'batch', stream: 'stream' }]);
    for (const again of [[record('batch')], [{ ...record('stream'), value: null }], [null]])
      await expect(compare(rows, [record('stream')], AMPLE, { again })).rejects.toThrow(
        'changed between two readings of one window',
      );
  });
});
