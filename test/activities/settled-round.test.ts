// Tests which rounds of a settled comparison may lack a commit. With synchronous replication, a
// commit can wait for a standby. The stream already has it then, but no session of Postgres sees it
// yet. So a query of the round can lack a commit that the stream has.
import { describe, expect, it } from 'vitest';
import { takeRound, type RoundTaken } from '../../src/activities/windows/results/settled-round.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { aRef } from '../support/builders.js';

const ref = aRef();

/** A server whose next transaction has the id 100. `open` is the id of an open transaction. */
function serverWith(standbys: string, open: number | null) {
  const world = { open, next: 100 };
  const answer = (sql: string): object | null => {
    if (sql.includes('pg_snapshot_xmin')) return { it: String(world.open ?? world.next) };
    if (sql.includes('synchronous_standby_names'))
      return { it: standbys === '' ? null : String((world.next += 1)) };
    if (sql.includes('pg_replication_slots'))
      return { restart_lsn: '0/9', confirmed_flush_lsn: '0/9' };
    return { lsn: '0/1' };
  };
  const client = { query: (sql: string) => Promise.resolve({ rows: [answer(sql)] }) };
  const session = {
    ref,
    plan: resolve(ref),
    deps: { systems: { connect: () => ({}) } },
    reader: client,
    side: client,
  } as unknown as Parameters<typeof takeRound>[0];
  const round = async (earlier?: RoundTaken): Promise<RoundTaken> => {
    const taken = await takeRound(session, [], earlier);
    if (!taken.ok) throw new Error(taken.reason);
    return taken.value;
  };
  return { world, round };
}

describe('a round of a settled comparison', () => {
  it('may lack a commit while a transaction of the earlier round is open', async () => {
    const { world, round } = serverWith('s1', 90);
    const first = await round();
    expect(first.mayLackCommits).toBe(false);
    const second = await round(first);
    expect(second.mayLackCommits).toBe(true);
    world.open = null;
    expect((await round(second)).mayLackCommits).toBe(false);
  });

  it('lacks no commit because of a transaction that began after the earlier round', async () => {
    const { world, round } = serverWith('s1', null);
    const first = await round();
    world.open = 102;
    world.next = 103;
    expect((await round(first)).mayLackCommits).toBe(false);
  });

  it('lacks no commit without synchronous replication, even if a transaction stays open', async () => {
    const { round } = serverWith('', 90);
    expect((await round(await round())).mayLackCommits).toBe(false);
  });
});
