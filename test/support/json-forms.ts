// Generates forms of JSON values for each type: usual, unusual and wrong forms, and mutations of
// them.
import fc from 'fast-check';

import { FURTHER_FORMS } from './further-forms.js';
import { TIME_FORMS } from './time-forms.js';

export const JSON_FORMS: Readonly<Record<string, readonly string[]>> = {
  bool: ['true', 'false', '"true"', '1', '0', '"t"'],
  int4: [
    '0',
    '-0',
    '7',
    '5.0',
    '5',
    '5e0',
    '1e3',
    '1000',
    '5.5',
    '"5"',
    '"05"',
    '2147483648',
    '"-0"',
    'true',
  ],
  int8: [
    '9223372036854775807',
    '9223372036854775808',
    '"9223372036854775807"',
    '9007199254740993',
    '9007199254740992',
    '-9223372036854775808',
    '1e19',
    '7900719925474099.2',
    '5.0000000000000001',
    '7.900719925474099E15',
    '1e-400',
    '-123456789012345e-400',
  ],
  oid: ['4294967295', '"4294967295"', '-1'],
  numeric: [
    '"1.10"',
    '"1.1"',
    '"-0"',
    '"0"',
    '"."',
    '"5."',
    '".5"',
    '"1e3"',
    '"1000"',
    '"NAN"',
    '"NaN"',
    '"POSITIVE_INFINITY"',
    '"Infinity"',
    '"NEGATIVE_INFINITY"',
    '" 1.1"',
    '"+1"',
    '""',
    '"-"',
    '12.5',
    '1234567890123456',
    '"1234567890123456"',
  ],
  float4: [
    '1.1',
    '1.10000002',
    '-0.0',
    '0',
    '1e39',
    '"NaN"',
    '"Infinity"',
    '"-Infinity"',
    '"+Infinity"',
    '16777217',
    '16777216',
    '1e-46',
    '"1.1"',
  ],
  float8: [
    '0.1',
    '1e-1',
    '-0',
    '0.0',
    '1e400',
    '"NaN"',
    '"Infinity"',
    '123456789012345678',
    '123456789012345680',
    '1.2345678901234568E17',
    '7900719925474099.2',
    '7900719925474099',
    '7.900719925474099E15',
    '5e-324',
    '1e-400',
    '"123456789012345678"',
    '""',
  ],
  text: [
    '"a"',
    '"\\u0061"',
    '""',
    '"NULL"',
    'null',
    '12',
    '1234567890123456',
    '"1234567890123456"',
    '"\\ud800"',
    '"\\ud83d\\ude00"',
    '"😀"',
    '"__debezium_unavailable_value"',
    '{"a":1}',
    '[1]',
  ],
  bpchar: ['"a"', '"a  "', '" a"', '"a\\u0020"', '"a\\t"', '"  "', '""'],
  citext: ['"a"', '1234567890123456', '"1234567890123456"'],
  char: ['"x"', '""', '"x "', '"\\u0001"'],
  json: ['"{\\"a\\":1}"', '"{\\"a\\": 1}"', '{"a":1}', '"null"', 'null'],
  jsonb: ['"1.0"', '"1.00"', '"1"'],
  uuid: [
    '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"',
    '"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"',
    '"a0eebc999c0b4ef8bb6d6bb9bd380a11"',
    '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g"',
    '""',
  ],
  bytea: [
    '""',
    '"AP8="',
    '"AP8"',
    '1234567890123456',
    '"1234567890123456"',
    '"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="',
    '"__debezium_unavailable_value"',
  ],
  ...TIME_FORMS,
  'int4[]': [
    '[]',
    '[1,null]',
    '[1]',
    '["1"]',
    '[[1]]',
    '[null,null]',
    '[1e-400]',
    '[0]',
    '"{1}"',
    'null',
  ],
  'numeric[]': ['["1.10"]', '["1.1"]', '["NAN"]'],
  'date[]': ['["-0043-03-15Z"]', '["0044-03-15Z"]', '["2026-01-01"]'],
  'text[]': [
    '[1234567890123456]',
    '["1234567890123456"]',
    '["a","b"]',
    '["a,b"]',
    '["__debezium_unavailable_value"]',
    '[null]',
    '["null"]',
  ],
  ...FURTHER_FORMS,
};

/**
 * Generates a form, sometimes with a few characters changed, added or removed inside its string or
 * number.
 */
export const hostileJson = (type: string): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom(...JSON_FORMS[type]!),
      fc.array(
        fc.tuple(fc.nat(), fc.constantFrom(...'0123456789-+.:TZ eEnaity'.split('')), fc.nat(2)),
        { maxLength: 2 },
      ),
    )
    .map(([form, edits]) => {
      let text = form;
      for (const [at, letter, kind] of edits) {
        const place =
          form.startsWith('"') && text.length > 2
            ? 1 + (at % (text.length - 1))
            : at % (text.length + 1);
        text =
          text.slice(0, place) +
          (kind === 2 ? '' : letter) +
          text.slice(kind === 0 ? place : place + 1);
      }
      return isJson(text) &&
        text === text.trim() &&
        !/\p{Surrogate}/u.test(text) &&
        (text.startsWith('"') || !text.includes(' '))
        ? text
        : form; // Kafka Connect writes only compact JSON, without lone surrogates
    });

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
