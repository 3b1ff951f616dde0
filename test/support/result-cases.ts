// Generates rows of a query and records of a pipeline's output, for property tests of comparisons.
import fc from 'fast-check';
import type { Shape } from '../../src/compare/row-comparison.js';
import type { OutputRecord } from './hashed-result.js';
import { JSON_FORMS } from './json-forms.js';
import { jsonValue, type Value } from './rows.js';

const day = fc
  .date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9999-12-31T00:00:00Z'),
    noInvalidDate: true,
  })
  .map((d) => d.toISOString());
/** Values of each type. */
export const VALUES: Readonly<Record<string, fc.Arbitrary<Exclude<Value, null>>>> = {
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
export const TYPES = Object.keys(VALUES);

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

/** The values of keys. The values are few, so records and rows often share a key. Some are NULL. */
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

/**
 * Generates a record of a row. Its value has the usual form, an unusual or wrong form, or a schema.
 * Or the value lacks a column, is cut off, or is null. The key may be null, too.
 */
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
export const cases = shapes.chain((shape) => {
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
