// Results are compared by hashes exactly as they are compared as whole rows.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonFromBinary } from '../../src/compare/binary-text.js';
import { canonFromText } from '../../src/compare/column-types.js';
import type { Shape } from '../../src/compare/row-comparison.js';
import { KeyTable } from '../../src/compare/enc/key-table.js';
import { RowEncoder } from '../../src/compare/enc/row.js';
import { TooManySuspects, examine } from '../../src/compare/examine-suspects.js';
import { HashedRows } from '../../src/compare/hashed-rows.js';
import { OutputHashes } from '../../src/compare/output-hashes.js';
import { ResultComparison } from '../../src/compare/result-comparison.js';
import { runResultCanary } from '../../src/compare/result-canary.js';
import { isProven, placeOf, firstWord, secondWord } from '../../src/compare/output-note.js';
import { Outgrown, KeyTableMemory } from '../../src/compare/key-table-memory.js';
import {
  compareHashed,
  compareWhole,
  postgresText,
  type OutputRecord,
} from '../support/hashed-result.js';
import { JSON_FORMS } from '../support/json-forms.js';
import { binaryFields, binaryRow, jsonValue, type Value } from '../support/rows.js';

const day = fc
  .date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9999-12-31T00:00:00Z'),
    noInvalidDate: true,
  })
  .map((d) => d.toISOString());
const VALUES: Readonly<Record<string, fc.Arbitrary<Exclude<Value, null>>>> = {
  bool: fc.boolean(),
  int2: fc.integer({ min: -32768, max: 32767 }),
  int4: fc.integer(),
  int8: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  numeric: fc.oneof(
    fc.stringMatching(/^-?\d{1,12}\.\d{1,9}$/),
    fc.stringMatching(/^-?[1-9]\d{0,29}$/),
    fc.constantFrom('NaN', 'Infinity', '-Infinity', '0', '-0.00', '1.10', '99990000.00010000'),
  ),
  float8: fc.double(),
  text: fc.string({ unit: 'grapheme' }).map((s) => s.replaceAll('\0', '')),
  bpchar: fc.constantFrom('a', 'a  ', '', ' a'),
  jsonb: fc.json(),
  bytea: fc.uint8Array({ maxLength: 12 }).map((b) => Buffer.from(b).toString('hex')),
  uuid: fc.uuid(),
  date: day.map((iso) => iso.slice(0, 10)),
  timestamptz: fc
    .tuple(day, fc.integer({ min: 0, max: 999_999 }))
    .map(([iso, us]) => `${iso.slice(0, 19)}.${String(us).padStart(6, '0')}Z`),
  'text[]': fc.constantFrom('{}', '{a,NULL,"b c"}', '{{a}}', '{"\\"q"}'),
  interval: fc.constantFrom('P1Y2M3DT4H5M6.789S', 'P14M3D', 'broken'),
};
const TYPES = Object.keys(VALUES);

const one = (type: string, value: Value): [binary: string, canon: string] => {
  const shape: Shape = { key: ['v'], columns: [{ name: 'v', type }] };
  const encoder = new RowEncoder(shape, { hashesKey: true });
  encoder.fromBinary(binaryFields([type], [value]), 0);
  const binary = [...encoder.key, ...encoder.row.slice(0, 2)].join();
  const canon = [canonFromText(type, postgresText(type, value))];
  encoder.keyFromCanon(canon);
  encoder.rowFromCanon(canon);
  return [binary, [...encoder.key, ...encoder.row.slice(0, 2)].join()];
};

