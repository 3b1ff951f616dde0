// Lists values of the common column types that Sluice can compare: ordinary values and edge cases.

/** Maps each type to values as SQL. Each column also gets NULLs. */
export const VALUES: Readonly<Record<string, readonly string[]>> = {
  bool: ['true', 'false'],
  int2: ['-32768', '32767', '0'],
  int4: ['-2147483648', '2147483647'],
  int8: ['-9223372036854775808', '9223372036854775807', '9007199254740993'],
  oid: ['4294967295'],
  numeric: [
    '0.00',
    '-0.10',
    '1.10',
    "'NaN'",
    '123456789012345678901234567890.123456789',
    '1e-20',
    '1e25',
  ],
  'numeric(12,4)': ['-0.0001', '99999999.9999', "'NaN'"],
  float4: ["'-0'", '1.1', "'NaN'", "'Infinity'", "'-Infinity'", '3.4028235e38', '1e-45'],
  float8: [
    "'-0'",
    '0.1',
    "'NaN'",
    "'Infinity'",
    '1.7976931348623157e308',
    '5e-324',
    '123456789.123456789',
  ],
  text: [
    "''",
    "'NULL'",
    "'<null>'",
    `E'tab\\t quote" back\\\\slash new\\nline \\u2028'`,
    "'emoji 😀 é e\u0301'",
    "'a,b;c|d'",
    `E'\\u000b\\u001f\\u007f'`,
  ],
  'varchar(40)': ["'Ünïcödé'", "'trailing  '"],
  'char(8)': ["'pad'", "'pad  x'"],
  '"char"': ["'x'"],
  uuid: ["'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"],
  mood: ["'sad'", "'it''s ok'"],
  positive: ['7'],
  bytea: [`'\\x'`, `'\\x00ff80fe'`],
  date: ["'0001-01-01'", "'9999-12-31'", "'2024-02-29'"],
  timestamp: ["'0001-01-01 00:00:00'", "'9999-12-31 23:59:59.999999'", "'2026-03-29 02:30:00.1'"],
  timestamptz: [
    "'2026-01-01 00:00:00.5Z'",
    "'2026-01-01 00:00:00Z'",
    "'2026-03-29 02:30:00.123456+02'",
    "'1900-01-01 00:00:00+05:53:28'",
    "'9999-12-31 23:59:59.999999Z'",
  ],
  time: ["'00:00:00'", "'23:59:59.999999'"],
  interval: ["'1 year 2 mons 3 days 04:05:06.789'", "'-1 day +02:03'", "'-00:00:00.000001'", "'0'"],
  json: [`'{"b": 1, "a": [1, 2.50, null]}'`, "'null'"],
  jsonb: [`'{"b": 1, "a": {"c": "😀"}}'`, `'1.10'`],
  xml: ['\'<a b="1">x</a>\''],
  inet: ["'192.168.0.1/24'", "'::1'"],
  cidr: ["'10.0.0.0/8'"],
  macaddr: ["'08:00:2b:01:02:03'"],
  'int4[]': ["'{}'", "'{1,NULL,-3}'"],
  'text[]': [`ARRAY['a,b', 'NULL', NULL, '', '"q"', '{x}', E'back\\\\slash']`],
  'numeric[]': ["'{1.10,-0.5}'"],
};

/** Creates the types that `MORE` needs, in addition to `mood` and `positive`. */
export const MORE_TYPES =
  'CREATE DOMAIN deeper AS positive; CREATE DOMAIN numbers AS int[]; CREATE EXTENSION citext;';

const MORE: Readonly<Record<string, readonly string[]>> = {
  numeric: ["'Infinity'", "'-Infinity'", '1e-300', '1e2000'],
  'numeric(3,-2)': ['12345', "'NaN'"],
  bpchar: ["'a '", "'  '"],
  citext: ["'MiXed'"],
  deeper: ['8'],
  numbers: ["'{1,2}'"],
  macaddr8: ["'08:00:2b:01:02:03:04:05'"],
  interval: ["'-1 year -2 mons +3 days -04:05:06.789'", "'178000000 years'"],
  date: ["'10000-01-01'", "'5874897-12-31'"],
  timestamp: [
    "'0099-12-31 23:59:59.5 BC'",
    "'294276-12-31 23:59:59.999999'",
    "'4713-01-01 00:00:00 BC'",
  ],
  timestamptz: [
    "'infinity'",
    "'-infinity'",
    "'0099-12-31 23:59:59.5+00 BC'",
    "'15000-06-30 12:00:00+00'",
  ],
  'uuid[]': ["'{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}'"],
  'bytea[]': ["ARRAY['\\x00ff'::bytea, NULL, '\\x']"],
  'float8[]': ["'{0.1,NaN,-0,5e-324,1e22,Infinity}'"],
  'bool[]': ["'{t,f,NULL}'"],
  'int8[]': ["'{9223372036854775807,NULL}'"],
  'timestamptz[]': ["'{2026-01-01 00:00:00.5Z,10000-01-01 00:00:00Z}'"],
  'date[]': ["'{2026-01-01,NULL}'"],
  'time[]': ["'{10:00:00,10:00:01.5}'"],
  'jsonb[]': [`ARRAY['{"a": 1}'::jsonb]`],
  'varchar(5)[]': [`'{a,""}'`],
  'char(3)[]': ["'{a}'"],
  'inet[]': ["'{10.0.0.1,::1}'"],
};

/**
 * Values that Debezium carries exactly: those of `VALUES`, and values at the limits of their types.
 */
export const EDGE_VALUES: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  [...new Set([...Object.keys(VALUES), ...Object.keys(MORE)])].map((type) => [
    type,
    [...(VALUES[type] ?? []), ...(MORE[type] ?? [])],
  ]),
);

/** The types in the order of their columns `c0`, `c1` and so on. */
export const COLUMN_TYPES = Object.keys(VALUES);
/** The number of rows of `EVERYTHING`. */
export const ROWS_OF_VALUES = Math.max(...Object.values(VALUES).map((values) => values.length)) + 1;
const row = (at: number): string =>
  `INSERT INTO everything VALUES (${at + 1}, ${COLUMN_TYPES.map((column) => VALUES[column]![at] ?? 'NULL').join(', ')});`;
/** SQL of the table `everything`, which has a column of each type in `VALUES`. */
export const EVERYTHING = `CREATE TYPE mood AS ENUM ('sad', 'it''s ok'); CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE TABLE everything (id int PRIMARY KEY, ${COLUMN_TYPES.map((type, at) => `c${at} ${type}`).join(', ')}); ${Array.from({ length: ROWS_OF_VALUES }, (_, at) => row(at)).join('\n')}`;
