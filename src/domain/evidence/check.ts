// Preflight checks and their results. A check that could not run is unknown, never passed.
import type { Waiver } from '../migration/spec.js';

/** A system that the preflight contacts. */
export type System =
  | 'source'
  | 'target'
  | 'kafka'
  | 'connect'
  | 'registry'
  | 'pipeline'
  | 'ledger'
  | 'temporal';

interface CheckRule {
  /** If the check passes, it proves that this system answers. */
  readonly reaches?: System;
  readonly isNeverWaived?: boolean;
  /** The database that the check examines. The default is the source. */
  readonly examines?: 'target' | 'ledger';
}

/**
 * No waiver covers these checks, because a failure means lost data or harm to the application. Some
 * of them protect rows only indirectly: while they fail, others of these checks cannot run.
 */
const NEVER_WAIVED: CheckRule = { isNeverWaived: true };
/** These checks examine the target: the database of the result, which may not be the source. */
const OF_TARGET: CheckRule = { examines: 'target' };

/** Every preflight check by its name. The waivers of a spec use these names. */
const CHECKS = {
  'adopt.connector': NEVER_WAIVED,
  'adopt.free': NEVER_WAIVED,
  'adopt.publication': NEVER_WAIVED,
  'adopt.slot': NEVER_WAIVED,
  'adopt.topic': NEVER_WAIVED,
  'batch.actions': OF_TARGET,
  'batch.aligned': {},
  'batch.closed-keys': OF_TARGET,
  'batch.query': {},
  'batch.reads': {},
  'batch.result': OF_TARGET,
  'batch.run': {},
  'batch.runs': OF_TARGET,
  'batch.stage': {},
  'connect.access': {},
  'connect.auth': {},
  'connect.config': {},
  'connect.name-free': {},
  'connect.operator': {},
  'connect.plugin': {},
  'connect.reachable': { reaches: 'connect' },
  'connect.resource': {},
  'connect.secrets': {},
  'connect.source': {},
  'fence.source': {},
  'kafka.acls': {},
  'kafka.reachable': { reaches: 'kafka' },
  'kafka.replication': {},
  'kafka.sasl': {},
  'kafka.topic-names': {},
  'kafka.topics-free': {},
  'ledger.create': { examines: 'ledger' },
  'ledger.reachable': { reaches: 'ledger', examines: 'ledger' },
  'pipeline.groups': {},
  'pipeline.names-free': {},
  'pipeline.reachable': { reaches: 'pipeline' },
  'pipeline.statements': {},
  'polling.clock': {},
  'polling.cursor': NEVER_WAIVED,
  'polling.delay': {},
  'polling.deletes': NEVER_WAIVED,
  'polling.future': {},
  'polling.index': {},
  'polling.mode': NEVER_WAIVED,
  'polling.nulls': {},
  'polling.plugin': {},
  'polling.query': NEVER_WAIVED,
  privilege: {},
  'registry.auth': {},
  'registry.converter': NEVER_WAIVED,
  'registry.defaults': {},
  'registry.names': NEVER_WAIVED,
  'registry.reachable': { reaches: 'registry' },
  'route.http': {},
  'route.table': OF_TARGET,
  'route.view': OF_TARGET,
  'sink.similar-names': OF_TARGET,
  'sink.table': OF_TARGET,
  'source.connections': {},
  'source.create': {},
  'source.encoding': NEVER_WAIVED,
  'source.failover': {},
  'source.long-transactions': {},
  'source.names-free': {},
  'source.primary': NEVER_WAIVED,
  'source.reachable': { reaches: 'source', ...NEVER_WAIVED },
  'source.replication': {},
  'source.senders': NEVER_WAIVED,
  'source.slots': NEVER_WAIVED,
  'source.snapshot-time': {},
  'source.time-limits': {},
  'source.version': {},
  'source.wal-headroom': NEVER_WAIVED,
  'source.wal-level': NEVER_WAIVED,
  'table.before-image': {},
  'table.chunks': {},
  'table.column-names': NEVER_WAIVED,
  'table.copy': {},
  'table.exists': NEVER_WAIVED,
  'table.key': NEVER_WAIVED,
  'table.key-form': {},
  'table.key-types': NEVER_WAIVED,
  'table.kind': {},
  'table.message-size': {},
  'table.owner': {},
  'table.replica-identity': NEVER_WAIVED,
  'table.row-security': NEVER_WAIVED,
  'table.select': {},
  'table.types': {},
  'target.connections': OF_TARGET,
  'target.create': OF_TARGET,
  'target.encoding': { ...NEVER_WAIVED, ...OF_TARGET },
  'target.primary': { ...NEVER_WAIVED, ...OF_TARGET },
  'target.reachable': { reaches: 'target', ...NEVER_WAIVED, ...OF_TARGET },
  'target.time-limits': OF_TARGET,
  'target.version': OF_TARGET,
  'temporal.reachable': { reaches: 'temporal' },
  'validation.compare': {},
  'validation.engine': {},
  'validation.login': {},
} as const satisfies Record<string, CheckRule>;

