// A reduced drill of the cut-over's edges (the whole one: npm run bench -- cutover), and proof that
// the drill sees the two known mistakes.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fenceRounds, leaseEdge, openDrill, type Drill } from '../../bench/drill.js';

let drill: Drill;
beforeAll(async () => {
  drill = await openDrill('cutover_drill');
});
afterAll(() => drill.close());

describe('fence and commit', () => {
  it('under busy writers and readers never show a reader the other side than the confirmed one', async () => {
    const result = await fenceRounds(drill, 40, 8);
    expect([result.slipped, result.refused]).toEqual([0, []]);
    expect(result.reads).toBeGreaterThan(100);
    expect(result.writes).toBeGreaterThan(100);
  });
});

describe('a commit that meets the expiry of its fence', () => {
  it('is never late and never accepted beside another attempt', async () => {
    const edge = await leaseEdge(drill, 120, 12, 'real');
    expect(edge).toMatchObject({ late: 0, both: 0 });
    expect(edge.committed).toBeGreaterThan(0);
    expect(edge.takenOver).toBeGreaterThan(0);
  });

  it('in one statement, which does not look at the clock again after a wait, would be late: the drill sees it', async () => {
    expect((await leaseEdge(drill, 100, 12, 'one-statement')).late).toBeGreaterThan(0);
  });

  it('without a lock would be accepted beside another attempt: the drill sees it', async () => {
    const edge = await leaseEdge(drill, 100, 12, 'no-lock');
    expect(edge.both + edge.late).toBeGreaterThan(0);
  });
});
