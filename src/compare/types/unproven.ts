// Says why values of a type cannot be proven equal. The reasons were found in records of Debezium
// 3.7.

/**
 * Base types whose columns Debezium omits from its records. It also omits multiranges. A column of
 * any other type is present unless it is generated, and may be null.
 */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'composite',
  'composite[]',
  'cube',
  'domain[]',
  'interval[]',
  'jsonpath',
  'lquery',
  'ltxtquery',
  'money[]',
  'name[]',
  'pg_lsn',
  'pg_lsn[]',
  'pg_snapshot',
  'point[]',
  'regclass',
  'regproc',
  'seg',
  'tid',
  'tsquery',
  'txid_snapshot',
  'varbit[]',
  'xid',
  'xid8',
  'xml[]',
]);

/**
 * Returns whether the connector silently omits a column of this base type. Records that Sluice
 * writes itself must omit it, too.
 */
export const isLeftOut = (type: string): boolean =>
  LEFT_OUT.has(type) || type.endsWith('multirange');

const WHY: Readonly<Record<string, string>> = {
  timetz: 'the connector converts it to UTC and drops its offset',
  varbit: 'the connector drops its length, so 001 and 1 are equal',
  'geometry[]': 'Sluice does not read the text of these arrays',
  'geography[]': 'Sluice does not read the text of these arrays',
  name: 'the connector writes NULL in each change after the initial load',
  'enum[]': 'the connector writes NULL for an array with a NULL label',
  ...Object.fromEntries(
    ['bit', 'box', 'circle', 'line', 'lseg', 'ltree', 'path', 'polygon', 'tsvector'].map((type) => [
      `${type}[]`,
      'the connector writes NULL instead of it',
    ]),
  ),
};

const AMBIGUOUS =
  'the connector knows this type only by its name, and the database has a type of this name that does not belong to the extension';

/** Returns the reason, as a preflight check shows it, for a type that `isProvable` refuses. */
export function whyUnproven(type: string): string {
  if (isLeftOut(type)) return 'the connector omits it';
  if (type.replace('[]', '').endsWith(' (ambiguous)')) return AMBIGUOUS;
  return WHY[type] ?? 'its form in records is not known';
}

/**
 * Says why a generated column cannot be compared. If the publication does not contain the column,
 * Debezium writes it only in its initial load.
 */
export const WHY_GENERATED = 'generated: the log omits it';
