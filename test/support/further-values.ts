// Lists values of the types that few tables have: ordinary values and edge cases.

/** The SQL that creates the extensions of these types. */
export const FURTHER_SETUP = 'CREATE EXTENSION hstore; CREATE EXTENSION ltree;';

/** Maps each type to values as SQL. Each column also gets NULLs. */
export const FURTHER_VALUES: Readonly<Record<string, readonly string[]>> = {
  int4range: ["'empty'", "'(,)'", "'[1,5]'", "'(,5]'", "'[-2147483648,2147483646]'"],
  int8range: ["'empty'", "'[9223372036854775806,)'", "'[1,9007199254740993]'"],
  numrange: ["'[1.10,1.1]'", "'(-0.0,2.00]'", "'[1.5,NaN]'", "'[-Infinity,Infinity]'"],
  daterange: ["'[2026-01-01,infinity)'", "'[0044-03-15 BC,10000-01-01]'", "'[-infinity,)'"],
  tsrange: [
    "'[2026-01-01 00:00:00.5,infinity]'",
    "'(0044-03-15 12:00:00 BC,15000-01-01 00:00)'",
    "'[,2026-03-29 02:30)'",
  ],
  tstzrange: [
    "'[2026-01-01 00:00:00.5+03,infinity]'",
    "'(0044-03-15 12:00:00+00 BC,15000-01-01 00:00+00)'",
    "'[1900-01-01 00:00:00+05:53:28,)'",
  ],
  'int4range[]': [`'{"[1,5)",empty,NULL}'`],
  'tstzrange[]': ["ARRAY['[2026-01-01 00:00:00+00,)'::tstzrange, NULL]"],
  'bit(1)': ["B'1'", "B'0'"],
  'bit(8)': ["B'00000001'", "B'10000000'", "B'00000000'"],
  'bit(12)': ["B'000000000001'", "B'100000000000'", "B'000000000000'"],
  hstore: [
    "''",
    "'a=>1, b=>NULL'",
    `'"k ey"=>"v\\"q, \\\\ x", "NULL"=>"NULL", "é😀"=>"=>"'`,
    `hstore(E'tab\\tkey', E'new\\nline\\u0001')`,
    `'z=>1,a=>2,mm=>3,bbb=>4, ""=>""'`,
    `hstore('k', '{"json": "x"}')`,
    `hstore('a\\b', '\\')`,
  ],
  'hstore[]': ["ARRAY['a=>1'::hstore, NULL]"],
  ltree: ["''", "'a.b.C_9'", "'Top.Other'"],
  tsvector: ["''", `'''a b'':1A,2 c:3B d'`, `$$'it''s':1 'back\\\\slash':2$$`, `'ünï:3 😀'`],
  money: ['0', '1234.5', '-0.01', "'92233720368547758.07'", '-1234567.89'],
  point: ["'(1,2)'", "'(-0,0.1)'", "'(NaN,Infinity)'", "'(5e-324,1.7976931348623157e308)'"],
  line: ["'{1,2,3}'", "'{-1.5,1e-7,0}'"],
  lseg: ["'[(1,2),(3,4)]'", "'[(NaN,-Infinity),(-0,4)]'"],
  box: ["'(3,4),(1,2)'", "'(-1,0.1),(Infinity,-7)'", "'(1,1),(1,1)'"],
  path: ["'[(1,2),(3,4)]'", "'((1,2),(3,4))'", "'[(1,2)]'", "'((1,2),(3,4),(1,2))'"],
  polygon: ["'((1,2),(3,4),(5,6))'", "'((1e22,-0),(-Infinity,0.1))'"],
  circle: ["'<(1,2),3>'", "'<(0.1,-0),0>'"],
};
