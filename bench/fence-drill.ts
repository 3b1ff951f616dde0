// Repeats the fence with triggers (`fence: source`) and the commit, while writers of the source
// table are busy. No write may change this table between the fence and the commit.
import pg from 'pg';
import type { FenceInput } from '../src/activities/cutover/fence.js';
import { resolve } from '../src/domain/plan/resolve.js';
import type { MigrationRef } from '../src/domain/evidence/ledger-rows.js';
import { LEASE, type Drill } from './drill.js';

export interface SourceRounds {
  readonly fenceMs: readonly number[];
  readonly holdMs: readonly number[];
  /** The number of writes that changed the source table between two readings under the fence. */
  readonly slipped: number;
  readonly writes: number;
  /**
   * `held` counts the writes that the fence refused (SQLSTATE 25006). `broken` has the errors of
   * all other failed writes. A correct fence leaves it empty.
   */
  readonly held: number;
  readonly broken: readonly string[];
  readonly refused: readonly string[];
}

/**
 * Each round fences, reads the source table twice to find a write in between, and commits. Then the
 * round removes the triggers and routes consumers back. Meanwhile, `busy` connections write. Some
 * of them use longer transactions.
 */
export async function sourceFenceRounds(
  drill: Drill,
  rounds: number,
  busy: number,
): Promise<SourceRounds> {
  const ref = fencedRef(drill.ref());
  const written: Written = { isOver: false, writes: 0, held: 0, broken: [] };
  let slipped = 0;
  const [fenceMs, holdMs, refused]: [number[], number[], string[]] = [[], [], []];
  await drill.client.query(
    `INSERT INTO ${LEASE} (migration, state, epoch) VALUES ($1, 'OPEN', 0) ON CONFLICT DO NOTHING`,
    [ref.name],
  );
  const writers = Array.from({ length: busy }, (_, lane) => keepWriting(drill, lane, written));
  const sum = async (): Promise<bigint> =>
    BigInt((await drill.client.query<{ n: string }>('SELECT sum(n) AS n FROM source')).rows[0]!.n);
  for (let round = 0; round < rounds; round += 1) {
    const input: FenceInput = {
      ref,
      token: `source-round-${round}`,
      attempt: 1_000_000 + round,
      epoch: 1,
      evidenceId: 'ev',
    };
    const started = performance.now();
    const fence = await drill.cutover.fence(input);
    fenceMs.push(performance.now() - started);
    if (fence.refused) refused.push(fence.refused);
    else {
      const before = await sum();
      await new Promise((resolve) => setTimeout(resolve, 5));
      slipped += Number((await sum()) - before);
      const commit = await drill.cutover.commitCutover(input);
      if (commit.refused) refused.push(commit.refused);
      holdMs.push(performance.now() - started);
    }
    for (const { trigger } of resolve(ref).fence.guards)
      await untilGranted(() => drill.cutover.removeTrigger(ref, trigger));
    await drill.cutover.routeBack(ref);
    await drill.client.query(
      `UPDATE ${LEASE} SET state = 'OPEN', switched_at = NULL WHERE migration = $1`,
      [ref.name],
    );
  }
  written.isOver = true;
  await Promise.all(writers);
  const { writes, held, broken } = written;
  return { fenceMs, holdMs, refused, slipped, writes, held, broken };
}

/** The counts of all writers, and the flag that ends them. */
interface Written {
  isOver: boolean;
  writes: number;
  held: number;
  readonly broken: string[];
}

/**
 * Updates rows of the source table over one connection until the drill is over. `lane` is the
 * number of the connection. Every fourth connection uses longer transactions.
 */
async function keepWriting({ database }: Drill, lane: number, written: Written): Promise<void> {
  const client = new pg.Client({ database });
  await client.connect();
  while (!written.isOver) {
    const id = 1 + Math.floor(Math.random() * 1000);
    try {
      await client.query('BEGIN; UPDATE source SET n = n + 1 WHERE id = ' + id);
      // Some connections keep their transactions open for a while, so that some transactions are
      // open when the fence begins.
      if (lane % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 15));
      await client.query(
        'UPDATE source SET n = n + 1 WHERE id = ' + (1 + (id % 1000)) + '; COMMIT',
      );
      written.writes += 2;
    } catch (error) {
      await client.query('ROLLBACK');
      if ((error as { code?: string }).code !== '25006')
        written.broken.push((error as Error).message);
      else written.held += 1;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
  await client.end();
}

const fencedRef = (ref: MigrationRef): MigrationRef => ({
  ...ref,
  spec: {
    ...ref.spec,
    spec: { ...ref.spec.spec, cutover: { ...ref.spec.spec.cutover, fence: 'source' } },
  },
});

/**
 * Repeats an action, at most 21 times, as long as it fails because a lock was not granted in time
 * (SQLSTATE 55P03). The workflow repeats such an action too.
 */
export async function untilGranted(act: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await act();
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== '55P03' || attempt > 20) throw error;
    }
  }
}
