// Finds casts whose result depends on settings of the session that makes them, such as its time
// zone. In a view, each reader's own session makes the cast, so two readers can get different
// results.

const ZONED: ReadonlySet<string> = new Set(['timestamp with time zone', 'time with time zone']);
const UNZONED: ReadonlySet<string> = new Set([
  'timestamp without time zone',
  'time without time zone',
  'date',
]);
const TEXTS: ReadonlySet<string> = new Set(['text', 'character varying', 'character', 'citext']);
/** Types whose text depends on settings of the session. */
const PRINTED: ReadonlySet<string> = new Set([
  ...ZONED,
  ...UNZONED,
  'interval',
  'bytea',
  'real',
  'double precision',
  'money',
  'daterange',
  'tsrange',
  'tstzrange',
]);

/**
 * Returns whether the cast between these types depends on settings of the session. Each type is a
 * text as `format_type` prints it.
 */
export function dependsOnSession(one: string, other: string): boolean {
  const [a, b] = [plainType(one), plainType(other)];
  if (a === b) return false;
  if (a === 'money' || b === 'money' || isZoned(a) || isZoned(b)) return true;
  return (TEXTS.has(a) && isPrinted(b)) || (TEXTS.has(b) && isPrinted(a));
}

const isZoned = (type: string): boolean => ZONED.has(elementOf(type)) || type === 'tstzrange';
const isPrinted = (type: string): boolean => PRINTED.has(elementOf(type));
const elementOf = (type: string): string => type.replace(/(\[\])+$/, '');

/** Removes the modifier of a type, and the fields of an interval, such as `day to second`. */
const plainType = (type: string): string =>
  type.replace(/\(\d+(,-?\d+)?\)/, '').replace(/^interval\b[^[]*/, 'interval');