describe('a value of COPY BINARY', () => {
  const encodable = TYPES.filter((type) => !['text[]', 'interval'].includes(type));

  it.each(encodable)('%s: decodes to the text that Postgres prints, in one spelling', (type) => {
    fc.assert(
      fc.property(VALUES[type]!, (value) => {
        const field = binaryFields([type], [value]);
        const found = canonFromBinary(type, field, 4, field.length - 4);
        expect(found).toBe(canonFromText(type, postgresText(type, value)));
      }),
    );
  });

  it.each(encodable)('%s: has the hash of its canonical text, and NULL has its own', (type) => {
    fc.assert(
      fc.property(VALUES[type]!, (value) => {
        const [binary, canon] = one(type, value);
        expect(canon).toBe(binary);
        expect(one(type, null)).not.toContain(binary);
      }),
    );
    expect(one(type, null)[0]).toBe(one(type, null)[1]);
  });

  it.each([
    ['date', 4, -(2n ** 31n), '-infinity'],
    ['date', 4, 2n ** 31n - 1n, 'infinity'],
    ['date', 4, -2_451_507n, '-4712-01-01'],
    ['date', 4, 2_145_031_948n, '5874897-12-31'],
    ['date', 4, -730_426n, '0000-02-29'],
    ['timestamp', 8, -(2n ** 63n), '-infinity'],
    ['timestamptz', 8, 2n ** 63n - 1n, 'infinity'],
    ['timestamp', 8, -211_810_204_800_000_000n, '-4712-01-01 00:00:00'],
    ['timestamp', 8, 9_223_371_331_199_999_999n, '294276-12-31 23:59:59.999999'],
    ['timestamp', 8, -1n, '1999-12-31 23:59:59.999999'],
    ['time', 8, 86_400_000_000n, '24:00:00'],
    ['oid', 4, -1n, '4294967295'],
  ])('%s: the extreme %d (%s) decodes to %s', (type, width, raw, expected) => {
    const bytes = Buffer.alloc(4 + width);
    bytes.writeInt32BE(width);
    if (width === 4) bytes.writeInt32BE(Number(raw), 4);
    else bytes.writeBigInt64BE(raw, 4);
    expect(canonFromBinary(type, bytes, 4, width)).toBe(expected);
    const shape: Shape = { key: ['v'], columns: [{ name: 'v', type }] };
    const [canon, binary] = [0, 1].map(() => new RowEncoder(shape, { hashesKey: true }));
    canon!.rowFromCanon([expected]);
    binary!.fromBinary(bytes, 0);
    expect(canon!.row).toEqual(binary!.row);
  });
});

const TOLERANT = new Set(['int2', 'int4', 'int8', 'numeric', 'float8']);

/** A shape with one or two key columns and up to four others. */
const shapes: fc.Arbitrary<Shape> = fc
  .record({
    key: fc.array(fc.constantFrom('int4', 'int8', 'text', 'uuid', 'date', 'numeric'), {
      minLength: 1,
      maxLength: 2,
    }),
    rest: fc.array(fc.constantFrom(...TYPES), { maxLength: 4 }),
    tolerance: fc.constantFrom(undefined, undefined, '0.5', '1000000'),
  })
  .map(({ key, rest, tolerance }) => ({
    key: key.map((_, at) => `k${at}`),
    columns: [
      ...rest.map((type, at) => ({
        name: `c${at}`,
        type,
        ...(tolerance && TOLERANT.has(type) ? { toleranceAbs: tolerance } : {}),
      })),
      ...key.map((type, at) => ({ name: `k${at}`, type })),
    ],
  }));

/** Few values for keys, so that records meet rows; sometimes NULL. */
const KEYS: Readonly<Record<string, readonly Value[]>> = {
  int4: [1, 2, 3, null],
  int8: ['9007199254740993', '9007199254740992', '1', null],
  text: ['a', '', 'NULL', null],
  uuid: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12', null],
  date: ['2026-01-01', '2026-01-02', null],
  numeric: ['1.10', '1.1', '2', null],
};

const valueOf = ({ name, type }: Shape['columns'][number]): fc.Arbitrary<Value> =>
  name.startsWith('k')
    ? fc.constantFrom(...KEYS[type]!)
    : fc.option(VALUES[type]!, { nil: null, freq: 4 });

type Row = readonly Value[];

const objectOf = ({ columns }: Shape, row: Row, names: readonly string[], other?: string): string =>
  `{${names
    .map((name) => {
      const at = columns.findIndex((column) => column.name === name);
      const text = other && name === 'c0' ? other : jsonValue(columns[at]!.type, row[at]!);
      return `${JSON.stringify(name)}: ${text}`;
    })
    .join(', ')}}`;