export type CheckName = keyof typeof CHECKS;

/** One finding of the preflight. */
export interface Check {
  readonly name: CheckName;
  /** The table, topic or object that was checked. Empty for a check of a whole system. */
  readonly subject: string;
  readonly status: 'passed' | 'failed' | 'unknown' | 'waived';
  readonly detail: string;
  readonly remedy: string;
  /** Set if this check can examine the source or the target, and examined the target here. */
  readonly in?: 'target';
}

const ruleOf = (name: CheckName): CheckRule => CHECKS[name];

export const isCheckName = (name: string): name is CheckName => Object.hasOwn(CHECKS, name);

/** Returns whether no waiver can cover this check. */
export const isNeverWaived = (name: CheckName): boolean => ruleOf(name).isNeverWaived ?? false;

/** Returns the system that a check tried to reach. Null if the check reaches none. */
export const systemOf = ({ name }: Check): System | null => ruleOf(name).reaches ?? null;

/**
 * Returns the database that a check examined. The SQL of the check's remedy is for this database.
 */
export const databaseOf = (check: Check): 'source' | 'target' | 'ledger' =>
  check.in ?? ruleOf(check.name).examines ?? 'source';

/** Returns whether a check proved that the system answers. */
export const isReached = (checks: readonly Check[], system: System): boolean =>
  checks.some((c) => systemOf(c) === system && c.status === 'passed');

/** Applies the spec's waivers that are still valid at `now` (ISO). */
export function applyWaivers(
  checks: readonly Check[],
  waivers: readonly Waiver[],
  now: string,
): Check[] {
  return checks.map((check) => {
    if (check.status !== 'failed' && check.status !== 'unknown') return check;
    const waiver = waivers.find(
      (w) => w.check === check.name && Date.parse(w.until) > Date.parse(now),
    );
    if (!waiver || isNeverWaived(check.name)) return check;
    return {
      ...check,
      status: 'waived',
      detail: `${check.detail} (waived until ${waiver.until}: ${waiver.reason})`,
    };
  });
}

export const openChecks = (checks: readonly Check[]): Check[] =>
  checks.filter((c) => c.status === 'failed' || c.status === 'unknown');

export const describeCheck = (c: Check): string =>
  `${c.name}${c.subject ? ` ${c.subject}` : ''}: ${c.detail}`;

const STATEMENT = /^(GRANT|REVOKE|ALTER ROLE|ALTER DATABASE) /;

/**
 * Returns the statements in the remedies that change privileges, roles or the settings of a
 * database, so that a person can paste them. A remedy counts only if it begins with such a
 * statement. Two statements that differ only in quotes count as one.
 */
export function statementsOf(checks: readonly Check[]): string[] {
  const statements = checks
    .flatMap(({ remedy }) => (STATEMENT.test(remedy) ? remedy.split(/;\s*/) : []))
    .filter((text) => STATEMENT.test(text));
  const same = (a: string, b: string): boolean => a.replaceAll('"', '') === b.replaceAll('"', '');
  return statements.filter(
    (statement, at) => statements.findIndex((other) => same(other, statement)) === at,
  );
}
