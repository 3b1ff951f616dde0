// Defines the capture `jdbc-source`. Each table, or one query, has a connector that repeatedly asks
// the database for new rows.
import { durationMs, formatMs } from '../values/duration.js';
import {
  namesOf,
  parseTableName,
  tableTopic,
  type Capture,
  type Names,
} from '../migration/names.js';
import {
  DEFAULT_DELAY,
  POLL_INTERVAL,
  QUERY_SUBJECT,
  defaultPollMs,
  longestPollMs,
  looksAtIds,
  looksAtTimes,
  unseenBy,
  type Polling,
} from './polling-settings.js';
import type { MigrationSpec, PollingMode } from '../migration/spec.js';
import { tableFormatOf } from '../migration/topic-format.js';
import { contradictionList, type Contradiction } from '../migration/contradiction.js';
import { BARRIER_LIMIT_MS, type CaptureMode } from './capture.js';
import { NO_LOAD } from './load.js';

/** Returns how a connector polls. The spec MUST have connector type jdbc-source. */
export function pollingOf({ spec: { connector } }: Pick<MigrationSpec, 'spec'>): Polling {
  return {
    mode: connector.mode!,
    query: connector.query?.sql ?? null,
    incrementingColumn: connector.incrementingColumn ?? null,
    timestampColumns: connector.timestampColumns ?? [],
    delay: connector.delay ?? DEFAULT_DELAY,
    deletes: connector.deletes ?? null,
  };
}

export const pollingCapture: CaptureMode = {
  whySettled: 'the records of polled tables have no transaction id',
  whyNotCompared:
    'records of a polling connector carry no transaction id, so sluice compare cannot match them to a snapshot; use sluice start, whose windows compare them in rounds',
  plan(spec) {
    const polling = pollingOf(spec);
    const { mode, deletes, query } = polling;
    return {
      kind: 'polling',
      load: 'none',
      loading: NO_LOAD,
      polling,
      notes: [
        `rows are polled (mode ${mode}), not captured: ${unseenBy(mode)} never reach the stream. Declared about deletes: ${deletes ?? 'nothing'}`,
      ],
      hasSlot: false,
      readsSlot: false,
      isAdopted: false,
      carriesMarkers: false,
      carriesBefore: false,
      carriesGenerated: true,
      publishesStored: false,
      carriesHeirs: true,
      subjectMode: 'settled',
      query,
      sessions: new Set(captures(spec, namesOf(spec, 1)).map(({ connector }) => connector)).size,
    };
  },
  captures,
  ownTopics: () => [],
  contradictions: (spec) => [...contradictions(spec), ...sharedConnectors(spec)],
};

function captures({ spec }: MigrationSpec, { connector, topicPrefix }: Names): Capture[] {
  if (spec.connector.query)
    return [
      {
        subject: QUERY_SUBJECT,
        connector: `${connector}-${QUERY_SUBJECT}`,
        topic: `${topicPrefix}.${QUERY_SUBJECT}`,
      },
    ];
  return spec.source.tables.map((subject) => {
    const name = parseTableName(subject);
    const own = `${connector}-${name.schema}-${name.table}`.replaceAll(/[^a-zA-Z0-9._-]/g, '_');
    return { subject, connector: own, topic: tableTopic(topicPrefix, name) };
  });
}

/**
 * Finds tables that would share a connector. Two table names can become the same connector name:
 * special characters become `_`, and `-` joins schema and table.
 */
function sharedConnectors(spec: MigrationSpec): Contradiction[] {
  const { found, add } = contradictionList();
  const names = captures(spec, namesOf(spec, 1)).map(({ connector }) => connector);
  names.forEach((name, at) => {
    if (names.indexOf(name) < at)
      add(`two tables would share connector ${name}`, 'source', 'tables', at);
  });
  return found;
}

