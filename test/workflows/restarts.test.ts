// Tests that a harmless restart costs only one full window. The streak, the approval and the
// coverage (the kinds of day on which windows passed) stay. Also tests when the coverage ends.
import { describe, expect, it } from 'vitest';
import { approve, aWorkflowInput, result } from '../support/builders.js';
import { fakes, type Fakes } from '../support/fake-activities.js';
import { play, skipUntil, useBench, type Play } from '../support/time-skipping.js';

const bench = useBench();

interface Evidence {
  readonly epoch: number;
  readonly passesInARow: number;
  readonly covered: readonly string[];
  readonly lastWindow: { readonly number: number };
}
const evidenceOf = ({ handle }: Play): Promise<Evidence> => handle.query<Evidence>('evidence');
const details = async ({ handle }: Play, kind: string): Promise<string[]> =>
  (await handle.query<{ kind: string; detail: string }[]>('audit'))
    .filter((event) => event.kind === kind)
    .map(({ detail }) => detail);

/** Restarts the connector's task without a change of its version or configuration. */
const restart = (fake: Fakes, task = 'walsender 2'): void => {
  fake.facts = { ...fake.facts, 'connector task': task };
};

/** Waits until this many windows have ended. */
const untilWindow = async (scene: Play, number: number): Promise<Evidence> => {
  for (let step = 0; step < 200; step += 1) {
    const evidence = await evidenceOf(scene);
    if ((evidence.lastWindow?.number ?? 0) >= number) return evidence;
    await scene.env.sleep('30m');
  }
  throw new Error(`window ${number} did not end`);
};

