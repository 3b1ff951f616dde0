// Finds transactions that have written and are still open, including prepared transactions. A new
// slot waits for them. Without pg_read_all_stats, Sluice's role sees the id of another role's
// transaction but not its age. Such a transaction does not count if it ends within three seconds.
// If it stays open, its age is reported as unknown.
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { plainIdent, quoteLiteral } from '../../domain/migration/names.js';

export interface OpenWriter {
  /** Identifies the transaction. */
  readonly id: string;
  /** Describes the session with its role and application, or the prepared transaction. */
  readonly said: string;
  /**
   * Milliseconds since the transaction began or was prepared. Null if Sluice's role cannot see this
   * time.
   */
  readonly ageMs: number | null;
  /** The statement that ends a prepared transaction. Null for a session. */
  readonly endedBy: string | null;
}

export interface OldWriters {
  readonly old: readonly OpenWriter[];
  /** The transactions of unknown age that were still open after three seconds. */
  readonly unseen: readonly OpenWriter[];
}

const SESSION = `format('session %s of %s%s', pid, usename, CASE WHEN application_name <> '' THEN ' (' || application_name || ')' ELSE '' END)`;
const MOMENT_MS = 3000;
const POLL_MS = 100;

const PREPARED = `format('prepared transaction %L of %s in database %s', gid, owner, database)`;

/**
 * Lists open writers, oldest first. By default, lists the writers of every database, because a new
 * slot waits for all of them. With `thisDatabase`, lists only writers that can change rows of this
 * database.
 */
export async function openWriters(
  client: pg.ClientBase,
  { thisDatabase = false } = {},
): Promise<OpenWriter[]> {
  const { rows } = await client.query<Record<string, string | null>>(
    `SELECT id, said, age, ended_by FROM (
       SELECT 'prepared ' || transaction AS id, age(transaction) AS xids, database, round(extract(epoch FROM clock_timestamp() - prepared) * 1000)::bigint AS age,
         ${PREPARED} AS said, format('ROLLBACK PREPARED %L', gid) AS ended_by FROM pg_prepared_xacts
       UNION ALL SELECT pid || ' ' || backend_xid, age(backend_xid), datname, round(extract(epoch FROM clock_timestamp() - xact_start) * 1000)::bigint,
         ${SESSION}, NULL FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()) AS open
      ${thisDatabase ? 'WHERE database = current_database()' : ''} ORDER BY xids DESC, id`,
  );
  return rows.map((row) => ({
    id: row['id']!,
    said: row['said']!,
    ageMs: row['age'] === null ? null : Number(row['age']),
    endedBy: row['ended_by'] ?? null,
  }));
}

/**
 * Returns the writers that are older than `limitMs`. A prepared transaction counts at any age,
 * unless it ends within three seconds. Writers of hidden age also get three seconds. Those that
 * stay are in `unseen`, or in `old` if the wait was at least `limitMs`.
 */
export async function oldWriters(
  client: pg.ClientBase,
  limitMs: number,
  scope: { thisDatabase?: boolean } = {},
): Promise<OldWriters> {
  const open = await openWriters(client, scope);
  const isOld = ({ ageMs }: OpenWriter): boolean => ageMs !== null && ageMs >= limitMs;
  const doubtful = open.filter(
    (writer) => !isOld(writer) && (writer.ageMs === null || writer.endedBy !== null),
  );
  const { left, waitedMs } = await thoseThatStay(doubtful, async () =>
    (await openWriters(client, scope)).map((writer) => writer.id),
  );
  const isHidden = ({ ageMs }: OpenWriter): boolean => ageMs === null && waitedMs < limitMs;
  return {
    old: [...open.filter(isOld), ...left.filter((writer) => !isHidden(writer))],
    unseen: left.filter(isHidden),
  };
}

/**
 * Returns the entries of `first` whose ids `now` still returns after three seconds. Returns earlier
 * when no entry is left.
 */
export async function thoseThatStay<T extends { readonly id: string }>(
  first: readonly T[],
  now: () => Promise<readonly string[]>,
): Promise<{ left: readonly T[]; waitedMs: number }> {
  const started = Date.now();
  let left = first;
  while (left.length > 0 && Date.now() - started < MOMENT_MS) {
    await sleep(POLL_MS);
    const there = new Set(await now());
    left = left.filter((one) => there.has(one.id));
  }
  return { left, waitedMs: Date.now() - started };
}

/**
 * Describes the transaction that the creation of a slot waits for. Returns null if the creation
 * does not wait for a transaction. Needs no special privilege.
 */
export async function slotWaitsFor(client: pg.ClientBase, slot: string): Promise<string | null> {
  const { rows } = await client.query<{ said: string }>(
    `SELECT coalesce((SELECT ${PREPARED} || format(' (ROLLBACK PREPARED %L or COMMIT PREPARED %L ends it)', gid, gid) FROM pg_prepared_xacts p WHERE p.transaction = w.transactionid),
         (SELECT ${SESSION} FROM pg_locks h JOIN pg_stat_activity a USING (pid) WHERE h.transactionid = w.transactionid AND h.granted LIMIT 1),
         'transaction ' || w.transactionid) AS said
       FROM pg_replication_slots s JOIN pg_locks w ON w.pid = s.active_pid AND w.locktype = 'transactionid' AND NOT w.granted
      WHERE s.slot_name = ${quoteLiteral(slot)}`,
  );
  return rows[0]?.said ?? null;
}

/** Returns the statement that lets the role see all sessions, transactions and statements. */
export const grantSight = (user: string): string =>
  `GRANT pg_read_all_stats TO ${plainIdent(user)}`;