/** A record of a row: its value as it is, in an unusual or wrong form, with a schema, or gone. */
function recordOf(shape: Shape, rows: readonly Row[]): fc.Arbitrary<OutputRecord> {
  const forms = JSON_FORMS[shape.columns[0]!.type] ?? ['"x"', '7'];
  return fc
    .record({
      row: rows.length > 0 ? fc.constantFrom(...rows) : fc.tuple(...shape.columns.map(valueOf)),
      kind: fc.constantFrom(
        'row',
        'row',
        'row',
        'form',
        'part',
        'schema',
        'gone',
        'broken',
        'none',
      ),
      form: fc.constantFrom(...forms),
      partition: fc.constantFrom(0, 0, 0, 0, 1),
    })
    .map(({ row, kind, form, partition }) => {
      const names = shape.columns.map(({ name }) => name);
      const key = kind === 'none' ? null : objectOf(shape, row, shape.key);
      const whole = objectOf(shape, row, names);
      const values: Readonly<Record<string, string | null>> = {
        form: objectOf(shape, row, names, form),
        part: objectOf(shape, row, names.slice(0, -1)),
        schema: `{"schema": {"type": "struct", "fields": []}, "payload": ${whole}}`,
        gone: null,
        broken: whole.slice(0, -2),
      };
      return { partition, key, value: kind in values ? values[kind]! : whole };
    });
}

/** Rows of a query, and records of an output that repeats, loses, adds and changes rows. */
const cases = shapes.chain((shape) => {
  const row = fc.tuple(...shape.columns.map(valueOf));
  return fc
    .tuple(fc.array(row, { maxLength: 12 }), fc.array(row, { maxLength: 3 }))
    .chain(([rows, others]) =>
      fc.record({
        shape: fc.constant(shape),
        rows: fc.constant(rows),
        records: fc.array(recordOf(shape, [...rows, ...rows, ...others]), { maxLength: 40 }),
      }),
    );
});

const outcome = <T>(run: () => T): T | string => {
  try {
    return run();
  } catch (error) {
    return (error as Error).message;
  }
};

describe('a result compared by hashes', () => {
  it('has the counts, the differences and the refusals of whole rows', () => {
    fc.assert(
      fc.property(cases, ({ shape, rows, records }) => {
        const hashed = outcome(() => compareHashed(shape, rows, records));
        const whole = outcome(() => compareWhole(shape, rows, records));
        if (typeof hashed === 'string' || typeof whole === 'string') expect(hashed).toBe(whole);
        else if (whole.duplicates > 0) expect(hashed.duplicates).toBe(whole.duplicates);
        else expect(hashed).toEqual(whole);
      }),
      { numRuns: 150 },
    );
  });

  it('counts exactly beyond the limits of suspects, and shows a sample', () => {
    const shape: Shape = {
      key: ['id'],
      columns: [
        { name: 'id', type: 'int4' },
        { name: 'v', type: 'text' },
      ],
    };
    const row = (id: number, v: string): Value[] => [id, v];
    const rows = Array.from({ length: 400 }, (_, id) => row(id, 'x'.repeat(2000)));
    const records = rows.slice(100).map(([id], at) => ({
      partition: 0,
      key: `{"id":${Number(id)}}`,
      value: `{"id":${Number(id)},"v":"${at < 200 ? 'y' : 'x'.repeat(2000)}"}`,
    }));
    const extra = Array.from({ length: 50 }, (_, at) => ({
      partition: 0,
      key: `{"id":${9000 + at}}`,
      value: '{"v":"z"}',
    }));
    const all = [...records, ...extra];
    const whole = compareWhole(shape, rows, all);
    for (const limits of [
      { suspects: 30, bytes: 32 << 20, onlyStream: 30 },
      { suspects: 5000, bytes: 1, onlyStream: 0 },
      { suspects: 5000, bytes: 9000, onlyStream: 5000 },
    ]) {
      const { counts, differences } = compareHashed(shape, rows, all, limits);
      expect(counts).toEqual(whole.counts);
      expect(differences.length).toBeGreaterThan(0);
      expect(whole.differences).toEqual(expect.arrayContaining([...differences]));
    }
  });

  it('has a canary that finds every planted difference, even among NULL keys', () => {
    const shape: Shape = { key: ['id'], columns: [{ name: 'id', type: 'int4' }] };
    const rows = [1, 2, null, 4, 5].map((id) => binaryRow(['int4'], [id]));
    const { planted, found } = runResultCanary(shape, rows);
    expect([planted, found]).toEqual([found, planted]);
    expect(planted).toBeGreaterThan(1);
  });
});