describe('a harmless restart', () => {
  it('costs one full window if it is between two windows; streak and epoch stay', async () => {
    const fake = fakes();
    await play(bench, fake.activities, aWorkflowInput({ passesInARow: 50 }), async (scene) => {
      await untilWindow(scene, 2);
      restart(fake);
      const { number } = (await evidenceOf(scene)).lastWindow;
      const after = await untilWindow(scene, number + 3);
      expect(after).toMatchObject({ epoch: 1, passesInARow: after.lastWindow.number });
      expect(await details(scene, 'harmless-restart')).toEqual([
        expect.stringContaining('connector task: walsender 1 → walsender 2'),
      ]);
    });
    expect(fake.full).toHaveLength(2);
    expect(fake.full[0]).toBe(1);
  });

  it('makes the window in which it happens inconclusive; the next is full, and the streak continues', async () => {
    const fake = fakes();
    await play(bench, fake.activities, aWorkflowInput({ passesInARow: 50 }), async (scene) => {
      await untilWindow(scene, 2);
      const before = await evidenceOf(scene);
      fake.duringWindows.push('connector task: walsender 1 → walsender 2');
      await untilWindow(scene, before.lastWindow.number + 1);
      expect(await scene.handle.query('explain')).toContain('a full window must pass after a');
      const after = await untilWindow(scene, before.lastWindow.number + 3);
      expect(after).toMatchObject({ epoch: 1, passesInARow: after.lastWindow.number - 1 });
      expect(fake.full).toEqual([1, before.lastWindow.number + 2]);
    });
  });

  it('prolongs validate until a full window has passed, although the streak is long enough', async () => {
    const fake = fakes();
    await play(bench, fake.activities, aWorkflowInput({ passesInARow: 2 }), async (scene) => {
      await untilWindow(scene, 1);
      restart(fake);
      fake.verdicts.push('inconclusive');
      await skipUntil(scene, (s) => s.needsApproval);
      const { lastWindow, epoch } = await evidenceOf(scene);
      expect(epoch).toBe(1);
      expect(lastWindow.number).toBe(4);
      expect(fake.full).toEqual([1, 2, 3]);
    });
  });

  it('keeps an approval: a full window runs at once, and the cut-over begins after it has passed', async () => {
    const fake = fakes();
    await play(bench, fake.activities, aWorkflowInput(), async (scene) => {
      await skipUntil(scene, (s) => s.needsApproval);
      const { evidenceId } = await scene.status();
      restart(fake);
      await approve(scene.handle, { approver: 'ann', evidenceId });
      expect((await result(scene.handle)).outcome).toBe('migrated');
      const { approvals, epoch } = await scene.status();
      expect(epoch).toBe(1);
      expect(approvals).toHaveLength(1);
    });
    const [recheck, fence] = ['readFacts', 'fence'].map((name) => fake.calls.indexOf(name));
    expect(fake.calls.slice(recheck, fence)).toContain('runWindow');
  });

  it('leads back to validate, with nothing fenced, if its full window does not pass', async () => {
    const fake = fakes();
    await play(bench, fake.activities, aWorkflowInput(), async (scene) => {
      await skipUntil(scene, (s) => s.needsApproval);
      restart(fake);
      fake.verdicts.push('inconclusive');
      await approve(scene.handle);
      expect((await result(scene.handle)).outcome).toBe('migrated');
      expect(await details(scene, 'back-to-validate')).toEqual([
        expect.stringMatching(/a full window must pass after a restart .*is inconclusive/),
      ]);
      expect((await scene.status()).approvals).toHaveLength(1);
    });
    expect(fake.calls.filter((name) => name === 'fence')).toHaveLength(1);
  });

  it('blocks a cut-over that begins before the restarted part runs again', async () => {
    const fake = fakes();
    await play(bench, fake.activities, aWorkflowInput(), async (scene) => {
      await skipUntil(scene, (s) => s.needsApproval);
      fake.stopped = 'connector task: not running now';
      await approve(scene.handle);
      await skipUntil(scene, (s) => s.blocked !== null);
      expect((await scene.status()).blocked!.detail).toBe(fake.stopped);
      expect(fake.calls).not.toContain('fence');
      fake.stopped = null;
      restart(fake);
      expect((await result(scene.handle)).outcome).toBe('migrated');
    });
  });

  it('costs a full window even if the recheck finds it while another part is not running', async () => {
    const fake = fakes();
    await play(bench, fake.activities, aWorkflowInput(), async (scene) => {
      await skipUntil(scene, (s) => s.needsApproval);
      fake.stopped = 'members of sink group: not running now';
      restart(fake);
      await approve(scene.handle);
      await skipUntil(scene, (s) => s.blocked !== null);
      fake.stopped = null;
      expect((await result(scene.handle)).outcome).toBe('migrated');
      expect(await details(scene, 'harmless-restart')).toHaveLength(1);
    });
    const [recheck, fence] = ['readFacts', 'fence'].map((name) => fake.calls.indexOf(name));
    expect(fake.calls.slice(recheck, fence)).toContain('runWindow');
  });

  it('does not void the windows that passed in the soak', async () => {
    const fake = fakes();
    await play(
      bench,
      fake.activities,
      aWorkflowInput({}, { soak: { for: '1h', passes: 2 } }),
      async (scene) => {
        await skipUntil(scene, (s) => s.needsApproval);
        await approve(scene.handle);
        await skipUntil(scene, (s) => s.phase === 'soak');
        fake.duringWindows.push('connector task: walsender 1 → walsender 2');
        expect((await result(scene.handle)).outcome).toBe('migrated');
      },
    );
  });
});

describe('coverage', () => {
  const days = { coverage: ['weekday', 'weekend'], passesInARow: 2 };

  it('ends with a new connector version, or with an inconclusive window right after a failed one', async () => {
    const fake = fakes();
    await play(bench, fake.activities, aWorkflowInput(days), async (scene) => {
      const first = await untilWindow(scene, 2);
      fake.verdicts.push('failed', 'inconclusive');
      expect((await untilWindow(scene, first.lastWindow.number + 1)).covered).toEqual(
        first.covered,
      );
      expect((await untilWindow(scene, first.lastWindow.number + 2)).covered).toEqual([]);
      const later = await untilWindow(scene, first.lastWindow.number + 3);
      expect(later.covered).not.toEqual([]);
      fake.verdicts.push('errored');
      expect((await untilWindow(scene, later.lastWindow.number + 1)).covered).toEqual(
        later.covered,
      );
      fake.facts = { ...fake.facts, 'connector version': 'debezium 4' };
      fake.verdicts.push('inconclusive');
      expect((await untilWindow(scene, later.lastWindow.number + 2)).covered).toEqual([]);
    });
  });
});
