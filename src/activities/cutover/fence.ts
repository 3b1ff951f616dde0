// Makes and releases the fence, which begins the critical part of a cut-over. The fence sets the
// lease row to FENCED. With `cutover.fence: source` or a shared table, it also creates triggers
// that refuse writes. `releaseFence` ends what `fence` begins, so keep both in this file.
import { hasState, SQLSTATE } from '../../domain/values/sqlstate.js';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { createFenceTriggers } from '../../clients/postgres/fence-triggers.js';
import { isOverdue } from '../../clients/postgres/held-transaction.js';
import { leaseTable } from '../../clients/postgres/lease-row.js';
import { withSource } from '../../clients/postgres/connection.js';
import { durationMs } from '../../domain/values/duration.js';
import { Problem } from '../../domain/failure.js';
import type { MigrationRef } from '../../domain/evidence/ledger-rows.js';
import { isLeaseInSource } from '../../domain/migration/databases.js';
import { quoteLiteral } from '../../domain/migration/names.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { Lsn } from '../../domain/values/position.js';
import { insertLsn } from '../../clients/postgres/wal-position.js';
import { emitMarker } from '../barrier/connector-acknowledged.js';
import type { Deps } from '../runtime/deps.js';
import {
  LAST_ATTEMPT,
  Refused,
  endAttempts,
  holdLimits,
  leaseAccess,
} from '../ownership/lease-store.js';
import { makeClaimed } from '../ownership/owned.js';
import { leaseServer, sourceServer } from './proven-servers.js';
import { routeEffects } from './routes/index.js';
import { withPlan, type Planned } from '../runtime/with-plan.js';

export interface FenceInput {
  readonly ref: MigrationRef;
  /** A secret of this attempt. Only an attempt that has this token may commit. */
  readonly token: string;
  /**
   * The attempt's number. A released attempt can never fence again, even if its call arrives late.
   */
  readonly attempt: number;
  readonly epoch: number;
  readonly evidenceId: string;
}

export interface Refusable {
  /**
   * Null if the step was done. Otherwise, the condition that failed. In this case, nothing was
   * changed.
   */
  readonly refused: string | null;
}

export interface Fenced extends Refusable {
  readonly lsn: Lsn;
  /**
   * The number of the newest attempt, if this attempt's number was already used. A run that was
   * reset to an earlier event of its history does not know this number.
   */
  readonly attempt?: number;
}

/** Thrown if this attempt was already released, or if a later attempt has begun. */
class AttemptUsed extends Refused {
  readonly attempt: number;

  constructor(attempt: number, newest: number) {
    super(`attempt ${attempt} was already released`);
    this.attempt = newest;
  }
}

const LOCK_ATTEMPTS = 6;
/** The SQLSTATEs that mean that the application holds a lock that the fence needs. */
const GAVE_WAY = [SQLSTATE.lockNotAvailable, SQLSTATE.deadlockDetected];

export function createFenceActivities(deps: FenceDeps) {
  const { secret, ledger } = deps;
  return withPlan({
    /**
     * Sets the lease row to FENCED, and creates the triggers if the fence or the route has any.
     * Writes a marker if the capture uses markers. The fence expires after `maxHold` by the
     * database's clock, even if no worker survives. The drain must reach `lsn`, a position after
     * the marker.
     */
    async fence(input: FenceInput & Planned): Promise<Fenced> {
      const { ref, plan, token } = input;
      const triggers = plan.fence.guards.map(({ trigger }) => trigger);
      try {
        await makeClaimed(ledger, ref, triggers, () => fenced(deps, input));
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        const used = error instanceof AttemptUsed && error.attempt < LAST_ATTEMPT;
        const known = used ? { attempt: error.attempt } : {};
        return { lsn: '0/0', refused: error.message, ...known };
      }
      for (const trigger of triggers) await ledger.setObjectState(ref, trigger, 'created');
      return withSource(plan, secret, async (client) => {
        if (!isLeaseInSource(plan)) await markFence(client, plan, token);
        return { lsn: await insertLsn(client), refused: null };
      });
    },

    /**
     * Releases the fence and ends the attempt. Idempotent. A fence with a different token stays.
     * After the release, the triggers block nothing, and `removeTrigger` removes them later. The
     * activity reads the lease row under the row's lock, so it notices a commit whose answer was
     * lost. A missing row, as after a restore of an old backup, counts as not committed.
     */
    async releaseFence({
      ref,
      plan,
      token,
      attempt,
    }: Planned & Pick<FenceInput, 'token' | 'attempt'>): Promise<{ committed: boolean }> {
      return endAttempts(deps, { ref, plan }, attempt, (fenced) => fenced.token === token);
    },
  });
}

