// Tests when a blocked run tries again. A retry that arrives during an attempt is not lost. After a
// retry, a window runs at once, even if windows run once an hour.
import { Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { approve, aWorkflowInput, sleepUntil } from '../support/builders.js';
import { failure, fakes } from '../support/fake-activities.js';
import { play, useBench, type Play } from '../support/time-skipping.js';

const bench = useBench();

const DRIFT = {
  code: 'connector-drift',
  detail: 'connector m captures with a configuration that differs from the plan',
  remedy: 'undo the change',
} as const;

/** Returns how many timers fired. An automatic retry begins when a timer fires. */
async function firedTimers(handle: WorkflowHandle): Promise<number> {
  const { events } = await handle.fetchHistory();
  return events!.filter(({ timerFiredEventAttributes }) => timerFiredEventAttributes).length;
}

const untilBlocked = ({ status }: Play) =>
  sleepUntil('blocked', async () => (await status()).blocked !== null);
const untilUnblocked = ({ status }: Play) =>
  sleepUntil('unblocked', async () => (await status()).blocked === null);

/** Returns a gate. An attempt waits in `pass` until the test calls `open`. */
function gate() {
  let open = false;
  let isReached = false;
  const pass = async (): Promise<void> => {
    isReached = true;
    while (!open) {
      Context.current().heartbeat();
      await Context.current().sleep(20);
    }
  };
  return { pass, open: () => void (open = true), reached: () => isReached };
}

describe('a retry', () => {
  it.each(['validate', 'approve', 'soak'])(
    'starts a window at once in %s, even if windows run once an hour',
    async (phase) => {
      const passesInARow = phase === 'validate' ? 1000 : 1;
      const fake = fakes();
      await play(bench, fake.activities, aWorkflowInput({ passesInARow }), async (scene) => {
        const { handle, status } = scene;
        if (phase !== 'validate')
          await sleepUntil('approval', async () => (await status()).needsApproval);
        if (phase === 'soak') await approve(handle);
        await sleepUntil(phase, async () => (await status()).phase === phase);
        fake.captureProblem = DRIFT;
        await handle.executeUpdate('runWindow', {
          args: [{ by: 'ann', full: false, wait: false }],
        });
        await untilBlocked(scene);
        fake.captureProblem = null;
        await handle.signal('retry');
        await untilUnblocked(scene);
        expect(await firedTimers(handle)).toBe(0);
      });
    },
  );

  it('during a window that still finds the problem leads to another window at once', async () => {
    const second = gate();
    const fake = fakes();
    const look = fake.activities.runWindow;
    fake.activities.runWindow = async (input) => {
      if (input.number === 2) await second.pass();
      const result = await look(input);
      if (input.number === 2) fake.captureProblem = null;
      return result;
    };
    await play(bench, fake.activities, aWorkflowInput({ passesInARow: 3 }), async (scene) => {
      const { handle } = scene;
      fake.captureProblem = DRIFT;
      await untilBlocked(scene);
      await handle.signal('retry');
      await sleepUntil('the second window', second.reached);
      await handle.signal('retry'); // the person has repaired it after the window looked
      second.open();
      await untilUnblocked(scene);
      expect(await firedTimers(handle)).toBe(0);
    });
  });

  it('during an attempt that fails leads to another attempt at once', async () => {
    const second = gate();
    let attempts = 0;
    const fake = fakes({
      catchUp: async () => {
        attempts += 1;
        if (attempts === 2) await second.pass();
        if (attempts < 3) throw failure('unreachable', 'Kafka does not answer');
        return { lsn: '0/2', ms: 5 };
      },
    });
    await play(bench, fake.activities, aWorkflowInput(), async (scene) => {
      const { handle } = scene;
      await untilBlocked(scene);
      await handle.signal('retry');
      await sleepUntil('the second attempt', second.reached);
      await handle.signal('retry');
      second.open();
      await untilUnblocked(scene);
      expect(attempts).toBe(3);
      expect(await firedTimers(handle)).toBe(0);
    });
  });

  it('that arrived before a slot was known to be lost does not begin a new generation', async () => {
    const first = gate();
    const fake = fakes({
      catchUp: async () => {
        await first.pass();
        throw failure('slot-lost', 'replication slot m is gone');
      },
    });
    await play(bench, fake.activities, aWorkflowInput(), async (scene) => {
      const { handle, status } = scene;
      await sleepUntil('catching up', first.reached);
      await handle.signal('retry');
      first.open();
      await untilBlocked(scene);
      // when the run handles this signal, it has already handled the earlier retry
      await handle.signal('approveCutover', { approver: 'ann' });
      expect((await status()).blocked?.code).toBe('slot-lost');
      expect((await status()).generation).toBe(1);
    });
  });
});

describe('an automatic retry', () => {
  it('begins with short waits again if the run is blocked for a different reason', async () => {
    const codes = ['unreachable', 'unreachable', 'unreachable', 'permission-denied'] as const;
    const begun: number[] = [];
    const fake = fakes({
      catchUp: () => {
        const code = codes[begun.length];
        begun.push(Context.current().info.scheduledTimestampMs);
        return code ? Promise.reject(failure(code, code)) : Promise.resolve({ lsn: '0/2', ms: 5 });
      },
    });
    await play(bench, fake.activities, aWorkflowInput(), async (scene) => {
      await untilBlocked(scene);
      await scene.env.sleep('1h');
      await untilUnblocked(scene);
    });
    const minutes = begun.slice(1).map((at, n) => Math.round((at - begun[n]!) / 60_000));
    expect(minutes).toEqual([1, 2, 5, 1]);
  });
});
