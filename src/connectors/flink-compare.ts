// Builds Flink SQL that compares a table with its topic. The SQL reads two topics up to fixed
// offsets: one with the table's rows, and the table's own topic (the stream). From the stream, it
// takes each key's last record that the window's snapshot sees. Then a full outer join joins both
// sides. Rows that this SQL finds equal are proven equal. The worker later compares other rows
// value by value, up to a limit. Flink's tables use the plain kafka connector with raw values. The
// format `json` would silently drop tombstones, and batch mode refuses upsert-kafka.
import { idsEnd, type SnapshotVisibility } from '../domain/values/position.js';
import { PLACEHOLDER_BASE64, TOAST_PLACEHOLDER } from '../domain/values/toast-placeholder.js';

/** The offsets `[from, to)` of every partition. */
export interface TopicRange {
  readonly topic: string;
  readonly partitions: readonly {
    readonly partition: number;
    readonly from: number;
    readonly to: number;
  }[];
}

/** The way in which Flink's tables reach Kafka. */
export interface FlinkKafka {
  readonly brokers: readonly string[];
  /** The options for TLS and login. They contain no secret. */
  readonly login: Readonly<Record<string, string>>;
}

export interface FlinkComparison extends FlinkKafka {
  /**
   * The topic to which the worker has written the table's rows, as the window's snapshot shows
   * them. The records have the form of an initial load.
   */
  readonly legacy: TopicRange;
  readonly stream: TopicRange;
  readonly snapshot: SnapshotVisibility;
  /** Columns that are not compared. */
  readonly ignored: readonly string[];
}

/**
 * The kind that the join gives to a key. This SQL also plants canaries. In the rows of
 * `countKinds`, their kinds begin with `canary-`.
 */
export type Kind = 'matched' | 'missing' | 'extraneous' | 'different';

export const CANARY: Readonly<Record<Kind, number>> = {
  missing: 1,
  different: 1,
  extraneous: 1,
  matched: 1,
};

/**
 * Sets batch mode, and how often a failed job restarts. In many clusters, the configured strategy
 * restarts jobs forever. A job that cannot log in to Kafka would then never end, and the window
 * would hang.
 */
const inBatch = (restarts: number): string[] => [
  `SET 'execution.runtime-mode' = 'batch'`,
  `SET 'restart-strategy.type' = 'fixed-delay'`,
  `SET 'restart-strategy.fixed-delay.attempts' = '${restarts}'`,
  `SET 'restart-strategy.fixed-delay.delay' = '2 s'`,
];

/**
 * A comparison needs network buffers of Flink. While other jobs use them, the job of the comparison
 * fails, and Flink restarts it.
 */
const RESTARTS = 10;

/**
 * Returns the statements that define tables and views. After these statements, the session can run
 * `countKinds` and `candidates`.
 */
export function flinkSetup(input: FlinkComparison): string[] {
  return [
    ...inBatch(RESTARTS),
    sideTable('sluice_legacy', input.legacy, input),
    sideTable('sluice_stream', input.stream, input),
    `CREATE TEMPORARY VIEW sluice_records AS ${recordsOf()}`,
    `CREATE TEMPORARY VIEW sluice_pairs AS ${pairsOf(input)}`,
  ];
}

/**
 * Returns the query for rows `[kind, count]`. The kind `unreadable` counts records that are not
 * complete change events in UTF-8. The kind `scattered` counts keys that are in several partitions.
 * The records of such a key have no order, so it is unknown which of them is the last.
 */
export function countKinds({ partitions }: TopicRange): string {
  const kinds = `SELECT kind, COUNT(*) AS n FROM sluice_pairs GROUP BY kind
  UNION ALL SELECT 'unreadable' AS kind, COUNT(*) AS n FROM sluice_records WHERE ${unreadable()}`;
  if (partitions.length === 1) return kinds;
  const scattered = `SELECT k FROM sluice_stream WHERE k IS NOT NULL GROUP BY k HAVING MIN(p) <> MAX(p)`;
  return `${kinds}
  UNION ALL SELECT 'scattered' AS kind, COUNT(*) AS n FROM (${scattered})`;
}

/**
 * Returns the query for at most `limit` keys that are not proven equal. Its rows are `[kind, row of
 * the table, row of the stream]`, with both rows as JSON.
 */
export const candidates = (limit: number): string =>
  `SELECT kind, legacy_row, stream_row FROM sluice_pairs WHERE kind IN ('missing', 'extraneous', 'different') LIMIT ${limit}`;

/**
 * Returns statements that log in to Kafka and read no record. The last one fails if Flink cannot
 * log in, or cannot see the topic.
 */