function contradictions({ spec }: MigrationSpec): Contradiction[] {
  const { found, add } = contradictionList();
  const { connector } = spec;
  const { mode } = connector;
  if (connector.snapshot !== 'initial')
    add(
      'omit snapshot, because a jdbc-source reads everything at its first poll',
      'connector',
      'snapshot',
    );
  if (mode === undefined) {
    add(
      'a jdbc-source needs its mode: bulk, incrementing, timestamp or timestamp+incrementing',
      'connector',
    );
    return found;
  }
  found.push(...wrongColumns(spec, mode));
  if (mode === 'bulk' && connector.delay !== undefined)
    add('omit delay, because mode bulk reads everything at every poll', 'connector', 'delay');
  found.push(...slowPolls(spec, mode));
  if (spec.validation.engine === 'flink')
    add(
      'use engine embedded: Flink needs the transaction id of each record, and the records of polled rows have none',
      'validation',
      'engine',
    );
  if (spec.validation.laterWindows === 'witness')
    add(
      'a witness reads the log of the source, and these tables are polled; omit laterWindows',
      'validation',
      'laterWindows',
    );
  if (tableFormatOf(spec) !== 'json')
    add(
      'jdbc-source writes JSON only; use debezium-postgres, or kafka.format: json',
      'connector',
      'type',
    );
  return found;
}

/** Finds a delay or a pause between polls with which a barrier may not be proven in time. */
function slowPolls(
  { connector, catchUp }: MigrationSpec['spec'],
  mode: PollingMode,
): Contradiction[] {
  const { found, add } = contradictionList();
  const delay = connector.delay ?? DEFAULT_DELAY;
  const set = connector.config[POLL_INTERVAL];
  const pauseMs = set === undefined ? defaultPollMs(mode) : Number(set);
  const slowestMs = longestPollMs(mode, durationMs(delay), pauseMs);
  const isDelayed = mode !== 'bulk' && durationMs(delay) >= BARRIER_LIMIT_MS;
  const parts = mode === 'bulk' ? POLL_INTERVAL : `${POLL_INTERVAL} and connector.delay ${delay}`;
  if (slowestMs >= durationMs(catchUp.within))
    add(
      `${catchUp.within} must be longer than ${formatMs(slowestMs)}: a poll can read a row that late (${parts}), so not every barrier can be faster`,
      'catchUp',
      'within',
    );
  if (isDelayed)
    add(
      `${delay} must be shorter than ${BARRIER_LIMIT_MS / 1000}s: the connector reads only rows that are older than the delay, and a window does not wait longer for them`,
      'connector',
      'delay',
    );
  else if (slowestMs >= BARRIER_LIMIT_MS)
    add(
      `with ${pauseMs} ms, a poll can read a row as late as ${formatMs(slowestMs)} after its change (${parts}), but a window waits at most ${BARRIER_LIMIT_MS / 1000}s, so none would be proven; set a shorter pause between polls`,
      ...(set === undefined ? ['connector', 'delay'] : ['connector', 'config', POLL_INTERVAL]),
    );
  return found;
}

/**
 * Finds columns that the mode or the query needs but the spec lacks, and columns that the mode does
 * not use.
 */
function wrongColumns({ connector }: MigrationSpec['spec'], mode: PollingMode): Contradiction[] {
  const { found, add } = contradictionList();
  if (looksAtIds(mode) && connector.incrementingColumn === undefined)
    add(`mode ${mode} needs incrementingColumn`, 'connector', 'mode');
  if (!looksAtIds(mode) && connector.incrementingColumn !== undefined && !connector.query)
    add(`mode ${mode} does not use it`, 'connector', 'incrementingColumn');
  if (looksAtTimes(mode) && connector.timestampColumns === undefined)
    add(`mode ${mode} needs timestampColumns`, 'connector', 'mode');
  if (!looksAtTimes(mode) && connector.timestampColumns !== undefined)
    add(`mode ${mode} does not use them`, 'connector', 'timestampColumns');
  if (connector.query && connector.incrementingColumn === undefined)
    add(
      'a query has no primary key, so set incrementingColumn to the integer column that identifies its rows',
      'connector',
      'query',
    );
  return found;
}
