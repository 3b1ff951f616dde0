// Preflight checks and their results. A check that could not run is unknown, never passed.
import type { Waiver } from '../migration/spec.js';

export interface Check {
  readonly name: string;
  /** The table, topic or object that was checked. Empty for a check of a whole system. */
  readonly subject: string;
  readonly status: 'passed' | 'failed' | 'unknown' | 'waived';
  readonly detail: string;
  readonly remedy: string;
}

// These can never be waived. If one of them is wrong, data is lost or the application suffers.
const NEVER_WAIVED: readonly string[] = [
  'table.replica-identity',
  'table.key',
  'table.key-types',
  'table.row-security',
  'source.slots',
  'source.senders',
  'source.wal-headroom',
  'source.wal-level',
  'source.primary',
  'polling.deletes',
  'polling.cursor',
  'polling.query',
];

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
    if (!waiver || NEVER_WAIVED.includes(check.name)) return check;
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
 * Returns the statements among the remedies that a person may paste. Two that differ only in quotes
 * count as one. A remedy is SQL if it begins with a statement.
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
