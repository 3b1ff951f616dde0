// Generates texts that are JSON values, or almost JSON values: some have invalid escapes or leading
// zeros.
import fc from 'fast-check';

const digits = (most: number): fc.Arbitrary<string> =>
  fc.array(fc.nat(9), { minLength: 1, maxLength: most }).map((list) => list.join(''));
export const number = fc
  .tuple(
    fc.constantFrom('', '-'),
    digits(22),
    fc.option(digits(22), { nil: null }),
    fc.option(fc.integer({ min: -330, max: 330 }), { nil: null }),
  )
  .map(
    ([sign, whole, fraction, power]) =>
      `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${power === null ? '' : `E${power}`}`,
  );
/**
 * Generates JSON strings whose characters are plain, escaped, or whole or half surrogate pairs.
 * Some strings are invalid.
 */
export const letters = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text).slice(1, -1)),
      fc.constantFrom('\\n', '\\u0041', '\\ud83d\\ude00', '\\ud83d', '\\ude00', '\\u00e9', '\\/'),
      fc.constantFrom(
        '\\ud83d\\ue000',
        '\\ud83d\\u0041',
        '\\ud83d\\n',
        '\\x',
        '\\u12',
        '\\u12g4',
        ' ',
        '\\"',
        '\\\\',
        '}',
        '{',
        ',',
        '\\u0000',
      ),
    ),
    { maxLength: 12 },
  )
  .map((list) => `"${list.join('')}"`);
export const anyDouble = fc.double().map((value) => JSON.stringify(value));
