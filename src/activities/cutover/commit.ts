// The cut-over's effects on the lease row, the view and the batch. Each reads the row first: the row decides, not what we remember.
import type pg from 'pg';
import { heldTransaction, isOverdue } from '../../clients/postgres/held-transaction.js';
import { leaseTable, readLease, type LeaseRow } from '../../clients/postgres/lease-row.js';
import { postAction, putRoute } from '../../clients/http/route-http.js';
import { activeRun } from '../../clients/postgres/batch-runs.js';
import {
  giveBack,
  passTrigger,
  revokeWrites,
  takeOver,
  type RowsChanged,
} from '../../clients/postgres/shared-table-sql.js';
import { withSource, type SourceClient } from '../../clients/postgres/connection.js';
import { unguardedParts } from '../../clients/postgres/trigger-sql.js';
import { Problem, type FailureCode } from '../../domain/failure.js';
import type { MigrationRef, Route } from '../../domain/evidence/ledger-rows.js';
import { quoteLiteral } from '../../domain/migration/names.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { sharedTableOf } from '../../domain/routes/shared-table.js';
import type { MigrationSpec } from '../../domain/migration/spec.js';
import type { Deps } from '../runtime/deps.js';
import { classify } from '../runtime/application-failure.js';
import type { FenceInput, Refusable } from './fence.js';
import {
  BRIEFLY,
  Refused,
  holdLimits,
  leaseAccess,
  wayBackLimits,
} from '../objects/lease-store.js';
import { alive } from '../runtime/poll-until.js';
import { routeReader } from './route.js';
import { switchView, switchViewBack } from './view-switch.js';
import { withPlan, type Planned } from '../runtime/with-plan.js';

/** Grows over the iterations of a name too. */
const orderEpoch = (ref: MigrationRef, epoch: number): number => ref.iteration * 1_000_000 + epoch;

const COMMIT_MARGIN_MS = 1000;
const REFUSES: readonly FailureCode[] = ['route-unexpected', 'permission-denied']; // of the view: nothing has moved then
const ROWS_DO_NOT_FIT = /^(22|23|42|P0)/; // data, constraints, names and rights, the table's own triggers