/**
 * Writes the marker of the fence, if the capture uses markers. With an adopted connector, it writes
 * none, because that connector might publish the marker to a topic that Sluice does not own.
 */
export async function markFence(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  token: string,
): Promise<void> {
  if (plan.capture.carriesMarkers) await emitMarker(client, plan, token);
}

type FenceDeps = Pick<Deps, 'secret' | 'ledger'>;

/**
 * Returns null if this attempt holds the fence, otherwise the condition that failed. Throws
 * AttemptUsed if a later attempt has begun, or this one was released.
 */
async function takeFence(
  deps: FenceDeps,
  client: pg.ClientBase,
  input: FenceInput & Planned,
  source: string | null,
): Promise<string | null> {
  const { ref, plan, token, attempt, epoch, evidenceId } = input;
  const hold = durationMs(plan.spec.cutover.maxHold);
  const mine = `migration = ${quoteLiteral(ref.name)}`;
  if (plan.fence.kind === 'source') await createFenceTriggers(client, plan);
  await routeEffects(plan, deps).inFence(client, input);
  const row = await leaseAccess(deps).lockedLease(client, input);
  if (row.state === 'SWITCHED')
    return `the cut-over was already committed (the lease row says SWITCHED at ${row.switched_at})`;
  const isMine = row.state === 'FENCED' && row.token === token;
  if (isMine && row.expired) return `this fence expired at ${row.expires_at}`;
  if (row.attempt > attempt || (row.attempt === attempt && !isMine))
    throw new AttemptUsed(attempt, row.attempt);
  if (row.state === 'FENCED' && !isMine && !row.expired)
    return `another attempt holds the fence until ${row.expires_at}`;
  if (row.veto) return 'the veto in the lease row is set';
  // A retry of this activity finds the fence of the first try, and does not extend it. The expiry
  // is counted from the beginning of the transaction (`now()`). From that moment, writers of the
  // first fenced table may have to wait.
  if (!isMine) {
    await client.query(
      `UPDATE ${leaseTable(plan)} SET state = 'FENCED', token = ${quoteLiteral(token)}, attempt = ${attempt}, epoch = ${epoch}, evidence_digest = ${quoteLiteral(evidenceId)},
         fenced_at = now(), expires_at = now() + interval '${hold} milliseconds', server = $1, source_server = $2 WHERE ${mine}`,
      [await leaseServer(client, plan), source],
    );
  }
  // The marker is transactional, so it exists only if the fence commits.
  if (isLeaseInSource(plan)) await markFence(client, plan, token);
  return null;
}

/**
 * Takes the fence in one transaction. Throws Refused, with nothing changed, if a condition fails,
 * or if the application keeps a lock that the fence needs.
 */
async function fenced(deps: FenceDeps, input: FenceInput & Planned): Promise<void> {
  const limits = holdLimits(input.plan);
  const source = await sourceServer(deps, input.plan);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await leaseAccess(deps).onLease(input.plan, limits, async (client) => {
        const why = await takeFence(deps, client, input, source);
        if (why) throw new Refused(why); // this rolls the triggers back
      });
    } catch (error) {
      if (error instanceof Problem && error.code === 'object-not-ours')
        throw new Refused(error.message);
      if (isOverdue(error))
        throw new Refused(`the fence could not be made within ${limits.overallMs / 1000} s`);
      if (!hasState(error, ...GAVE_WAY)) throw error;
      if (attempt === LOCK_ATTEMPTS)
        throw new Refused(
          `a lock was not granted in ${LOCK_ATTEMPTS} attempts: a long transaction holds a source table or the lease row`,
        );
      await sleep(100 * attempt + Math.random() * 200);
    }
  }
}