export const loginProbe = (topic: string, kafka: FlinkKafka): string[] => [
  ...inBatch(1),
  sideTable('sluice_probe', { topic, partitions: [{ partition: 0, from: 0, to: 0 }] }, kafka),
  'SELECT COUNT(*) FROM sluice_probe',
];

function sideTable(name: string, range: TopicRange, { brokers, login }: FlinkKafka): string {
  const offsets = (at: 'from' | 'to'): string =>
    range.partitions.map((p) => `partition:${p.partition},offset:${p[at]}`).join(';');
  const options: Record<string, string> = {
    connector: 'kafka',
    topic: range.topic,
    'properties.bootstrap.servers': brokers.join(','),
    'properties.isolation.level': 'read_committed',
    ...login,
    'key.format': 'raw',
    'key.fields': 'key_bytes',
    'value.format': 'raw',
    'value.fields-include': 'EXCEPT_KEY',
    'scan.startup.mode': 'specific-offsets',
    'scan.startup.specific-offsets': offsets('from'),
    'scan.bounded.mode': 'specific-offsets',
    'scan.bounded.specific-offsets': offsets('to'),
  };
  const list = Object.entries(options).map(([key, value]) => `'${key}' = ${literal(value)}`);
  const text = (bytes: string): string => `DECODE(${bytes}, 'UTF-8')`;
  return `CREATE TEMPORARY TABLE ${name} (key_bytes BYTES, value_bytes BYTES, o BIGINT METADATA FROM 'offset' VIRTUAL, p INT METADATA FROM 'partition' VIRTUAL,
    k AS ${text('key_bytes')}, v AS ${text('value_bytes')}) WITH (${list.join(', ')})`;
}

/**
 * Flink reads bytes that are not UTF-8 as U+FFFD, which a row of the table may really have. Only
 * the bytes show the difference.
 */
const isNotUtf8 = (text: string, bytes: string): string =>
  String.raw`(${text} LIKE U&'%\FFFD%' AND ENCODE(${text}, 'UTF-8') <> ${bytes})`;

/**
 * Selects the records of the stream's topic and the planted canaries, each with its operation,
 * transaction and image. A tombstone is dropped if the key has no row before it: the previous
 * record is a delete event or a tombstone, or there is none. Any other tombstone gets the
 * operation `t`: it deletes the key for every reader of the topic.
 */
function recordsOf(): string {
  const planted = (id: number, x: number): string =>
    `SELECT ${canaryKey(id)} AS k, CAST(0 AS BIGINT) AS o, 'r' AS op, CAST(0 AS BIGINT) AS tx, ${literal(canaryImage(x))} AS image`;
  const broken = `${isNotUtf8('k', 'key_bytes')} OR ${isNotUtf8('v', 'value_bytes')}`;
  const op = `CASE WHEN ${broken} THEN CAST(NULL AS STRING) WHEN v IS NULL THEN 't' ELSE JSON_VALUE(v, '$.op') END`;
  const events = `SELECT k, o, ${op} AS op, TRY_CAST(JSON_VALUE(v, '$.source.txId') AS BIGINT) AS tx, ${IMAGE} AS image FROM sluice_stream`;
  const before = `SELECT *, LAG(op) OVER (PARTITION BY k ORDER BY o) AS was FROM (${events})`;
  return `SELECT k, o, op, tx, image FROM (${before}) WHERE op IS NULL OR op <> 't' OR k IS NULL OR COALESCE(was, 't') NOT IN ('d', 't')
  UNION ALL ${planted(2, 2)} UNION ALL ${planted(3, 1)} UNION ALL ${planted(4, 1)}`;
}

