// Replays recorded histories with the current workflow code. A failure means that runs in
// production would get stuck after an upgrade to this code. After the first release, put the change
// that causes the failure behind Temporal's `patched`, and do not record the histories again.
import { Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { listedHistories, readHistory, recordedHistories } from '../support/histories.js';
import { replayRuns } from '../../src/wiring/worker-replay.js';
import { LONGEST_COMPUTATION } from '../../src/wiring/workflow-code.js';
import { quietRuntime } from '../support/temporal-test-server.js';

const histories = recordedHistories();
const workflowBundle = { codePath: inject('workflowBundle') };

beforeAll(quietRuntime);

describe('a recorded history', () => {
  it('exists for every row of the table in test/histories/README.md, and is listed there', () =>
    expect(histories.toSorted()).toEqual([...listedHistories().values()].toSorted()));
  it.each(histories)('replays: %s', async (name) => {
    await Worker.runReplayHistory(
      { workflowBundle, ...LONGEST_COMPUTATION },
      readHistory(name),
      'migration-replayed',
    );
  });
  it('that fails does not hide the results of other runs if all open runs are replayed', async () => {
    const [broken, sound] = [readHistory(histories[0]!), readHistory(histories[1]!)];
    const scheduled = broken.events.filter((e) => 'activityTaskScheduledEventAttributes' in e);
    Object.assign(scheduled[2]!['activityTaskScheduledEventAttributes'] as object, {
      activityType: { name: 'removeEverything' },
    });
    const replayed = await replayRuns({ workflowBundle, ...LONGEST_COMPUTATION }, [
      { workflowId: 'migration-broken', history: broken },
      { workflowId: 'migration-sound', history: sound },
    ]);
    expect(replayed).toMatchObject([
      {
        migration: 'broken',
        problem: expect.stringMatching(/removeEverything|nondeterminism/i) as string,
      },
      { migration: 'sound', problem: null },
    ]);
  });
  it('does not replay after one of its activities was renamed', async () => {
    const history = readHistory(histories[0]!);
    const scheduled = history.events.filter((e) => 'activityTaskScheduledEventAttributes' in e);
    const attributes = scheduled[2]!['activityTaskScheduledEventAttributes'] as {
      activityType: { name: string };
    };
    attributes.activityType.name = 'removeEverything';
    await expect(
      Worker.runReplayHistory(
        { workflowBundle, ...LONGEST_COMPUTATION },
        history,
        'migration-replayed',
      ),
    ).rejects.toThrow(/nondeterminism|Nondeterminism|DeterminismViolation/i);
  });
});
