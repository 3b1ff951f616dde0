// Stores the lease row, which says whether consumers read the batch or the stream. With a batch,
// the row is in the target, like the result. Without a batch, it is in the ledger. The functions of
// this file connect to the right one of these two databases.
import type pg from 'pg';
import {
  heldTransaction,
  type Held,
  type HoldLimits,
} from '../../clients/postgres/held-transaction.js';
import { transaction } from '../../clients/postgres/connection.js';
import { dropFenceFunctionSql } from '../../clients/postgres/fence-triggers.js';
import { dropKeptViewSql } from '../../clients/postgres/kept-view.js';
import {
  createLeaseTableSql,
  leaseTable,
  readLease,
  type LeaseRow,
} from '../../clients/postgres/lease-row.js';
import { dropSharedTableSql } from '../../clients/postgres/shared-table-sql.js';
import { withTarget } from '../../clients/postgres/target-connection.js';
import { durationMs } from '../../domain/values/duration.js';
import { Problem } from '../../domain/failure.js';
import { quoteIdent, quoteLiteral } from '../../domain/migration/names.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { Deps } from '../runtime/deps.js';
import { stopIfCancelled } from '../runtime/poll-until.js';
import type { Planned } from '../runtime/with-plan.js';

const IDLE_MS = 5000;
const OVERALL_MS = 20_000;

/**
 * Returns the time limits of the transactions that fence and commit. They are shorter than
 * `maxHold`, so that no session waits longer than `maxHold`, even if the worker dies.
 */
export function holdLimits({ spec }: ResolvedPlan): HoldLimits {
  const hold = durationMs(spec.cutover.maxHold);
  return { idleMs: Math.min(IDLE_MS, hold / 2), overallMs: Math.min(OVERALL_MS, (hold * 2) / 3) };
}

/** The limits for short transactions, such as those that only read the row or that end a hold. */
export const BRIEFLY: HoldLimits = { idleMs: IDLE_MS, overallMs: OVERALL_MS };

/**
 * Returns the limits of a rollback, which may run the batch's query until the statement timeout.
 */
export const wayBackLimits = ({ spec }: ResolvedPlan): HoldLimits => ({
  idleMs: IDLE_MS,
  overallMs: 2 * durationMs(spec.source.limits.statementTimeout) + OVERALL_MS,
});

type LeaseDeps = Pick<Deps, 'secret' | 'ledger'>;

const placeOf = ({ batch, targetDatabase }: ResolvedPlan): string =>
  batch ? targetDatabase : 'ledger';

/** Calls `use` with a connection to the database that contains the row. */
const leaseSession = <T>(
  { secret, ledger }: LeaseDeps,
  plan: ResolvedPlan,
  use: (client: pg.ClientBase) => Promise<T>,
): Promise<T> => (placeOf(plan) === 'ledger' ? ledger.session(use) : withTarget(plan, secret, use));

/**
 * Creates and removes the row. In the target, this includes the table and the schema of the row.
 * The removal also drops what the fence and the route created in that schema.
 */
