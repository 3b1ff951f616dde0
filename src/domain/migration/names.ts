// Derives the names of the capture's objects, the sink connector and the lease row's schema. A name
// depends only on the spec (the migration's name, `topicPrefix`, `adopt` and `existing`) and on the
// generation, which is the number of the capture. So a repeated step finds the objects that it
// created before. Also parses and quotes the names of tables.
import type { MigrationSpec } from './spec.js';

export interface Names {
  readonly slot: string;
  readonly publication: string;
  readonly connector: string;
  readonly sinkConnector: string;
  readonly topicPrefix: string;
  /** The barrier topic: Debezium writes Sluice's markers here. */
  readonly messageTopic: string;
  readonly notificationTopic: string;
  readonly heartbeatTopic: string;
  /** Sluice writes its request for an incremental snapshot here. */
  readonly signalTopic: string;
  /** The consumer group with which the connector reads signals. */
  readonly signalGroup: string;
  /** If Flink compares the tables, Sluice writes the rows of a window's snapshot here. */
  readonly windowTopic: string;
  /** The schema in the target database that contains the lease row. */
  readonly leaseSchema: string;
}

export function namesOf({ metadata, spec }: MigrationSpec, generation: number): Names {
  const { name } = metadata;
  const suffix = generation === 1 ? '' : `-g${generation}`;
  const sql = `sluice_${`${name}${suffix}`.replaceAll('-', '_')}`;
  const base = spec.connector.topicPrefix ?? name;
  const topicPrefix = generation === 1 ? base : `${base}.g${generation}`;
  const adopted = spec.adopt ? spec.existing : undefined;
  return {
    slot: adopted?.slot ?? sql,
    publication: adopted?.publication ?? sql,
    connector: `${name}${suffix}`,
    sinkConnector: `${name}-sink${suffix}`,
    topicPrefix,
    messageTopic: `${topicPrefix}.message`,
    notificationTopic: `${topicPrefix}.notifications`,
    heartbeatTopic: `${topicPrefix}.heartbeat.${topicPrefix}`,
    signalTopic: `${topicPrefix}.signals`,
    signalGroup: `${name}${suffix}-signals`,
    windowTopic: `${topicPrefix}.window`,
    leaseSchema: `sluice_${name.replaceAll('-', '_')}`,
  };
}

/**
 * The prefixes of messages in the WAL that belong to no migration. A connector accepts
 * `sluice-<name>`, and a migration's name has no dot, so no connector of Sluice publishes these
 * messages.
 */
export const WITNESS_PREFIX = 'sluice.witness';
export const COMPARE_PREFIX = 'sluice.compare';

export interface TableName {
  readonly schema: string;
  readonly table: string;
}

/** A table or view that the spec names. */
export interface Relation extends TableName {
  /** The name as the spec writes it, for messages and as a subject. */
  readonly text: string;
  /** The name with both parts quoted, for SQL. */
  readonly sql: string;
}

/**
 * Parses `schema.name` or `"Odd Schema"."Odd.Name"`. Throws an Error that explains why a text has
 * neither form.
 */
export function parseTableName(text: string): TableName {
  const part = /^(?:([a-z_][a-z0-9_$]*)|"((?:[^"]|"")+)")/;
  const first = part.exec(text);
  const rest = first ? text.slice(first[0].length) : '';
  const second = rest.startsWith('.') ? part.exec(rest.slice(1)) : null;
  if (!first || !second || second[0].length !== rest.length - 1) {
    throw new Error(
      `"${text}" is not schema.name (use lower case, or put other names in double quotes, as in "Odd Schema"."Odd Name")`,
    );
  }
  const name = (match: RegExpExecArray): string => match[1] ?? match[2]!.replaceAll('""', '"');
  return { schema: name(first), table: name(second) };
}

/**
 * Returns the topic to which Debezium writes the changes of a table. Characters that Kafka does not
 * allow become `_`.
 */
export function tableTopic(topicPrefix: string, { schema, table }: TableName): string {
  return `${topicPrefix}.${schema}.${table}`.replaceAll(/[^a-zA-Z0-9._-]/g, '_');
}

// Words that PostgreSQL 14 to 18 accept as a name only in quotes (categories R and T of its
// keywords).
const RESERVED: ReadonlySet<string> = new Set(
  (
    'all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation column concurrently constraint create cross ' +
    'current_catalog current_date current_role current_schema current_time current_timestamp current_user default deferrable desc distinct do else end except false ' +
    'fetch for foreign freeze from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit localtime ' +
    'localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references returning right select session_user similar some ' +
    'symmetric system_user table tablesample then to trailing true union unique user using variadic verbose when where window with none'
  ).split(' '),
);
export const quoteIdent = (name: string): string => `"${name.replaceAll('"', '""')}"`;
/** Quotes an identifier only if it must be quoted. */
export const plainIdent = (name: string): string =>
  /^[a-z_][a-z0-9_]*$/.test(name) && !RESERVED.has(name) ? name : quoteIdent(name);
export const quoteLiteral = (text: string): string =>
  (text.includes('\\') ? ' E' : '') + `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
export const qualified = ({ schema, table }: TableName): string =>
  `${quoteIdent(schema)}.${quoteIdent(table)}`;

/** Parses a relation's name as the spec writes it. Throws an Error if it is not `schema.name`. */
export function relation(text: string): Relation {
  const name = parseTableName(text);
  return { ...name, text, sql: qualified(name) };
}

/** Returns a relation's name for SQL that people read, quoted only if it must be. */
export function plainName(text: string): string {
  const { schema, table } = parseTableName(text);
  return `${plainIdent(schema)}.${plainIdent(table)}`;
}

/**
 * Returns the one text that names this relation and that `parseTableName` reads. A name has quotes
 * only if it has characters other than a-z, 0-9, `_` and `$`, or begins with a digit or `$`.
 */
export const specName = ({ schema, table }: TableName): string =>
  [schema, table]
    .map((name) => (/^[a-z_][a-z0-9_$]*$/.test(name) ? name : quoteIdent(name)))
    .join('.');

/** One table or query that a source connector writes to a topic. */
export interface Capture {
  /** A table as the spec writes it, or `query`. */
  readonly subject: string;
  readonly connector: string;
  readonly topic: string;
}

/** Returns the consumer group that Kafka Connect gives the sink connector. */
export const sinkGroup = ({ sinkConnector }: Names): string => `connect-${sinkConnector}`;
