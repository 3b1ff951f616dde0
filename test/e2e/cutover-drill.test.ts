// Runs the cut-over drill with few repetitions (`npm run bench -- cutover` runs the complete one).
// The drill fences and commits many times at the worst moments, and counts wrong results. The tests
// also prove that the drill detects two protocols that are known to be wrong.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fenceRounds, openDrill, type Drill } from '../../bench/drill.js';
import { leaseEdge } from '../../bench/expiry-drill.js';

let drill: Drill;
beforeAll(async () => {
  drill = await openDrill('cutover_drill');
});
afterAll(() => drill.close());

describe('fence and commit', () => {
  it('show no reader the wrong side (batch or stream), with busy writers and readers', async () => {
    const result = await fenceRounds(drill, 40, 8);
    expect([result.slipped, result.refused]).toEqual([0, []]);
    expect(result.reads).toBeGreaterThan(100);
    expect(result.writes).toBeGreaterThan(100);
  });
});

describe('a commit at the moment when its fence expires', () => {
  it('is never accepted after the expiry, or after a second attempt has fenced', async () => {
    const edge = await leaseEdge(drill, 120, 12, 'real');
    expect(edge).toMatchObject({ late: 0, both: 0 });
    expect(edge.committed).toBeGreaterThan(0);
    expect(edge.takenOver).toBeGreaterThan(0);
  });

  it('is accepted too late if the protocol reads no clock after a lock wait, and the drill detects it', async () => {
    expect((await leaseEdge(drill, 100, 12, 'one-statement')).late).toBeGreaterThan(0);
  });

  it('in a protocol without a lock is accepted late or after a second fence, and the drill detects it', async () => {
    const edge = await leaseEdge(drill, 100, 12, 'no-lock');
    expect(edge.both + edge.late).toBeGreaterThan(0);
  });
});
