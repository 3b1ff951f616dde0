// Describes the problems of connectors that the guard finds while it watches a run. A connector may
// have been deleted, paused or edited, or its task may fail repeatedly.
import { FAILURES } from '../failure.js';
import { remedyOf } from './connector-remedies.js';

export interface ConnectorTrouble {
  readonly connector: string;
  readonly code: 'connector-gone' | 'connector-paused' | 'connector-drift' | 'connector-failed';
  readonly detail: string;
  readonly remedy: string;
  /** False if the connector was only edited, and the edited keys do not change what is captured. */
  readonly blocks: boolean;
}

/** One connector, as Kafka Connect describes it. */
export interface SeenConnector {
  readonly name: string;
  /** RUNNING, PAUSED, STOPPED … Null if the connector does not exist. */
  readonly state: string | null;
  /** Configuration keys whose stored values differ from the planned ones. */
  readonly edited: readonly string[];
  /** The edited keys that change what is captured. */
  readonly recaptured: readonly string[];
  /** Says how a person resumes the connector. */
  readonly howToResume: string;
  /** Set for an adopted connector: the cause of its failed task, or null. */
  readonly adopted?: { readonly failure: string | null };
}

/** Sluice never changes an adopted connector, so only its owner can help. */
export const ADOPTED_REMEDIES: Readonly<
  Record<'connector-gone' | 'connector-drift' | 'connector-failed', string>
> = {
  'connector-gone':
    'create the adopted connector again at Kafka Connect, because Sluice never does; then: sluice retry, or sluice rollback',
  'connector-drift':
    'undo the change at Kafka Connect, because Sluice never edits an adopted connector; then: sluice retry',
  'connector-failed':
    'repair the adopted connector and restart its task at Kafka Connect, because Sluice never does; the migration then continues by itself',
};

const HALTED = ['PAUSED', 'STOPPED'];

export function troublesOf({
  name,
  state,
  edited,
  recaptured,
  adopted,
  howToResume,
}: SeenConnector): ConnectorTrouble[] {
  const trouble = (
    code: ConnectorTrouble['code'],
    detail: string,
    more: Partial<ConnectorTrouble> = {},
  ): ConnectorTrouble => ({
    connector: name,
    code,
    detail,
    remedy: adopted && code !== 'connector-paused' ? ADOPTED_REMEDIES[code] : FAILURES[code].remedy,
    blocks: true,
    ...more,
  });
  if (state === null) return [trouble('connector-gone', `connector ${name} was deleted`)];
  const troubles: ConnectorTrouble[] = [];
  if (HALTED.includes(state)) {
    const remedy = `${howToResume}; the migration continues by itself`;
    troubles.push(trouble('connector-paused', `connector ${name} is ${state}`, { remedy }));
  }
  if (edited.length > 0) {
    const detail = adopted
      ? `adopted connector ${name} was edited: ${edited.join('; ')}`
      : `connector ${name} was edited; keys that differ from the plan: ${edited.join(', ')}`;
    troubles.push(trouble('connector-drift', detail, { blocks: recaptured.length > 0 }));
  }
  if (adopted && adopted.failure !== null)
    troubles.push(
      trouble(
        'connector-failed',
        `the task of adopted connector ${name} has failed: ${adopted.failure}`,
      ),
    );
  return troubles;
}

/** Failures of a connector's task that follow each other closely. */
export interface Failing {
  readonly count: number;
  readonly cause: string;
  /** ISO: the time of the newest failure. */
  readonly at: string;
}

/**
 * After this time without a failure, the count starts again at one. Sluice itself waits at most
 * 30 s before a restart. The time is longer, so that such a wait does not reset the count.
 */
const RECOVERED_MS = 180_000;

export function countFailure(before: Failing | undefined, cause: string, now: string): Failing {
  const isSoon = before !== undefined && Date.parse(now) - Date.parse(before.at) < RECOVERED_MS;
  return { count: isSoon ? before.count + 1 : 1, cause, at: now };
}

const FAILURES_OF_KNOWN_CAUSE = 2;
// eight failures take about half a minute; by then, an unreachable database is usually back
const FAILURES_OF_ANY_CAUSE = 8;

/** Returns the problem of a failing task. Null while restarts may still help. */
export function failedTrouble(
  connector: string,
  { count, cause }: Failing,
): ConnectorTrouble | null {
  const known = remedyOf(cause);
  if (count < (known === undefined ? FAILURES_OF_ANY_CAUSE : FAILURES_OF_KNOWN_CAUSE)) return null;
  return {
    connector,
    code: 'connector-failed',
    detail: `the task of connector ${connector} fails again and again: ${cause}`,
    remedy: known ?? FAILURES['connector-failed'].remedy,
    blocks: true,
  };
}

export const isSameTrouble = (one: ConnectorTrouble, other: ConnectorTrouble): boolean =>
  one.connector === other.connector && one.code === other.code && one.detail === other.detail;
