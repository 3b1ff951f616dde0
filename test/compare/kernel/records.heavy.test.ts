// Tests with random records, including hostile ones, that the WebAssembly kernel and the TypeScript
// reference give the same result.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Shape } from '../../../src/compare/row-comparison.js';
import { anyDouble, letters, number } from '../../support/json-values.js';
import { encodeBoth } from '../../support/kernel-pairs.js';
import { envelope } from '../../support/rows.js';

const WIDE: Shape = {
  key: ['id', 'k'],
  columns: [
    { name: 'id', type: 'int8' },
    { name: 'k', type: 'text' },
    { name: 'a long name "quoted" ünusual', type: 'text' },
    { name: 'n', type: 'numeric' },
    { name: 'at', type: 'timestamptz' },
    { name: 'f', type: 'float8' },
    { name: 'b', type: 'bool' },
  ],
};
const NAMES = WIDE.columns.map(({ name }) => name);

const wide = fc
  .record({
    id: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
    k: letters,
    text: letters,
    n: number,
    f: anyDouble,
    op: fc.constantFrom<'r' | 'c' | 'u' | 'd'>('r', 'c', 'u', 'd'),
    isShuffled: fc.boolean(),
    extra: fc.constantFrom(
      '',
      '"x":[1,{"id":2}],',
      '"id":3,',
      '"\\u0069d":4,',
      '"é":5,',
      '"k" :6,',
    ),
  })
  .map(({ id, k, text, n, f, op, isShuffled, extra }): { key: Buffer; value: Buffer } => {
    const values = [id, k, text, `"${n}"`, '"2026-11-22T10:00:00.5Z"', f, 'true'];
    const members = NAMES.map((name, at) => `${JSON.stringify(name)}:${values[at]}`);
    if (isShuffled) members.reverse();
    return {
      key: Buffer.from(`{"id":${id},"k":${k}}`),
      value: envelope(op, `{${extra}${members.join(',')}}`, Number(id.slice(-4)) + 2 ** 33),
    };
  });

const HOSTILE_BYTES = [
  0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x2c, 0x3a, 0x20, 0, 0x0a, 0x2d, 0xff, 0xc3,
];

/** Generates a few edits that change, add, remove, cut off or repeat bytes. */
const edits = fc.array(
  fc.tuple(
    fc.nat(),
    fc.constantFrom('change', 'add', 'drop', 'cut', 'twice'),
    fc.oneof(fc.constantFrom(...HOSTILE_BYTES), fc.integer({ min: 0, max: 255 })),
  ),
  { maxLength: 3 },
);

function edited(bytes: Buffer, list: readonly (readonly [number, string, number])[]): Buffer {
  let out = bytes;
  for (const [n, kind, byte] of list) {
    const at = n % (out.length + 1);
    const rest = out.subarray(kind === 'add' || kind === 'twice' ? at : at + 1);
    const middle = kind === 'twice' ? out.subarray(Math.max(0, at - 20), at) : Buffer.from([byte]);
    out = Buffer.concat([
      out.subarray(0, at),
      kind === 'drop' || kind === 'cut' ? Buffer.alloc(0) : middle,
      kind === 'cut' ? Buffer.alloc(0) : rest,
    ]);
  }
  return out;
}

describe('a record', () => {
  it('is encoded by the kernel as by the reference, even if bytes are changed, added, lost or repeated', () => {
    const hostile = fc
      .tuple(wide, edits, edits, fc.boolean())
      .map(([{ key, value }, onKey, onValue, isKeySafe]) => ({
        key: isKeySafe ? key : edited(key, onKey),
        value: edited(value, onValue),
      }));
    fc.assert(
      fc.property(
        fc.array(hostile, { minLength: 1, maxLength: 20 }),
        fc.constantFrom('}', '"', ',', '', '\0'),
        fc.boolean(),
        (records, between, isCopied) => {
          const { kernel, reference } = encodeBoth(WIDE, records, { between, isCopied });
          expect(kernel).toEqual(reference);
        },
      ),
      { numRuns: 600 },
    );
  });

  it('is refused by the kernel in a wrong partition if and only if the reference refuses it', () => {
    fc.assert(
      fc.property(
        fc.array(wide, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 0, max: 3 }),
        (records, partition) => {
          const { kernel, reference } = encodeBoth(WIDE, records, { partition, partitions: 3 });
          expect(kernel).toEqual(reference);
        },
      ),
      { numRuns: 100 },
    );
  });
});