describe('a result with a tolerance', () => {
  const shape: Shape = {
    key: ['id'],
    columns: [
      { name: 'id', type: 'int4' },
      { name: 'v', type: 'numeric', toleranceAbs: '0.01' },
    ],
  };
  const rows = Array.from({ length: 300 }, (_, id): Value[] => [id, `${id}.00`]);
  const record = (id: number, v: string): OutputRecord => ({
    partition: 0,
    key: `{"id":${id}}`,
    value: `{"id":${id},"v":"${v}"}`,
  });
  const near = rows.map((_, id) => record(id, id % 3 === 0 ? `${id}.01` : `${id}.00`));

  it('counts rows within the tolerance as equal, and all others as different', () => {
    const far = [...near.slice(0, 290), record(299, '300')];
    const { counts } = compareHashed(shape, rows, far);
    expect(counts).toEqual(compareWhole(shape, rows, far).counts);
    expect(counts).toMatchObject({ matched: 290, missing: 9, mismatched: 1 });
  });

  it('is compared as whole rows if more rows differ by their hashes than are kept', () => {
    const limits = { suspects: 50, bytes: 32 << 20, onlyStream: 50 };
    expect(() => compareHashed(shape, rows, near, limits)).toThrow(TooManySuspects);
    const lost = near.slice(0, 10);
    const { counts } = compareHashed(shape, rows, lost, { ...limits, suspects: 200 });
    expect(counts).toEqual(compareWhole(shape, rows, lost).counts);
  });

  it('calls a row stale that a window proved equal within the tolerance', () => {
    const fold = new OutputHashes(shape);
    fold.readFrom(0, 0);
    fold.add(Buffer.from('{"id":1}'), Buffer.from('{"id":1,"v":"1.01"}'), 0);
    const window = (v: string): readonly string[] => {
      const comparison = new ResultComparison(fold.table);
      const hashed = new HashedRows(shape, comparison.judge.bind(comparison));
      hashed.add(binaryRow(['int4', 'numeric'], [1, v]), 0);
      hashed.flush();
      const { found, suspects } = comparison.finish();
      const raw = new Map([[suspects[0]!.key, { key: ['1'], values: ['1', '1.01'] }]]);
      const prove = comparison.prove.bind(comparison);
      return examine(shape, found, suspects, raw, prove).differences.map((d) => d.class);
    };
    expect(window('2.00')).toEqual(['mismatched']);
    expect(window('1.00')).toEqual([]);
    expect(window('2.00')).toEqual(['stale']);
  });
});

describe('the memory of a comparison', () => {
  it('is limited over all of its tables, including those that do not grow', () => {
    const fill = (memory: KeyTableMemory, table: KeyTable, from: number): void => {
      for (let n = from; n < from + 700; n += 1)
        memory.set(table, Int32Array.of(n, n * 7, 0, 0), 1, 1);
    };
    const [one, other] = [new KeyTable(4, 0), new KeyTable(4, 0)];
    const memory = new KeyTableMemory(one.bytes * 2.5);
    memory.hold(other);
    fill(memory, one, 1);
    expect(() => fill(memory, one, 1000)).toThrow(Outgrown);
    const wider = new KeyTableMemory(one.bytes * 2.5);
    fill(wider, one, 1000);
    expect(one.size).toBe(1400);
    expect(() => fill(wider, other, 1)).not.toThrow();
    expect(() => fill(wider, other, 1000)).toThrow(Outgrown);
  });
});

describe('the note of a key', () => {
  it('keeps partition, offset and kind, and moves with its key', () => {
    const place = { partition: 8191, offset: 2 ** 48 - 1 };
    expect(placeOf(firstWord(place, 2), secondWord(place))).toEqual(place);
    expect(isProven(firstWord(place, 3))).toBe(false);
    expect(() => firstWord({ partition: 8192, offset: 0 }, 0)).toThrow(/at most 8192 partitions/);
    const table = new KeyTable(4, 0, true);
    const key = (n: number): Int32Array => Int32Array.of(n, n * 7, 0, 0);
    for (let n = 1; n <= 5000; n += 1) table.setNote(table.set(key(n), n, n), n, -n);
    for (let n = 1; n <= 5000; n += 3) table.delete(key(n));
    for (let n = 2; n <= 5000; n += 3) {
      const slot = table.find(key(n));
      expect([table.note(slot, 0), table.note(slot, 1)]).toEqual([n, -n]);
    }
  });
});
