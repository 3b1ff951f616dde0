// Builds the configuration of a polling connector (`jdbc-source`) from a spec. Each table, or the
// query that is captured instead, has its own connector. The connector's records have Debezium's
// shape (key, `after`, `op`). Pipelines and comparisons can therefore read them like Debezium's
// records. Debezium can also continue a topic that a polling connector has filled. A polling
// connector can continue a topic that Debezium has filled.
import type { Capture } from '../domain/migration/names.js';
import { parseTableName, qualified, quoteIdent } from '../domain/migration/names.js';
import {
  POLL_INTERVAL,
  defaultPollMs,
  looksAtIds,
  looksAtTimes,
  type Polling,
} from '../domain/capture/polling-settings.js';
import { durationMs } from '../domain/values/duration.js';
import type { MigrationSpec, PollingMode } from '../domain/migration/spec.js';
import { stripSemicolon } from '../domain/values/strip-semicolon.js';
import { jdbcUrl } from './jdbc-url.js';
import { placeholder } from './kafka-client-properties.js';

export interface JdbcPlugin {
  readonly connectorClass: string;
  /** True if the plugin rounds times and numbers. The query must then return them as text. */
  readonly asText: boolean;
  readonly carriesArrays: boolean;
  /** True if the plugin reports the end of a complete poll. */
  readonly countsPolls: boolean;
  /** The modes in which the plugin can move its position past unread rows, and why. */
  readonly skipsIn: Readonly<Partial<Record<PollingMode, string>>>;
  /**
   * Configuration keys that only this plugin has, or whose default differs from the default of the
   * other plugins.
   */
  readonly config: Readonly<Record<string, string>>;
}

const WELL_KNOWN = { asText: true, carriesArrays: false, countsPolls: false } as const;
const NO_DELAY = 'it ignores the delay, so it skips a lower id that is committed later';
const SAME_TIME =
  'after a restart, it skips the unread rows that have the same time as the last row that it read';
const POSTGRES = {
  'dialect.name': 'PostgreSqlDatabaseDialect',
  'db.timezone': 'UTC',
  'validate.non.null': 'false',
} as const;

/** The plugins in order of preference. All of them accept the keys of `jdbcSourceConfig`. */
export const JDBC_PLUGINS: readonly JdbcPlugin[] = [
  {
    connectorClass: 'dev.sluice.jdbc.JdbcSourceConnector',
    asText: false,
    carriesArrays: true,
    countsPolls: true,
    skipsIn: {},
    config: {},
  },
  {
    connectorClass: 'io.aiven.connect.jdbc.JdbcSourceConnector',
    ...WELL_KNOWN,
    skipsIn: { incrementing: NO_DELAY, timestamp: SAME_TIME },
    config: POSTGRES,
  },
  {
    connectorClass: 'io.confluent.connect.jdbc.JdbcSourceConnector',
    ...WELL_KNOWN,
    skipsIn: { incrementing: NO_DELAY },
    config: { ...POSTGRES, 'timestamp.granularity': 'connect_logical' },
  },
];

/**
 * Chooses one of the plugins that a Connect worker lists as installed. `connector.config` may name
 * the plugin. Undefined if no plugin fits.
 */
export function jdbcPlugin(
  { spec }: MigrationSpec,
  installed: readonly string[],
): JdbcPlugin | undefined {
  const named = spec.connector.config['connector.class'];
  return JDBC_PLUGINS.find(
    (p) =>
      (named === undefined || p.connectorClass === named) && installed.includes(p.connectorClass),
  );
}

export interface PolledColumn {
  readonly name: string;
  readonly type: string;
}

/** A polled table or query: its columns as the catalog describes them, and its key. */
export interface PolledShape {
  readonly columns: readonly PolledColumn[];
  readonly key: readonly string[];
}

const CURSOR = 'sluice_cursor';
// The query comes from the spec, so its session can only read. With row_security=off, Postgres
// raises an error instead of hiding rows. Otherwise, the connector would move its position past the
// hidden rows and never read them.
const SESSION = '-c default_transaction_read_only=on -c row_security=off';