export function createCutoverActivities({ secret, ledger }: Deps) {
  const { onLease, lease } = leaseAccess({ secret, ledger });
  const observe = routeReader({ secret, ledger });

  return withPlan({
    /** Null = no run of the batch is active; else which one. */
    async activeBatchRun({ plan }: Planned): Promise<string | null> {
      return plan.batch?.runs
        ? withSource(plan, secret, (client) => activeRun(client, plan, null))
        : null;
    },

    /**
     * The point of no return: one short transaction. The view swap first (it may wait for readers, at most lock_timeout), then the lock on the lease row,
     * then, as the last statement, the conditional update: separate statements, because an UPDATE that waited for the row lock does not re-read the clock.
     */
    async commitCutover({
      ref,
      plan,
      token,
      epoch,
      evidenceId,
    }: FenceInput & Planned): Promise<Refusable & { readonly rows?: RowsChanged }> {
      const mine = `migration = ${quoteLiteral(ref.name)}`;
      const limits = holdLimits(plan);
      try {
        const rows = await onLease(plan, limits, async (client, held) => {
          const before = await lease(client, { ref, plan });
          if (before.state === 'SWITCHED' && before.token === token) return null; // an earlier attempt of this activity committed
          const { route } = plan.spec.cutover;
          const run = await activeRun(client, plan, before);
          if (run) throw new Refused(run);
          if (before.state !== 'FENCED' || before.token !== token)
            throw new Refused(describeLease(before, token, epoch, evidenceId));
          await refuseUnguarded(client, plan);
          if (before.restMs <= COMMIT_MARGIN_MS)
            throw new Refused(describeLease(before, token, epoch, evidenceId));
          await held.atMost(before.restMs); // nobody waits for a commit that would come too late
          if (route.type === 'postgres-view') await switchView(client, plan, route);
          const changed =
            route.type === 'postgres-table' ? await changeHands(client, plan, token) : null;
          await client.query(`SELECT 1 FROM ${leaseTable(plan)} WHERE ${mine} FOR UPDATE`);
          const { rowCount } = await client.query(
            `UPDATE ${leaseTable(plan)} SET state = 'SWITCHED', switched_at = clock_timestamp() WHERE ${mine} AND state = 'FENCED' AND token = ${quoteLiteral(token)}
               AND epoch = ${epoch} AND NOT veto AND evidence_digest = ${quoteLiteral(evidenceId)} AND expires_at > clock_timestamp() + interval '${COMMIT_MARGIN_MS} milliseconds'`,
          );
          if (rowCount !== 1)
            throw new Refused(
              describeLease(await lease(client, { ref, plan }), token, epoch, evidenceId),
            );
          return changed;
        });
        return { refused: null, ...(rows ? { rows } : {}) };
      } catch (error) {
        if (error instanceof Refused) return { refused: error.message };
        if (error instanceof Problem && REFUSES.includes(error.code))
          return { refused: `${error.message} (${error.remedy})` };
        if (isOverdue(error))
          return {
            refused: `the commit did not end within ${Math.round(limits.overallMs / 1000)} s, or before the fence's end`,
          };
        throw error;
      }
    },

    /**
     * Tries the switch and the way back in a transaction that is rolled back: throws the Problem that the commit would meet.
     * The view is locked for the moment that this takes.
     */
    async proveRoute({ plan }: Planned): Promise<void> {
      const { route } = plan.spec.cutover;
      if (route.type !== 'postgres-view') return;
      const tried = new Refused('tried');
      const attempt = withSource(plan, secret, (client) =>
        heldTransaction(client, holdLimits(plan), async (held) => {
          await switchView(held.client, plan, route);
          await switchViewBack(held.client, plan, route);
          throw tried; // rolls it back
        }),
      );
      await attempt.catch((error: unknown) => {
        if (error !== tried) throw error;
      });
    },

    /** Whether the lease row says that the cut-over happened. False also when there is no row (yet, or any more). */
    async isSwitched({ ref, plan }: Planned): Promise<boolean> {
      return onLease(plan, BRIEFLY, async (client) => {
        const { rows } = await client.query<Record<string, string | null>>(
          `SELECT to_regclass(${quoteLiteral(leaseTable(plan))}) AS found`,
        );
        if (!rows[0]?.['found']) return false;
        return (await readLease(client, leaseTable(plan), ref.name))?.state === 'SWITCHED';
      });
    },

    /** What consumers read: see `routeReader`. */
    async observeRoute(run: Planned): Promise<Route> {
      return observe(run);
    },

    /** After the commit, where the switch is somebody else's: tells it. Idempotent; whether it obeyed is for `observeRoute` to say. */
    async orderRoute({ ref, plan }: Planned): Promise<void> {
      const { route } = plan.spec.cutover;
      if (route.type !== 'http') return;
      const { epoch } = await onLease(plan, BRIEFLY, (client) => lease(client, { ref, plan }));
      await putRoute(route.url, {
        migration: ref.name,
        side: 'stream',
        epoch: orderEpoch(ref, epoch),
      });
    },

    /** The planned way back: view to the batch's table (or the shared table to what the batch would write) and lease to ROLLED_BACK in one transaction. Idempotent. */
    async routeBack({ ref, plan }: Planned): Promise<void> {
      const { route } = plan.spec.cutover;
      if (route.type === 'http') {
        const { epoch } = await onLease(plan, BRIEFLY, (client) => lease(client, { ref, plan }));
        await putRoute(route.url, {
          migration: ref.name,
          side: 'batch',
          epoch: orderEpoch(ref, epoch + 1),
        });
      }
      await onLease(plan, wayBackLimits(plan), async (client) => {
        if (route.type === 'postgres-table')
          await handBack(client, plan, await lease(client, { ref, plan }));
        if (route.type === 'postgres-view') await switchViewBack(client, plan, route);
        await client.query(
          `SELECT 1 FROM ${leaseTable(plan)} WHERE migration = ${quoteLiteral(ref.name)} FOR UPDATE`,
        );
        await client.query(
          `UPDATE ${leaseTable(plan)} SET state = 'ROLLED_BACK', token = NULL, expires_at = NULL WHERE migration = ${quoteLiteral(ref.name)}`,
        );
      });
    },

    /** At complete, where the table was shared: no trigger will guard it, so the batch's role loses its right to write. Problem `batch-action` when it keeps one. */
    async retireRole({ plan }: Planned): Promise<void> {
      if (plan.route.kind !== 'table') return;
      const { batchRole, table } = plan.route;
      const mayWrite = await withSource(plan, secret, (client) =>
        revokeWrites(client, table, batchRole),
      );
      if (mayWrite)
        throw new Problem(
          'batch-action',
          `role ${batchRole} may still write ${table.text}: by PUBLIC, or as a member of another role`,
        );
    },

    /** Runs the spec's pause, resume or retire; `until` is the pause's own end ($1). Nothing to do without one. */
    async batchAction(
      { ref, plan }: Planned,
      action: 'pause' | 'resume' | 'retire',
      until: string | null,
    ): Promise<void> {
      const wanted = plan.batch?.[action];
      if (!wanted) return;
      try {
        if ('url' in wanted)
          return await postAction(wanted.url, { migration: ref.name, action, until });
        const { sql } = wanted;
        const run = (client: SourceClient) =>
          until && sql.includes('$1') ? client.query(sql, [until]) : client.query(sql);
        await withSource(plan, secret, run, { appliesRowSecurity: true });
      } catch (error) {
        throw new Problem('batch-action', `batch.${action} failed: ${classify(error).message}`);
      }
    },
  });
}

