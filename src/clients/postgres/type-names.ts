// Builds SQL for the names that Sluice gives to types. A base type of Postgres itself or of an
// extension has its own name, without a schema. A domain has the name of its base type. The name of
// any other user-defined type is its kind, such as `enum`, or contains its schema. It can therefore
// not be mistaken for a base type.

/**
 * Joins further columns to a type `t`. `b` is the type under all domains of `t`, and `base.typmod`
 * is the modifier from the innermost domain. If `b` is an array, `e` is the type of its elements.
 */
export const RESOLVED = `
JOIN LATERAL (WITH RECURSIVE chain AS (
    SELECT t.oid, t.typtype, t.typbasetype, t.typtypmod, -1 AS typmod
    UNION ALL SELECT p.oid, p.typtype, p.typbasetype, p.typtypmod, chain.typtypmod FROM chain JOIN pg_type p ON chain.typtype = 'd' AND p.oid = chain.typbasetype
  ) SELECT oid, typmod FROM chain WHERE typtype <> 'd') base ON true
JOIN pg_type b ON b.oid = base.oid
LEFT JOIN pg_type e ON e.typarray = b.oid`;

/**
 * Types that Debezium looks up by their name alone, in all schemas. If several types have such a
 * name, Debezium knows only one of them. A table counts too, because Postgres gives each table a
 * type with the table's name.
 */
const BY_NAME = `('citext', 'geography', 'geometry', 'halfvec', 'hstore', 'isbn', 'ltree', 'sparsevec', 'vector')`;

const ofExtension = (type: string): string =>
  `EXISTS (SELECT FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid WHERE d.classid = 'pg_type'::regclass AND d.objid = ${type}.oid AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND (x.extname = 'postgis' OR ${type}.typname NOT IN ('geometry', 'geography')))`;

const isOneOfSeveral = (type: string): string =>
  `(NOT ${ofExtension(type)} OR EXISTS (SELECT FROM pg_type o WHERE o.typname = ${type}.typname AND o.oid <> ${type}.oid))`;

/**
 * Returns SQL for the name of a type. An enum, a composite and a domain get the name of their kind.
 * A type of Postgres or of an extension keeps its own name. Any other type gets its schema before
 * its name. A type with a name in `BY_NAME` gets the suffix `(ambiguous)` if Debezium could take
 * another type for it.
 */
const kindOf = (type: string): string => `CASE
    WHEN ${type}.typname IN ${BY_NAME} AND ${isOneOfSeveral(type)} THEN ${type}.typname || ' (ambiguous)'
    WHEN ${type}.typtype = 'e' THEN 'enum' WHEN ${type}.typtype = 'c' THEN 'composite' WHEN ${type}.typtype = 'd' THEN 'domain'
    WHEN ${type}.typnamespace = 'pg_catalog'::regnamespace OR ${ofExtension(type)} THEN ${type}.typname
    ELSE format('%I.%I', (SELECT nspname FROM pg_namespace WHERE oid = ${type}.typnamespace), ${type}.typname) END`;

/** SQL for the name of a type `t`, with the columns of `RESOLVED`. An array is `type[]`. */
export const TYPE_NAME = `CASE WHEN t.typtype = 'd' AND t.typname IN ${BY_NAME} THEN t.typname || ' (ambiguous)' WHEN e.oid IS NULL THEN ${kindOf('b')} ELSE ${kindOf('e')} || '[]' END`;
