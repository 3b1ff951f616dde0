// Tests the kernel on thousands of records and numbers, against the TypeScript reference.
import { describe, expect, it } from 'vitest';
import type { Shape } from '../../../src/compare/row-comparison.js';
import { encodeBoth } from '../../support/kernel-pairs.js';
import { envelope, random } from '../../support/rows.js';

/** Numbers between two doubles, at the ends of the range of doubles, and with too many digits. */
const HARD_NUMBERS =
  `9007199254740993 9007199254740995 4503599627370496.5 4503599627370497.5 0.1 0.3
1e23 8.5e22 9007199254740992.9999 179769313486231570e291 5e-324 2.2250738585072011e-308 1e-64 1e63
1e64 1e-65 0e999 -0.0 1.7976931348623157 0.500000000000000166533453693773481063544750213623046875
9223372036854775807 18446744073709551615 99999999999999999999 0.00000000001`.replaceAll('\n', ' ');

describe('the kernel', () => {
  it.each([
    ['in the answer of the broker', false],
    ['in a batch that the broker stores compressed', true],
  ])(
    'encodes more records than fit in one call, in their order, if they are %s',
    (_where, isCopied) => {
      const records = Array.from({ length: 10_000 }, (_, n) => ({
        key: `{"id":${n}}`,
        value: n % 1000 === 7 ? null : envelope('c', `{"id":${n},"t":"${n}"}`, n),
      }));
      const shape: Shape = {
        key: ['id'],
        columns: [
          { name: 'id', type: 'int4' },
          { name: 't', type: 'text' },
        ],
      };
      const { kernel, reference, referred } = encodeBoth(shape, records, { isCopied });
      expect(kernel).toEqual(reference);
      expect(referred).toBe(10);
    },
  );

  it('rounds a number as JavaScript does, or leaves it to the reference', () => {
    const texts = HARD_NUMBERS.split(' ');
    for (let n = 1; n < 300; n += 1) texts.push(String((n * Math.PI) ** (n % 17)), `${n}.5e-3`);
    // About one of these numbers in a thousand lies just above the middle between two doubles.
    const next = random(7);
    const digits = (): string => String(Math.floor(next() * 1e9)).padStart(9, '0');
    for (let n = 0; n < 10_000; n += 1) texts.push(`1${digits()}.${digits()}`);
    const shape: Shape = {
      key: ['id'],
      columns: [
        { name: 'id', type: 'int4' },
        { name: 'f', type: 'float8' },
      ],
    };
    const records = texts.map((text) => ({
      key: '{"id":1}',
      value: envelope('c', `{"id":1,"f":${text}}`, 1),
    }));
    const { kernel, reference, referred } = encodeBoth(shape, records);
    expect(kernel).toEqual(reference);
    expect(referred).toBeLessThan(40);
  });
});
