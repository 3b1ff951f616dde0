// The fence: the lease row says FENCED, and where the spec asks for it the source tables take no
// writes. Undo beside do.
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { createFenceTriggers } from '../../clients/postgres/fence-triggers.js';
import { isOverdue } from '../../clients/postgres/held-transaction.js';
import { leaseTable } from '../../clients/postgres/lease-row.js';
import { withSource } from '../../clients/postgres/connection.js';
import { durationMs } from '../../domain/values/duration.js';
import { Problem } from '../../domain/failure.js';
import type { MigrationRef } from '../../domain/evidence/ledger-rows.js';
import { quoteLiteral } from '../../domain/migration/names.js';
import type { Lsn } from '../../domain/values/position.js';
import { emitMarker, insertLsn } from '../barrier/marker.js';
import type { Deps } from '../runtime/deps.js';
import { BRIEFLY, Refused, holdLimits, leaseAccess } from '../objects/lease-store.js';
import { makeClaimed } from '../objects/owned.js';
import { routeEffects } from './routes/index.js';
import { withPlan, type Planned } from '../runtime/with-plan.js';

export interface FenceInput {
  readonly ref: MigrationRef;
  /** Unguessable per attempt; only its holder may commit. */
  readonly token: string;
  /**
   * Counts the attempts of a migration: one that was released cannot fence again, however late it
   * comes.
   */
  readonly attempt: number;
  readonly epoch: number;
  readonly evidenceId: string;
}

export interface Refusable {
  /** Null = done; else the inequality that refused it. Nothing was changed then. */
  readonly refused: string | null;
}

const LOCK_ATTEMPTS = 6;
const GAVE_WAY: readonly unknown[] = ['55P03', '40P01']; // lock_timeout, deadlock_detected: the application went first

export function createFenceActivities(deps: FenceDeps) {
  const { secret, ledger } = deps;
  const { onLease, lockedLease } = leaseAccess(deps);
  return withPlan({
    /**
     * FENCED until the database's clock passes now + maxHold, with no worker alive; with a marker
     * in the WAL whose position the drain must reach.
     */
    async fence(input: FenceInput & Planned): Promise<{ lsn: Lsn } & Refusable> {
      const { ref, plan, token } = input;
      const triggers = plan.fence.guards.map(({ trigger }) => trigger);
      try {
        await makeClaimed(ledger, ref, triggers, () => fenced(deps, input));
      } catch (error) {
        if (error instanceof Refused) return { lsn: '0/0', refused: error.message };
        throw error;
      }
      for (const trigger of triggers) await ledger.setObjectState(ref, trigger, 'created');
      return withSource(plan, secret, async (client) => {
        if (!plan.batch) await emitMarker(client, ref, token);
        return { lsn: await insertLsn(client), refused: null };
      });
    },

    /**
     * Undoes `fence`. Idempotent; it touches only a fence of this token, and ends the attempt.
     * Triggers then block nothing, and `removeTrigger` removes them. Under the row's lock, it sees
     * whether a commit that we had given up on has succeeded.
     */
    async releaseFence({
      ref,
      plan,
      token,
      attempt,
    }: Planned & Pick<FenceInput, 'token' | 'attempt'>): Promise<{ committed: boolean }> {
      const mine = `migration = ${quoteLiteral(ref.name)}`;
      return onLease(plan, BRIEFLY, async (client) => {
        const row = await lockedLease(client, { ref, plan });
        if (row.state === 'SWITCHED') return { committed: true }; // any token counts, because a run that was reset no longer knows it
        const opened =
          row.state === 'FENCED' && row.token === token
            ? `, state = 'OPEN', token = NULL, fenced_at = NULL, expires_at = NULL, evidence_digest = NULL`
            : '';
        await client.query(
          `UPDATE ${leaseTable(plan)} SET attempt = greatest(attempt, ${attempt})${opened} WHERE ${mine}`,
        );
        return { committed: false };
      });
    },
  });
}

type FenceDeps = Pick<Deps, 'secret' | 'ledger'>;

/** Null = FENCED by this attempt; otherwise the condition that did not hold. */
async function takeFence(
  deps: FenceDeps,
  client: pg.ClientBase,
  input: FenceInput & Planned,
): Promise<string | null> {
  const { ref, plan, token, attempt, epoch, evidenceId } = input;
  const hold = durationMs(plan.spec.cutover.maxHold);
  const mine = `migration = ${quoteLiteral(ref.name)}`;
  if (plan.fence.kind === 'source') await createFenceTriggers(client, plan);
  await routeEffects(plan, deps).inFence(client, input);
  const row = await leaseAccess(deps).lockedLease(client, input);
  if (row.state === 'SWITCHED') return `lease is SWITCHED since ${row.switched_at}`;
  const isMine = row.state === 'FENCED' && row.token === token;
  if (isMine && row.expired) return `this fence expired at ${row.expires_at}`;
  if (row.attempt > attempt || (row.attempt === attempt && !isMine))
    return `attempt ${attempt} was released already`;
  if (row.state === 'FENCED' && !isMine && !row.expired)
    return `another attempt holds the fence until ${row.expires_at}`;
  if (row.veto) return 'the lease row carries a veto';
  // A repeated attempt of this activity finds its own fence and does not extend it. The hold counts
  // from the transaction's beginning, so that the wait of writers for the first fenced tables is
  // inside it.
  if (!isMine) {
    await client.query(
      `UPDATE ${leaseTable(plan)} SET state = 'FENCED', token = ${quoteLiteral(token)}, attempt = ${attempt}, epoch = ${epoch}, evidence_digest = ${quoteLiteral(evidenceId)},
         fenced_at = now(), expires_at = now() + interval '${hold} milliseconds' WHERE ${mine}`,
    );
  }
  if (plan.batch) await emitMarker(client, ref, token); // transactional: in the WAL if and only if the fence is
  return null;
}

/**
 * Throws Refused, with nothing changed, for a condition that does not hold or a lock that the
 * application does not leave to us.
 */
async function fenced(deps: FenceDeps, input: FenceInput & Planned): Promise<void> {
  const limits = holdLimits(input.plan);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await leaseAccess(deps).onLease(input.plan, limits, async (client) => {
        const why = await takeFence(deps, client, input);
        if (why) throw new Refused(why); // rolls the triggers back
      });
    } catch (error) {
      if (error instanceof Problem && error.code === 'object-not-ours')
        throw new Refused(error.message);
      if (isOverdue(error))
        throw new Refused(`the fence was not made within ${limits.overallMs / 1000} s`);
      if (!GAVE_WAY.includes((error as { code?: unknown }).code)) throw error;
      if (attempt === LOCK_ATTEMPTS)
        throw new Refused(
          `a lock was not granted in ${LOCK_ATTEMPTS} attempts: a long transaction holds a source table or the lease row`,
        );
      await sleep(100 * attempt + Math.random() * 200);
    }
  }
}