export function jdbcSourceConfig(
  { spec }: MigrationSpec,
  polling: Polling,
  capture: Capture,
  { columns, key }: PolledShape,
  plugin: JdbcPlugin,
): Record<string, string> {
  const { postgres } = spec.source;
  const byTime = looksAtTimes(polling.mode);
  return {
    'connector.class': plugin.connectorClass,
    'tasks.max': '1',
    'connection.url': jdbcUrl(postgres, capture.connector, SESSION),
    'connection.user': postgres.user,
    ...(postgres.passwordFrom ? { 'connection.password': placeholder(postgres.passwordFrom) } : {}),
    ...plugin.config,
    mode: polling.mode,
    query: polledQuery(polling, capture, columns, plugin),
    ...(looksAtIds(polling.mode)
      ? { 'incrementing.column.name': polling.incrementingColumn! }
      : {}),
    ...(byTime ? { 'timestamp.column.name': CURSOR } : {}),
    ...(polling.mode === 'bulk'
      ? {}
      : { 'timestamp.delay.interval.ms': String(durationMs(polling.delay)) }),
    'topic.prefix': capture.topic,
    [POLL_INTERVAL]: String(defaultPollMs(polling.mode)),
    'batch.max.rows': '10000',
    transforms: ['key', ...(byTime ? ['cursor'] : []), 'after', 'op'].join(','),
    'transforms.key.type': 'org.apache.kafka.connect.transforms.ValueToKey',
    'transforms.key.fields': key.join(','),
    ...(byTime
      ? {
          'transforms.cursor.type': 'org.apache.kafka.connect.transforms.ReplaceField$Value',
          'transforms.cursor.exclude': CURSOR,
        }
      : {}),
    'transforms.after.type': 'org.apache.kafka.connect.transforms.HoistField$Value',
    'transforms.after.field': 'after',
    'transforms.op.type': 'org.apache.kafka.connect.transforms.InsertField$Value',
    'transforms.op.static.field': 'op',
    'transforms.op.static.value': 'r',
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'key.converter.schemas.enable': 'false',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': 'false',
    ...spec.connector.config,
  };
}

/** Returns a SELECT from a subquery that reads the polled rows. So a plugin can append a WHERE. */
function polledQuery(
  polling: Polling,
  capture: Capture,
  columns: readonly PolledColumn[],
  plugin: JdbcPlugin,
): string {
  const wanted = columns.map(({ name, type }) => {
    const text = plugin.asText ? textOf(type, quoteIdent(name)) : null;
    return text === null ? quoteIdent(name) : `${text} AS ${quoteIdent(name)}`;
  });
  const cursor = looksAtTimes(polling.mode) ? [`${cursorOf(polling)} AS ${CURSOR}`] : [];
  return `SELECT * FROM (SELECT ${[...wanted, ...cursor].join(', ')} FROM ${polledFrom(polling, capture)}) AS sluice_rows`;
}

/** Returns the FROM item: the table, or the query as a subquery. */
export const polledFrom = (polling: Polling, { subject }: Pick<Capture, 'subject'>): string =>
  polling.query === null
    ? qualified(parseTableName(subject))
    : `(${stripSemicolon(polling.query)}\n) AS sluice_query`;

/** Returns SQL for the time of a row's last change. */
export function cursorOf({ timestampColumns }: Polling): string {
  const columns = timestampColumns.map(quoteIdent);
  return columns.length === 1 ? columns[0]! : `COALESCE(${columns.join(', ')})`;
}

const instant = (column: string): string =>
  `CASE WHEN isfinite(${column}) AND ${column} >= '0001-01-01' THEN to_char(${column}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') ELSE ${column}::text END`;

/**
 * Returns SQL for a column's value in the form of Debezium's records, or as Postgres prints it.
 * Null if the plugin carries values of this type unchanged.
 */
function textOf(type: string, column: string): string | null {
  switch (type) {
    case 'bool':
    case 'int2':
    case 'int4':
    case 'int8':
    case 'float4':
    case 'float8':
    case 'bytea':
    case 'text':
    case 'varchar':
    case 'bpchar':
      return null;
    case 'oid':
      return `${column}::int8`;
    case 'timestamp':
      return instant(column);
    case 'timestamptz':
      return instant(`(${column} AT TIME ZONE 'UTC')`);
    case 'date':
      return `CASE WHEN isfinite(${column}) AND ${column} >= '0001-01-01' THEN to_char(${column}, 'YYYY-MM-DD"Z"') ELSE ${column}::text END`;
    case 'time':
      return `${column}::text || 'Z'`;
    case 'interval':
      return `'P' || ${['year Y', 'month M', 'day D'].map((p) => part(column, p)).join(' || ')} || 'T' || ${['hour H', 'minute M', 'second S'].map((p) => part(column, p)).join(' || ')}`;
    default:
      // Uses the server's own text, because a cast of an inet to text adds the mask.
      return `CASE WHEN ${column} IS NOT NULL THEN format('%s', ${column}) END`;
  }
}

function part(column: string, unit: string): string {
  const [field, letter] = unit.split(' ') as [string, string];
  return `extract(${field} FROM ${column})::numeric || '${letter}'`;
}
