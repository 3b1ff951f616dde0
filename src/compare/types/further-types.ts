// Lists the types that few tables have, and the rules that only some of them need. A new type needs
// a line here and a line in kernel/kernel.ts. Without the second line, the kernel encodes no row of
// a table that has the type.
import { bits } from './bits.js';
import { plain, type Codec } from './codec.js';
import { GEOMETRY } from './geometry.js';
import { hstore } from './hstore.js';
import { money } from './money.js';
import { POSTGIS } from './postgis.js';
import { utcRange } from './utc-range.js';

export const FURTHER_TYPES: Readonly<Record<string, Codec>> = {
  int4range: plain,
  int8range: plain,
  numrange: plain,
  daterange: plain,
  tsrange: plain,
  tstzrange: utcRange,
  bit: bits,
  hstore,
  ltree: plain,
  tsvector: plain,
  money,
  ...GEOMETRY,
  ...POSTGIS,
};

/** The types of this list whose one-dimensional arrays Debezium writes element by element. */
export const WITH_ARRAYS: ReadonlySet<string> = new Set([
  'int4range',
  'int8range',
  'numrange',
  'daterange',
  'tsrange',
  'tstzrange',
  'hstore',
]);

/** The types that a polling connector writes in a different form than Debezium. */
export const ONLY_FROM_DEBEZIUM: ReadonlySet<string> = new Set([
  'bit',
  'money',
  ...Object.keys(GEOMETRY),
  ...Object.keys(POSTGIS),
]);

/**
 * Types that a key must not have. A window looks up rows by the canonical texts of their keys. For
 * these types, Postgres reads the text of `literalOfCanon` as a different value, or not at all.
 */
export const NOT_IN_KEYS: ReadonlySet<string> = new Set([
  'bit',
  'hstore',
  'hstore[]',
  'money',
  ...Object.keys(GEOMETRY),
  ...Object.keys(POSTGIS),
]);