function pairsOf({ ignored, snapshot }: FlinkComparison): string {
  const planted = (id: number): string =>
    `SELECT ${canaryKey(id)} AS k, ${literal(canaryImage(1))} AS image`;
  const legacy = `SELECT k, ${IMAGE} AS image FROM sluice_legacy UNION ALL ${planted(1)} UNION ALL ${planted(2)} UNION ALL ${planted(4)}`;
  const isUnseen = `op IN ('c', 'u', 'd') AND NOT (${isVisible(snapshot)})`;
  const judged = `SELECT *, MAX(CASE WHEN ${isUnseen} THEN 1 ELSE 0 END) OVER (PARTITION BY k ORDER BY o) AS unseen FROM sluice_records WHERE NOT (${unreadable()})`;
  const isSeen = `op = 't' OR (op = 'r' AND unseen = 0 AND NOT (${isReadLater(snapshot)})) OR (op IN ('c', 'u', 'd') AND (${isVisible(snapshot)}))`;
  const latest = `SELECT k, image FROM (
    SELECT k, op, image, ROW_NUMBER() OVER (PARTITION BY k ORDER BY o DESC) AS n FROM (${judged}) WHERE ${isSeen}
  ) WHERE n = 1 AND op NOT IN ('d', 't')`;
  const doubtful = UNPROVABLE.map((text) => `s.image LIKE ${literal(`%${text}%`)}`).join(' OR ');
  const kind = `CASE WHEN s.k IS NULL THEN 'missing' WHEN l.k IS NULL THEN 'extraneous' WHEN l.image IS NULL OR s.image IS NULL OR ${comparable('l.image', ignored)} <> ${comparable('s.image', ignored)} OR ${doubtful} THEN 'different' ELSE 'matched' END`;
  return `SELECT CASE WHEN COALESCE(l.k, s.k) LIKE ${literal(`{"${CANARY_COLUMN}":%`)} THEN 'canary-' ELSE '' END || ${kind} AS kind, l.image AS legacy_row, s.image AS stream_row
  FROM (${legacy}) AS l FULL OUTER JOIN (${latest}) AS s ON l.k = s.k`;
}

/** Texts that replace a value that Debezium did not receive. Their rows never count as equal. */
const UNPROVABLE = [TOAST_PLACEHOLDER, PLACEHOLDER_BASE64];

/**
 * The row's JSON text. Flink parses and prints the text of both sides, so both sides have the same
 * notation.
 */
const IMAGE = `JSON_QUERY(v, '$.after')`;

/**
 * Returns SQL for the image without the columns that are not compared, and without the comma beside
 * each of them.
 */
const comparable = (image: string, ignored: readonly string[]): string =>
  ignored.reduce((text, name) => `REGEXP_REPLACE(${text}, ${literal(rowMember(name))}, '')`, image);

const STRING = String.raw`"[^"\\]*+(?:\\.[^"\\]*+)*+"`;
const VALUE = String.raw`(?:${STRING}|\[(?:${STRING}|[^\]"])*+\]|\{(?:${STRING}|[^}"])*+\}|[^,}]*+)`;
const MEMBER = `${STRING}:${VALUE}`;

/**
 * Returns a regular expression that matches a column in the JSON of a row, and one comma beside it.
 * A value of the row may be an object that has a member of the same name, such as the `wkb` of a
 * geometry. Such a member does not match: the expression requires that only columns of the row
 * follow, up to the end of the text.
 */
export function rowMember(name: string): string {
  const member = `${quotedForRegex(JSON.stringify(name))}:${VALUE}`;
  const [rest, restAfterComma] = [
    String.raw`(?=(?:,${MEMBER})*+\}$)`,
    String.raw`(?=(?:${MEMBER}(?:,${MEMBER})*+)?\}$)`,
  ];
  return `,${member}${rest}|${member},?${restAfterComma}`;
}

const quotedForRegex = (text: string): string =>
  text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);

const CANARY_COLUMN = 'sluice-canary';
const canaryKey = (id: number): string => literal(`{"${CANARY_COLUMN}":${id}}`);
const canaryImage = (x: number): string => `{"x":${x}}`;

function unreadable(): string {
  return `k IS NULL OR op IS NULL OR op NOT IN ('r', 'c', 'u', 'd', 't') OR (op IN ('c', 'u', 'd') AND tx IS NULL) OR (op IN ('r', 'c', 'u') AND image IS NULL)`;
}

/** Returns SQL over `tx` that does the same as `widened` of domain/values/position.ts. */
function widened(snapshot: SnapshotVisibility): string {
  const epoch = 2 ** 32;
  const last = idsEnd(snapshot) - 1;
  const base = Math.floor(last / epoch) * epoch;
  return `CASE WHEN tx >= ${epoch} THEN tx WHEN tx + ${base} > ${last} THEN tx + ${base - epoch} ELSE tx + ${base} END`;
}

/** Returns SQL over `tx` that does the same as `isReadLater` of domain/values/position.ts. */
function isReadLater(snapshot: SnapshotVisibility): string {
  if (snapshot.before === undefined) return 'FALSE';
  return `COALESCE(tx, 0) <> 0 AND (${widened(snapshot)}) >= ${snapshot.xmax}`;
}

/** Returns SQL over `tx` that does the same as `isVisible` of domain/values/position.ts. */
function isVisible(snapshot: SnapshotVisibility): string {
  const { xmin, xmax, inProgress } = snapshot;
  const wide = widened(snapshot);
  const running =
    inProgress.size > 0 ? ` AND (${wide}) NOT IN (${[...inProgress].join(', ')})` : '';
  return `(${wide}) < ${xmin} OR ((${wide}) < ${xmax}${running})`;
}

/** Quotes a text as a Flink literal. A quote inside is doubled, which is Flink's only escape. */
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
