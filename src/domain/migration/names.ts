// Every name that Sluice gives to something, derived from (migration, generation): deterministic, so that a repeated step finds its own work.
import type { MigrationSpec } from './spec.js';

export interface Names {
  readonly slot: string;
  readonly publication: string;
  readonly connector: string;
  readonly sinkConnector: string;
  readonly topicPrefix: string;
  /** Barrier topic: Debezium publishes logical messages here. */
  readonly messageTopic: string;
  readonly notificationTopic: string;
  readonly heartbeatTopic: string;
  /** We ask the connector for an incremental snapshot here. */
  readonly signalTopic: string;
  /** The consumer group with which the connector reads signals. */
  readonly signalGroup: string;
  /** Rows of a window's snapshot, on their way to Flink; only where it is the engine. */
  readonly windowTopic: string;
  /** Schema in the source database that holds the lease row. */
  readonly leaseSchema: string;
}

export function namesOf(spec: MigrationSpec, generation: number): Names {
  const name = spec.metadata.name;
  const suffix = generation === 1 ? '' : `-g${generation}`;
  const sql = `sluice_${`${name}${suffix}`.replaceAll('-', '_')}`;
  const base = spec.spec.connector.topicPrefix ?? name;
  const topicPrefix = generation === 1 ? base : `${base}.g${generation}`;
  return {
    slot: sql,
    publication: sql,
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

/** Parses `schema.name` or `"Odd Schema"."Odd.Name"`. Throws with the reason when the text is not exactly that. */
export function parseTableName(text: string): TableName {
  const part = /^(?:([a-z_][a-z0-9_$]*)|"((?:[^"]|"")+)")/;
  const first = part.exec(text);
  const rest = first ? text.slice(first[0].length) : '';
  const second = rest.startsWith('.') ? part.exec(rest.slice(1)) : null;
  if (!first || !second || second[0].length !== rest.length - 1) {
    throw new Error(
      `"${text}" is not schema.name (lower case; put odd names in double quotes, as in "Odd Schema"."Odd Name")`,
    );
  }
  const name = (match: RegExpExecArray): string => match[1] ?? match[2]!.replaceAll('""', '"');
  return { schema: name(first), table: name(second) };
}

/** Debezium's topic of a table: characters that Kafka does not allow become `_`. */
export function tableTopic(topicPrefix: string, { schema, table }: TableName): string {
  return `${topicPrefix}.${schema}.${table}`.replaceAll(/[^a-zA-Z0-9._-]/g, '_');
}

// Words that PostgreSQL 14 to 18 do not take as a name without quotes (categories R and T of its keywords).
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
/** Quoted only where it must be, as people write it. */
export const plainIdent = (name: string): string =>
  /^[a-z_][a-z0-9_]*$/.test(name) && !RESERVED.has(name) ? name : quoteIdent(name);
export const quoteLiteral = (text: string): string =>
  (text.includes('\\') ? ' E' : '') + `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
export const qualified = ({ schema, table }: TableName): string =>
  `${quoteIdent(schema)}.${quoteIdent(table)}`;

/** Parses a relation's name as the spec writes it. Throws with the reason when it is not `schema.name`. */
export function relation(text: string): Relation {
  const name = parseTableName(text);
  return { ...name, text, sql: qualified(name) };
}

/** A relation as the spec writes it, quoted only where it must be. */
export function plainName(text: string): string {
  const { schema, table } = parseTableName(text);
  return `${plainIdent(schema)}.${plainIdent(table)}`;
}

/** One table or query that a source connector writes to a topic. */
export interface Capture {
  /** A table as the spec writes it, or `query`. */
  readonly subject: string;
  readonly connector: string;
  readonly topic: string;
}

/** The consumer group that Connect gives the sink connector. */
export const sinkGroup = (spec: MigrationSpec, generation: number): string =>
  `connect-${namesOf(spec, generation).sinkConnector}`;