export interface LeaseStore {
  readonly exists: () => Promise<boolean>;
  /** Creates the row with the state OPEN, and its table and schema if needed. */
  readonly create: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

/**
 * Returns the store of a run's lease row. `where` is `ledger`, or the name of the target.
 */
export function leaseStore(deps: LeaseDeps, run: Planned, where = placeOf(run.plan)): LeaseStore {
  return where === 'ledger' ? inLedger(deps, run) : besideResult(deps, run);
}

const OPEN_ROW = `(migration, state, epoch) VALUES`;

function inLedger({ ledger }: LeaseDeps, { ref: { name } }: Planned): LeaseStore {
  return {
    exists: async () =>
      (await ledger.query(`SELECT 1 FROM sluice.lease WHERE migration = $1`, [name])).length > 0,
    create: async () => {
      await ledger.query(
        `INSERT INTO sluice.lease ${OPEN_ROW} ($1, 'OPEN', 0) ON CONFLICT DO NOTHING`,
        [name],
      );
    },
    remove: async () => {
      await ledger.query(`DELETE FROM sluice.lease WHERE migration = $1`, [name]);
    },
  };
}

/**
 * Stores the row in a separate schema of the target. The fence and the route later add functions
 * that read it.
 */
function besideResult({ secret }: LeaseDeps, { ref, plan }: Planned): LeaseStore {
  const schema = plan.names.leaseSchema;
  const session = <T>(use: (client: pg.ClientBase) => Promise<T>): Promise<T> =>
    withTarget(plan, secret, (client) => {
      stopIfCancelled();
      return use(client);
    });
  return {
    exists: () => withTarget(plan, secret, (client) => schemaExists(client, schema)),
    create: () =>
      session((client) =>
        transaction(client, 'BEGIN', async () => {
          await client.query(createLeaseTableSql(schema));
          await client.query(
            `INSERT INTO ${quoteIdent(schema)}.lease ${OPEN_ROW} (${quoteLiteral(ref.name)}, 'OPEN', 0)`,
          );
        }),
      ),
    remove: () =>
      session(async (client) => {
        await client.query(
          `${dropFenceFunctionSql(schema)}; ${dropSharedTableSql(schema)}; ${dropKeptViewSql(schema)}; DROP TABLE IF EXISTS ${quoteIdent(schema)}.lease; DROP SCHEMA ${quoteIdent(schema)}`,
        );
      }),
  };
}

export const schemaExists = async (client: pg.ClientBase, schema: string): Promise<boolean> =>
  (await client.query(`SELECT 1 FROM pg_namespace WHERE nspname = ${quoteLiteral(schema)}`)).rows
    .length > 0;

export function leaseAccess(deps: LeaseDeps) {
  const leaseIfAny = async (
    client: pg.ClientBase,
    { ref, plan }: Planned,
  ): Promise<LeaseRow | null> => {
    const table = leaseTable(plan);
    const { rows } = await client.query<Record<string, string | null>>(
      `SELECT to_regclass(${quoteLiteral(table)})::text AS found`,
    );
    return rows[0]?.['found'] ? readLease(client, table, ref.name) : null;
  };
  const lease = async (client: pg.ClientBase, { ref, plan }: Planned): Promise<LeaseRow> => {
    const row = await readLease(client, leaseTable(plan), ref.name);
    if (!row)
      throw new Problem(
        'unexpected',
        `the lease row of ${ref.name} is gone from ${leaseTable(plan)}`,
      );
    return row;
  };
  return {
    /**
     * Calls `use` in one transaction on the database that contains the row. The database itself
     * ends the transaction at the given limits.
     */
    onLease: <T>(
      plan: ResolvedPlan,
      limits: HoldLimits,
      use: (client: pg.ClientBase, held: Held) => Promise<T>,
    ): Promise<T> =>
      leaseSession(deps, plan, (client) =>
        heldTransaction(client, limits, (held) => use(held.client, held)),
      ),

    lease,

    /**
     * Reads the row. Returns null if the row or its table does not exist, as after a restore of an
     * old backup. Without a row, no commit can succeed.
     */
    leaseIfAny,

    /**
     * Locks the row and reads it. No other session can change it until the transaction ends.
     */
    lockedLease: async (client: pg.ClientBase, run: Planned): Promise<LeaseRow> => {
      await client.query(
        `SELECT 1 FROM ${leaseTable(run.plan)} WHERE migration = ${quoteLiteral(run.ref.name)} FOR UPDATE`,
      );
      return lease(client, run);
    },
  };
}

/** A fence needs a higher number than the lease row has. No number is higher than this one. */
export const LAST_ATTEMPT = 2_147_483_647;

/** Sets the columns of a fenced row back to those of an open row. */
const RELEASED = `, state = 'OPEN', token = NULL, fenced_at = NULL, expires_at = NULL, evidence_digest = NULL, server = NULL, source_server = NULL`;

/**
 * Ends the cut-over attempts up to the number `last`, under the row's lock. Releases a fence for
 * which `isEnded` returns true. Idempotent. Returns whether the row says that the cut-over
 * happened. If it says so, the row stays unchanged. A missing row counts as not committed.
 */
export function endAttempts(
  deps: LeaseDeps,
  run: Planned,
  last: number,
  isEnded: (fenced: LeaseRow) => boolean,
): Promise<{ committed: boolean }> {
  const { onLease, leaseIfAny, lockedLease } = leaseAccess(deps);
  return onLease(run.plan, BRIEFLY, async (client) => {
    if (!(await leaseIfAny(client, run))) return { committed: false };
    const row = await lockedLease(client, run);
    // a commit with any token counts, because a run that was reset no longer knows its token
    if (row.state === 'SWITCHED') return { committed: true };
    const released = row.state === 'FENCED' && isEnded(row) ? RELEASED : '';
    await client.query(
      `UPDATE ${leaseTable(run.plan)} SET attempt = greatest(attempt, ${last})${released} WHERE migration = ${quoteLiteral(run.ref.name)}`,
    );
    return { committed: false };
  });
}

/**
 * Thrown inside a transaction if a condition of the fence or the commit fails. The transaction is
 * then rolled back.
 */
export class Refused extends Error {}
