// Runs the transactions that make other sessions wait: the fence, the commit, the release and the
// rollback. The server itself ends such a transaction, even if the worker hangs, its host is lost
// or the network is cut. Before version 17, Postgres cannot limit a whole transaction, so each
// statement gets the remaining time as its limit.
import { hasState, SQLSTATE } from '../../domain/values/sqlstate.js';
import type pg from 'pg';

export interface HoldLimits {
  /**
   * The maximum pause between two statements, in ms. This limits how long a hanging worker holds
   * its locks.
   */
  readonly idleMs: number;
  /** The limit from the beginning of the transaction to the end of its last statement, in ms. */
  readonly overallMs: number;
}

/** A transaction that `heldTransaction` runs. */
export interface Held {
  readonly client: pg.ClientBase;
  /**
   * Limits the rest of the transaction to `ms`. Does nothing if the transaction must end earlier
   * anyway.
   */
  atMost(ms: number): Promise<void>;
}

/**
 * The SQLSTATEs of a transaction that the database ended at a time limit. This is the limit for a
 * statement, for idle time, or for the whole transaction.
 */
const ENDED = [
  SQLSTATE.queryCanceled,
  SQLSTATE.idleInTransactionTimeout,
  SQLSTATE.transactionTimeout,
];
const GRACE_MS = 250; // the statement's limit comes this much earlier than the transaction's limit

/** Returns whether the transaction was rolled back because it reached one of its limits. */
export const isOverdue = (error: unknown): boolean => hasState(error, ...ENDED);

/**
 * Runs `use` in one transaction, and rolls back if `use` throws. If a statement reaches a limit,
 * throws an error for which `isOverdue` is true. If the server ends the transaction between two
 * statements, the error may instead say that the connection is lost. The isolation level is READ
 * COMMITTED, even if the database has a different default. After a statement that waited for a
 * lock, the next statement therefore sees what was committed during the wait.
 */
export async function heldTransaction<T>(
  client: pg.ClientBase,
  { idleMs, overallMs }: HoldLimits,
  use: (held: Held) => Promise<T>,
): Promise<T> {
  let deadline = performance.now() + overallMs;
  await client.query(
    `BEGIN ISOLATION LEVEL READ COMMITTED; ${beginSql(idleMs)}; ${overallSql(overallMs)}`,
  );
  const limited = withLimit(client, () => deadline - performance.now());
  const atMost = async (ms: number): Promise<void> => {
    if (performance.now() + ms >= deadline) return;
    deadline = performance.now() + ms;
    await client.query(overallSql(ms));
  };
  try {
    const result = await use({ client: limited, atMost });
    await limited.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/**
 * Returns SQL that limits each pause between two statements to `idleMs`. It also makes the server
 * notice a lost connection after about this time, even while it sends an answer.
 */
const beginSql = (idleMs: number): string =>
  `SET LOCAL idle_in_transaction_session_timeout = ${whole(idleMs)}; SET LOCAL tcp_user_timeout = ${whole(idleMs)}; ` +
  `SET LOCAL tcp_keepalives_idle = ${Math.max(1, Math.ceil(idleMs / 2000))}; SET LOCAL tcp_keepalives_interval = 1; SET LOCAL tcp_keepalives_count = 3`;

/**
 * Returns SQL that limits the transaction to `ms` plus GRACE_MS, counted from the execution of this
 * SQL. The SQL has no effect before PostgreSQL 17.
 */
const overallSql = (ms: number): string =>
  `SELECT set_config('transaction_timeout', '${whole(ms + GRACE_MS)}', true) WHERE current_setting('transaction_timeout', true) IS NOT NULL`;

const whole = (ms: number): number => Math.max(1, Math.ceil(ms));

/** Wraps the client, so that Postgres cancels each statement when the remaining time is over. */
function withLimit(client: pg.ClientBase, restMs: () => number): pg.ClientBase {
  const limited = async (...statement: Parameters<pg.ClientBase['query']>): Promise<unknown> => {
    const rest = restMs();
    if (rest <= 0)
      throw Object.assign(new Error('the transaction took longer than allowed'), {
        code: SQLSTATE.queryCanceled,
      });
    await client.query(`SET LOCAL statement_timeout = ${whole(rest)}`);
    return (client.query as (...of: unknown[]) => Promise<unknown>).apply(client, statement);
  };
  return new Proxy(client, {
    get(target, name) {
      if (name === 'query') return limited;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
