// Forms of JSON values for the types that few tables have: usual, unusual and wrong ones.

const PLACEHOLDER = '"__debezium_unavailable_value"';
/** The polygon ((1,2),(3,4),(5,6)), whose first point comes again at the end. */
const RING =
  'AQMAAAABAAAABAAAAAAAAAAAAPA/AAAAAAAAAEAAAAAAAAAIQAAAAAAAABBAAAAAAAAAFEAAAAAAAAAYQAAAAAAAAPA/AAAAAAAAAEA=';

export const FURTHER_FORMS: Readonly<Record<string, readonly string[]>> = {
  int4range: ['"[1,5)"', '"empty"', '"(,)"', '""', PLACEHOLDER, '5', '[1,5]'],
  tstzrange: [
    '"empty"',
    '"[\\"2026-01-01 00:00:00+00\\",\\"2026-01-02 00:00:00+00\\")"',
    '"[\\"2026-01-01 01:00:00+01\\",\\"2026-01-02 01:00:00+01\\")"',
    '"[\\"2026-01-01 00:00:00+00\\",infinity]"',
    '"[\\"0044-03-15 00:00:00+00 BC\\",)"',
    '"[\\"2026-01-01 00:00:00\\",)"',
    '"[\\"2026-02-31 00:00:00+00\\",)"',
    '"(,)"',
    '"(,"',
    PLACEHOLDER,
  ],
  tsvector: ['"\'a\':1"', '"\'a b\':1A"', '""', '"\'\\\\\\\\\':1"', PLACEHOLDER, '7'],
  bit: ['true', 'false', '"AQ=="', '"AQ"', '"AQA="', '"AA=="', '""', '1', '"101"', PLACEHOLDER],
  hstore: [
    '"{}"',
    '"{\\"a\\":\\"1\\",\\"b\\":null}"',
    '"{\\"b\\":null,\\"a\\":\\"1\\"}"',
    '"{\\"a\\":\\"1\\",\\"a\\":\\"1\\"}"',
    '"{\\"a\\":1}"',
    '"{\\"a\\":\\"\\\\u0031\\"}"',
    '"{"',
    '"{\\"a\\":\\"1\\",}"',
    '"\\"a\\"=>\\"1\\", \\"b\\"=>NULL"',
    '"\\"b\\"=>NULL, \\"a\\"=>\\"1\\""',
    '""',
    '{"a":"1"}',
    '"{\\"__debezium_unavailable_value\\":\\"__debezium_unavailable_value\\"}"',
    PLACEHOLDER,
  ],
  money: [
    '"1.00"',
    '"-1.00"',
    '"1.0"',
    '"1"',
    '"-0.00"',
    '"0.00"',
    '1.00',
    '"1,000.00"',
    '"$1.00"',
  ],
  point: [
    '{"x":1.0,"y":2.0,"wkb":"AQEAAAAAAAAAAADwPwAAAAAAAABA","srid":null}',
    '{"y":2.0,"x":1.0,"wkb":"AQEAAAAAAAAAAADwPwAAAAAAAABA"}',
    '{"x":1.0,"y":3.0,"wkb":"AQEAAAAAAAAAAADwPwAAAAAAAABA","srid":null}',
    '{"x":1.0,"y":2.0,"srid":null}',
    '{"x":-0.0,"y":0.1,"wkb":"AQEAAAAAAAAAAAAAgJqZmZmZmbk/","srid":null}',
    '{"x":"NaN","y":"Infinity","wkb":"AQEAAAAAAAAAAAD4fwAAAAAAAPB/","srid":null}',
    '"(1,2)"',
    '{}',
    '[1,2]',
  ],
  polygon: [
    `{"wkb":"${RING}","srid":null,"extensions":{"type":"polygon"}}`,
    `{"wkb":"${RING}","srid":null,"extensions":{"type":"box"}}`,
    `{"wkb":"${RING}","srid":null}`,
    '{"wkb":"AQMAAAABAAAABAAAAA==","srid":null,"extensions":{"type":"polygon"}}',
    '{"wkb":"AA==","srid":null,"extensions":{"type":"polygon"}}',
    '{"wkb":7,"extensions":{"type":"polygon"}}',
    '"((1,2))"',
  ],
};