/** Tables that should be guarded and are not take writes that the final window has not seen. */
async function refuseUnguarded(client: pg.ClientBase, plan: ResolvedPlan): Promise<void> {
  const open = await unguardedParts(client, plan);
  if (open.length > 0) throw new Refused(`not fenced: ${open.join(', ')}`);
}

/** The shared table to the stream's rows. What does not fit, into the table or into its time, is refused: nothing has moved then. */
async function changeHands(
  client: pg.ClientBase,
  spec: MigrationSpec,
  token: string,
): Promise<RowsChanged> {
  await passTrigger(client, token);
  try {
    return await takeOver(client, spec);
  } catch (error) {
    const { table } = sharedTableOf(spec)!;
    const { code, message } = error as { code?: unknown; message: string };
    if (isOverdue(error))
      throw new Refused(`${table} did not change hands within the commit's time`);
    if (typeof code === 'string' && ROWS_DO_NOT_FIT.test(code))
      throw new Refused(`${table} does not take the stream's rows: ${message}`);
    throw error;
  }
}

/** Nothing to do unless it changed hands. */
async function handBack(client: pg.ClientBase, plan: ResolvedPlan, row: LeaseRow): Promise<void> {
  if (row.state !== 'SWITCHED' || row.token === null) return;
  await passTrigger(client, row.token);
  await alive(() => giveBack(client, plan)); // the batch's query may take its time
}

function describeLease(row: LeaseRow, token: string, epoch: number, evidenceId: string): string {
  if (row.state !== 'FENCED') return `lease state ${row.state} ≠ FENCED`;
  if (row.token !== token) return 'the fence belongs to another attempt';
  if (row.epoch !== epoch) return `lease epoch ${row.epoch} ≠ ${epoch}`;
  if (row.veto) return 'the lease row carries a veto';
  if (row.evidence_digest !== evidenceId)
    return `lease evidence ${row.evidence_digest} ≠ ${evidenceId}`;
  return `the fence expires at ${row.expires_at}, less than ${COMMIT_MARGIN_MS} ms from now`;
}
