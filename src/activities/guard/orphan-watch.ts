// Watches migrations that have no guard. Their workflow ended without cleaning up, they are rolling
// back, or a person paused the guard's activity in Temporal. Without this watch, their slots could
// retain WAL until the source has no disk space left.
import { setTimeout as sleep } from 'node:timers/promises';
import { newestOf, type MigrationRecord } from '../../clients/ledger/ledger.js';
import type { MigrationRef } from '../../domain/evidence/ledger-rows.js';
import { auditEvent } from '../../domain/audit.js';
import { GUARD_PAUSED } from '../../clients/running-workflow.js';
import { zoneOf, type Zone } from '../../domain/migration/task-queues.js';
import { otherNamespace, type Deps } from '../runtime/deps.js';
import type { Orphan } from '../runtime/gauges.js';
import { planned } from '../runtime/with-plan.js';
import { watchSlot } from './slot-watch.js';

const COMPLETED = 'completed';

export interface OrphanDeps extends Pick<
  Deps,
  'secret' | 'ledger' | 'systems' | 'namespace' | 'gauges'
> {
  /**
   * The zones that this worker serves. The worker may not be able to reach the systems of other
   * zones.
   */
  readonly zones: readonly Zone[];
  /** Returns the newest run of a name, from the ledger. */
  readonly latestRun: (name: string) => Promise<MigrationRef | null>;
  /** Returns why a workflow has no guard, or null if its guard can run. */
  readonly stateOf: (workflowId: string) => Promise<string | null>;
}

/**
 * Returns the migrations that own objects, but have no running workflow. For example, a run that
 * was reset can end without removing objects that it no longer knows. Also enforces the WAL budget
 * of these migrations, of those that are rolling back, and of those whose guard is paused. A
 * restored ledger may list objects that were handed over; the budget of such a migration is not
 * enforced. `failed` receives an error that concerns one migration; the others are still watched.
 */
export async function watchOrphans(
  deps: OrphanDeps,
  failed: (migration: string, error: Error) => void,
): Promise<Orphan[]> {
  const orphans: Orphan[] = [];
  const owners = await deps.ledger.ownersOfObjects();
  for (const record of newestOf(await deps.ledger.migrations())) {
    const isServed = deps.zones.includes(zoneOf(record.spec.metadata.labels));
    if (!isServed || !owners.has(record.name) || otherNamespace(record, deps.namespace)) continue;
    try {
      const found = await unguarded(deps, record);
      if (!found) continue;
      if (found.orphan) orphans.push(found.orphan);
      // A workflow ends by itself only after the ledger has its outcome. A ledger that lacks the
      // outcome was restored, so the ledger may still list objects that were handed over.
      const isOld = record.outcome === null && found.orphan?.state === COMPLETED;
      if (!isOld) await enforceBudget(deps, found.run);
    } catch (error) {
      failed(record.name, error as Error);
    }
  }
  return orphans;
}

interface Unguarded {
  readonly run: MigrationRef;
  /** Null if the workflow is running. */
  readonly orphan: Orphan | null;
}

/**
 * Returns the newest run of a migration that owns objects and has no guard. Returns null for other
 * migrations. A rollback ends the guard, and can then be blocked for days.
 */
async function unguarded(
  { ledger, latestRun, stateOf }: OrphanDeps,
  { name: migration, status }: MigrationRecord,
): Promise<Unguarded | null> {
  const objects = (await ledger.openObjects(migration)).length;
  const run = objects > 0 ? await latestRun(migration) : null;
  if (!run) return null;
  const state = await stateOf(run.workflowId);
  if (state === GUARD_PAUSED) return { run, orphan: null };
  if (state !== null) return { run, orphan: { migration, state, objects } };
  return status?.phase === 'roll-back' ? { run, orphan: null } : null;
}

/**
 * Drops the migration's slot if it retains more WAL than `walBudget` allows. Like the guard, this
 * function keeps the slot in some cases, such as after the commit or with `onExhaustion: block`.
 */
async function enforceBudget(deps: OrphanDeps, run: MigrationRef): Promise<void> {
  const { plan } = planned(run);
  if (!plan.capture.hasSlot) return;
  const { walBudget } = plan.spec.source;
  const report = await watchSlot(
    deps,
    { ref: run, plan, slotExpected: false, alarmed: false },
    {
      wait: sleep,
      retained: (bytes) => deps.gauges?.walRetained(run.name, bytes, walBudget.bytes),
    },
  );
  if (report?.kind !== 'wal-budget' || !report.dropped) return;
  const at = new Date().toISOString();
  const entry = auditEvent(`watch-${at}`, at, { kind: 'wal-budget', problem: report.detail });
  await deps.ledger.recordEvents(run, [entry]);
}
