// Tries many commits at the moment at which their fence expires. Two variants of the commit are
// known to be wrong. They show that these trials would detect a mistake.
import pg from 'pg';
import type { FenceInput, Refusable } from '../src/activities/cutover/fence.js';
import { serverIdentity } from '../src/clients/postgres/server-identity.js';
import { LEASE, type Drill } from './drill.js';

export type Variant = 'real' | 'one-statement' | 'no-lock';

export interface Edge {
  readonly trials: number;
  readonly committed: number;
  readonly takenOver: number;
  /** The number of commits at or after the fence's expiry, by the database's clock. */
  readonly late: number;
  /** The number of trials in which a commit and a second attempt's fence were both accepted. */
  readonly both: number;
}

/**
 * Runs trials at the expiry of a fence. In each trial, the fence of a first attempt is about to
 * expire. The commit of this attempt waits for a lock on the lease row. A second attempt fences as
 * soon as the database allows it.
 */
export async function leaseEdge(
  drill: Drill,
  trials: number,
  parallel: number,
  variant: Variant,
): Promise<Edge> {
  const edge = { trials, committed: 0, takenOver: 0, late: 0, both: 0 };
  await drill.client.query(NOTE_COMMITS);
  let next = 0;
  const lane = async (): Promise<void> => {
    const holder = new pg.Client({ database: drill.database });
    const mutant = new pg.Client({ database: drill.database });
    await Promise.all([holder.connect(), mutant.connect()]);
    for (let at = (next += 1); at <= trials; at = next += 1) {
      const { committed, takenOver, late } = await trial(
        drill,
        `${variant}-${at}`,
        variant,
        holder,
        mutant,
      );
      if (committed) edge.committed += 1;
      if (takenOver) edge.takenOver += 1;
      if (late) edge.late += 1;
      if (committed && takenOver) edge.both += 1;
    }
    await Promise.all([holder.end(), mutant.end()]);
  };
  await Promise.all(Array.from({ length: parallel }, lane));
  return edge;
}

/** The margin before the expiry: the real commit is refused if less than this time is left. */
const MARGIN_MS = 1000;
/**
 * The time between the fence and the beginning of that margin. On a busy machine, a commit needs
 * some of this time before it waits for the lock.
 */
const BEFORE_MARGIN_MS = 600;
const HOLD_MS = BEFORE_MARGIN_MS + MARGIN_MS;

/**
 * SQL for a trigger that stores the database's time at the end of each transaction that commits a
 * cut-over. A session that asked for the time after the commit would also count its own delay.
 */
const NOTE_COMMITS = `
  CREATE TABLE IF NOT EXISTS commits (migration text PRIMARY KEY, at timestamptz NOT NULL);
  CREATE OR REPLACE FUNCTION note_commit() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
    INSERT INTO public.commits VALUES (NEW.migration, clock_timestamp()) ON CONFLICT DO NOTHING;
    RETURN NULL; END$$;
  DROP TRIGGER IF EXISTS note_commit ON ${LEASE};
  CREATE CONSTRAINT TRIGGER note_commit AFTER UPDATE ON ${LEASE} DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.state = 'SWITCHED') EXECUTE FUNCTION note_commit()`;

async function trial(
  drill: Drill,
  migration: string,
  variant: Variant,
  holder: pg.Client,
  mutant: pg.Client,
): Promise<{ committed: boolean; takenOver: boolean; late: boolean }> {
  const ref = drill.ref(migration);
  const mine: FenceInput = { ref, token: 'mine', attempt: 1, epoch: 1, evidenceId: 'ev' };
  const jitter = Math.random() * 300 - 150;
  const { rows } = await holder.query<{ expires: string }>(
    `INSERT INTO ${LEASE} (migration, state, epoch, token, evidence_digest, server, expires_at) VALUES ($1, 'FENCED', 1, 'mine', 'ev', $2, clock_timestamp() + interval '${HOLD_MS} milliseconds') RETURNING expires_at::text AS expires`,
    [migration, await serverIdentity(holder)],
  );
  const locked = holder.query(
    `BEGIN; SELECT 1 FROM ${LEASE} WHERE migration = '${migration}' FOR UPDATE; SELECT pg_sleep(${Math.max(0, (Math.random() < 0.5 ? BEFORE_MARGIN_MS : HOLD_MS) + jitter) / 1000}); COMMIT`,
  );
  const commit =
    variant === 'real'
      ? drill.cutover.commitCutover(mine)
      : wrongCommit(mutant, migration, variant);
  const done = commit.then(async ({ refused }) => {
    if (refused !== null) return { committed: false, late: false };
    const noted = await mutant.query<{ late: boolean }>(
      'SELECT at >= $1::timestamptz AS late FROM commits WHERE migration = $2',
      [rows[0]!.expires, migration],
    );
    return { committed: true, late: noted.rows[0]!.late };
  });
  const [, { committed, late }, takenOver] = await Promise.all([
    locked,
    done,
    takeOver(drill, { ...mine, token: 'theirs', attempt: 2 }),
  ]);
  return { committed, takenOver, late };
}

/**
 * Tries to fence as a second attempt, until it holds the fence (returns true) or the first attempt
 * has committed (returns false).
 */
async function takeOver(drill: Drill, input: FenceInput): Promise<boolean> {
  for (;;) {
    const { refused } = await drill.cutover
      .fence(input)
      .catch((error: unknown) => ({ refused: (error as Error).message }));
    if (refused === null) return true;
    if (refused.includes('SWITCHED')) return false;
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}

/**
 * Commits in ways that are known to be wrong. `one-statement` uses an UPDATE, which does not read
 * the clock again after it waited for the lock. With `no-lock`, the state may change between read
 * and write.
 */
async function wrongCommit(
  client: pg.Client,
  migration: string,
  variant: 'one-statement' | 'no-lock',
): Promise<Refusable> {
  if (variant === 'one-statement') {
    const { rowCount } = await client.query(
      `UPDATE ${LEASE} SET state = 'SWITCHED', switched_at = clock_timestamp() WHERE migration = $1 AND state = 'FENCED' AND token = 'mine' AND expires_at > clock_timestamp()`,
      [migration],
    );
    return { refused: rowCount === 1 ? null : 'refused' };
  }
  for (;;) {
    const { rows } = await client.query<{ left: number; state: string }>(
      `SELECT extract(epoch FROM expires_at - clock_timestamp()) * 1000 AS left, state FROM ${LEASE} WHERE migration = $1 AND token = 'mine'`,
      [migration],
    );
    if (!rows[0] || rows[0].left <= 0) return { refused: 'refused' };
    if (rows[0].left > 15) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(20, rows[0]!.left - 10)));
      continue;
    }
    await new Promise((resolve) => setTimeout(resolve, 30)); // the time between reading and writing
    await client.query(
      `UPDATE ${LEASE} SET state = 'SWITCHED', switched_at = clock_timestamp() WHERE migration = $1`,
      [migration],
    );
    return { refused: null };
  }
}
