// Tests the standing of a run: whether the run continues, and where its status comes from. A status
// that the ledger stores never proves that a run still continues.
import { describe, expect, it } from 'vitest';
import {
  judgeStanding,
  obstacleOf,
  type Recorded,
  type Seen,
  type SeenWorkflow,
} from '../../src/domain/migration/run-standing.js';
import { liveStanding } from '../support/status.js';

const NOW = '2026-01-02T00:00:00.000Z';
const RECORDED: Recorded = {
  at: '2026-01-01T00:00:00.000Z',
  hasEnded: false,
  isCommitted: false,
  isOlderRun: false,
};
const seen = (more: Partial<SeenWorkflow> = {}): Seen => ({
  kind: 'workflow',
  workflow: {
    status: 'RUNNING',
    closedAt: null,
    failure: null,
    taskAttempt: 0,
    taskFailure: null,
    taskQueue: 'migrations',
    polledMsAgo: 5000,
    answered: true,
    pausedActivities: [],
    ...more,
  },
});

describe('the standing of a run', () => {
  it('is live if its workflow answers, and says what the activities wait for', () =>
    expect(judgeStanding(seen(), RECORDED, NOW, ['catchUp: waits'])).toEqual({
      ...liveStanding(NOW),
      waits: ['catchUp: waits'],
    }));

  it('names each activity that a person paused, what stops, and the command that unpauses it', () => {
    const workflowId = 'migration-m';
    const pausedActivities = [
      { workflowId, id: '7', name: 'guard' },
      { workflowId, id: '12', name: 'catchUp' },
    ];
    expect(judgeStanding(seen({ pausedActivities }), RECORDED, NOW)).toMatchObject({
      from: 'workflow',
      isDead: false,
      state: 'activity paused',
      problem:
        'activity guard (7) is paused at Temporal, so nothing watches the connectors, the slot and the WAL that it retains; activity catchUp (12) is paused at Temporal, so the run waits for it',
      remedy: [
        'temporal activity unpause --workflow-id migration-m --activity-id 7',
        'temporal activity unpause --workflow-id migration-m --activity-id 12',
      ],
    });
    // the workflow still answers, so a request is not refused
    expect(obstacleOf(seen({ pausedActivities }))).toBeNull();
  });

  it.each([
    ['TERMINATED', 'terminated'],
    ['TIMED_OUT', 'timed out'],
    ['CANCELLED', 'cancelled'],
    ['FAILED', 'failed'],
  ])(
    'is dead when its workflow is %s, even if a worker still answers its queries',
    (status, state) => {
      const standing = judgeStanding(
        seen({ status, closedAt: NOW, failure: status === 'FAILED' ? 'boom' : null }),
        RECORDED,
        NOW,
        ['catchUp: waits'],
      );
      expect(standing).toMatchObject({
        state,
        isDead: true,
        waits: [],
        remedy: ['sluice doctor --leftovers --remove', 'sluice start -f FILE'],
      });
      expect(standing.problem).toContain('retains WAL');
    },
  );
  it('names the command that routes consumers back if the run died after the commit', () =>
    expect(
      judgeStanding(seen({ status: 'TERMINATED' }), { ...RECORDED, isCommitted: true }, NOW)
        .remedy[0],
    ).toContain('--route-back'));
  it('has no problem if the run has ended, unless a newer run was refused', () => {
    const ended = { ...RECORDED, hasEnded: true };
    expect(judgeStanding(seen({ status: 'TERMINATED' }), ended, NOW).problem).toBeNull();
    expect(judgeStanding({ kind: 'unreachable', problem: 'away' }, ended, NOW).problem).toBeNull();
    expect(
      judgeStanding(
        seen({ status: 'FAILED', failure: 'spec is wrong' }),
        { ...ended, isOlderRun: true },
        NOW,
      ).problem,
    ).toContain('refused: spec is wrong');
  });

  it('is that of the previous run while the new run is running and has recorded no status', () => {
    const before = { ...RECORDED, hasEnded: true, isOlderRun: true };
    expect(judgeStanding(seen(), before, NOW).isEarlierRun).toBe(true);
    expect(judgeStanding(seen({ status: 'FAILED' }), before, NOW).isEarlierRun).toBe(false);
    expect(judgeStanding(seen(), RECORDED, NOW).isEarlierRun).toBe(false);
  });

  it('is stuck, with the reason, when its workflow task fails again and again', () => {
    const standing = judgeStanding(
      seen({ taskAttempt: 5, taskFailure: 'nondeterminism', answered: false }),
      RECORDED,
      NOW,
    );
    expect(standing).toMatchObject({
      state: 'workflow task fails',
      from: 'ledger',
      at: RECORDED.at,
    });
    expect(standing.problem).toContain('attempt 5): nondeterminism');
  });
  it('is stuck even if Temporal names no reason, unless no worker tries its task', () => {
    for (const answered of [true, false])
      expect(judgeStanding(seen({ taskAttempt: 3, answered }), RECORDED, NOW)).toMatchObject({
        state: 'workflow task fails',
        problem: expect.stringContaining('(attempt 3): Temporal names no reason') as string,
      });
    expect(judgeStanding(seen({ taskAttempt: 2 }), RECORDED, NOW).problem).toBeNull();
    const unpolled = seen({ taskAttempt: 3, answered: false, polledMsAgo: null });
    expect(judgeStanding(unpolled, RECORDED, NOW).state).toBe('no worker');
  });
  it('says that the outcome is not recorded if the workflow completed and the ledger has no outcome', () => {
    const completed = seen({ status: 'COMPLETED', answered: false, closedAt: NOW });
    expect(judgeStanding(completed, RECORDED, NOW)).toMatchObject({
      state: 'outcome not recorded',
      problem: `its workflow completed at ${NOW}, but the ledger does not have its outcome`,
    });
    expect(judgeStanding(completed, { ...RECORDED, hasEnded: true }, NOW).problem).toBeNull();
  });
  it('has no problem if its workflow got no query and a worker polls its queue', () => {
    expect(judgeStanding(seen({ answered: null }), RECORDED, NOW)).toMatchObject({
      from: 'ledger',
      problem: null,
      state: null,
    });
    const unpolled = seen({ answered: null, polledMsAgo: null });
    expect(judgeStanding(unpolled, RECORDED, NOW).state).toBe('no worker');
  });
  it('says whether no worker has polled the queue for longer than a poll lasts, or one does not answer', () => {
    for (const polledMsAgo of [null, 200_000]) {
      const standing = judgeStanding(seen({ polledMsAgo, answered: false }), RECORDED, NOW);
      expect(standing.problem).toContain('no worker polls task queue migrations');
      expect(standing.remedy).toEqual(['sluice worker']);
    }
    expect(
      judgeStanding(seen({ polledMsAgo: 3000, answered: false }), RECORDED, NOW).problem,
    ).toContain('no worker answers on task queue migrations');
  });
  it("has the time of the ledger's status if Temporal does not answer or does not know the workflow", () => {
    expect(
      judgeStanding(
        { kind: 'unreachable', problem: 'Temporal at x does not answer' },
        RECORDED,
        NOW,
      ),
    ).toMatchObject({ from: 'ledger', at: RECORDED.at });
    expect(
      judgeStanding(
        { kind: 'unknown-workflow', where: 'namespace n of Temporal at x' },
        RECORDED,
        NOW,
      ).problem,
    ).toContain('namespace n of Temporal at x knows no');
  });
});
