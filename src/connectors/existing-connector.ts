// Judges the configuration of a Debezium connector that exists already. It says whether windows can
// decode the records, and whether a migration can adopt the connector. It also lists the settings
// that Sluice would set differently. It contacts no system.
import { BARRIER_LIMIT_MS } from '../domain/capture/capture.js';
import { parseTableName, tableTopic, type TableName } from '../domain/migration/names.js';
import type { ResolvedPlan } from '../domain/plan/resolved-plan.js';
import { durationMs } from '../domain/values/duration.js';
import { TOAST_PLACEHOLDER } from '../domain/values/toast-placeholder.js';
import { debeziumPostgresConfig, handedOverConfig } from './debezium-postgres.js';

export type StoredConfig = Readonly<Record<string, string>>;

/** The settings that decide which slot is read, and how a row becomes a record. */
const DECIDING: readonly string[] = [
  'connector.class',
  'database.dbname',
  'slot.name',
  'decimal.handling.mode',
  'time.precision.mode',
  'interval.handling.mode',
  'binary.handling.mode',
  'key.converter',
  'key.converter.schemas.enable',
  'value.converter',
  'value.converter.schemas.enable',
];
/** Settings that change keys or records. Debezium connectors of Sluice do not have them. */
const CHANGING: readonly string[] = ['transforms', 'message.key.columns', 'post.processors'];
/** Settings that must have Debezium's default. The comparison cannot read the records otherwise. */
const DEFAULTS: StoredConfig = {
  'unavailable.value.placeholder': TOAST_PLACEHOLDER, // an unchanged TOASTed value
};

/** Returns each setting with which windows cannot compare the records of a connector. */
export function undecodable(plan: ResolvedPlan, stored: StoredConfig): string[] {
  const needed = { ...DEFAULTS, ...debeziumPostgresConfig(plan) };
  const found = { ...DEFAULTS, ...stored };
  return [...DECIDING, ...CHANGING, ...Object.keys(DEFAULTS)]
    .filter((key) => found[key] !== needed[key])
    .map((key) => differs(key, found[key], needed[key]));
}

const differs = (key: string, found: string | undefined, needed: string | undefined): string =>
  `${key} is ${found ?? '(default)'}, not ${needed ?? '(none)'}`;

/** More settings that change topics, keys or values. An adopted connector must not have them. */
const RESHAPING =
  /^(column\.|topic\.naming\.|topic\.delimiter$|(field|schema)\.name\.adjustment|hstore\.)/;
/** The publication that Debezium uses if the configuration names none. */
const DEFAULT_PUBLICATION = 'dbz_publication';

/** Returns each reason why a migration cannot adopt a connector with this configuration. */
export function unfit(plan: ResolvedPlan, stored: StoredConfig): string[] {
  const { captures, names } = plan;
  const problems = undecodable(plan, stored);
  problems.push(
    ...Object.keys(stored)
      .filter((key) => RESHAPING.test(key))
      .map((key) => differs(key, stored[key], undefined)),
  );
  const publication = stored['publication.name'] ?? DEFAULT_PUBLICATION;
  if (publication !== names.publication)
    problems.push(differs('publication.name', publication, names.publication));
  const heartbeatMs = Number(stored['heartbeat.interval.ms']);
  if (!(heartbeatMs > 0))
    problems.push(
      'heartbeat.interval.ms is not set, so the connector never confirms a position while the database is quiet',
    );
  const { within } = plan.spec.catchUp;
  const patienceMs = Math.min(BARRIER_LIMIT_MS, durationMs(within));
  if (heartbeatMs > patienceMs)
    problems.push(
      `heartbeat.interval.ms is ${heartbeatMs}, but Sluice waits at most ${patienceMs / 1000} s until a position is confirmed (windows ${BARRIER_LIMIT_MS / 1000} s, catchUp.within ${within}), so every wait in a quiet database would fail`,
    );
  // Without the query, heartbeats confirm nothing until the connector has received a change or a
  // message from the slot.
  if (!stored['heartbeat.action.query'])
    problems.push(
      'heartbeat.action.query is not set, so the heartbeats write nothing to the WAL that the connector could read and confirm',
    );
  if (stored['slot.drop.on.stop'] === 'true')
    problems.push('slot.drop.on.stop is true, so a restart loses the slot');
  const skipped = (stored['skipped.operations'] ?? 't').split(',').map((part) => part.trim());
  if (skipped.some((operation) => !['t', 'none'].includes(operation)))
    problems.push(`skipped.operations is ${stored['skipped.operations']}, so changes are skipped`);
  for (const { subject, topic } of captures) {
    const table = parseTableName(subject);
    const written = tableTopic(stored['topic.prefix'] ?? '', table);
    if (written !== topic)
      problems.push(`the connector writes ${subject} to ${written}, not ${topic}`);
    if (!selects(stored, table))
      problems.push(
        `the connector's include or exclude lists leave out ${subject}, or have a pattern that Sluice cannot read`,
      );
  }
  return problems;
}

/** Returns whether the lists let a table through. False if JavaScript cannot parse a pattern. */
function selects(stored: StoredConfig, { schema, table }: TableName): boolean {
  const lists: readonly (readonly [list: string, name: string, isWanted: boolean])[] = [
    ['schema.include.list', schema, true],
    ['schema.exclude.list', schema, false],
    ['table.include.list', `${schema}.${table}`, true],
    ['table.exclude.list', `${schema}.${table}`, false],
  ];
  return lists.every(([list, name, isWanted]) => {
    const patterns = stored[list];
    return patterns === undefined || matches(patterns, name) === isWanted;
  });
}

/** The beginning of a Java pattern that says whether case matters. JavaScript cannot parse it. */
const CASE = /^\(\?(-?)i\)/;

/**
 * Returns whether one of the patterns matches the whole name, as in Debezium: a comma behind a
 * backslash belongs to a pattern, and case does not matter unless the pattern says so. Returns null
 * if JavaScript cannot parse a pattern.
 */
function matches(patterns: string, name: string): boolean | null {
  try {
    return patterns.split(/(?<!\\),/).some((part) => {
      const pattern = part.trim();
      const flag = CASE.exec(pattern);
      const flags = flag?.[1] === '-' ? '' : 'i';
      return new RegExp(`^(?:${pattern.replace(CASE, '')})$`, flags).test(name);
    });
  } catch {
    return null; // the pattern may be valid in Java, but not in JavaScript
  }
}

/**
 * Settings that `differences` does not list. A difference says nothing about the records, or the
 * value may be a secret, or another function of this file checks the setting.
 */
const IRRELEVANT = /^(database\.|topic\.|message\.|table\.|tasks\.|slot\.|publication\.)/;

/** Lists the settings of a connector that Sluice would set differently. */
export function differences(plan: ResolvedPlan, stored: StoredConfig): string[] {
  return Object.entries(handedOverConfig(plan))
    .filter(([key, value]) => !IRRELEVANT.test(key) && stored[key] !== value)
    .map(([key, value]) => differs(key, stored[key], value));
}
