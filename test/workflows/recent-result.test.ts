// Tests `finalResult: { recent: … }`: the final window compares only the tables. The commit rests
// on results that an earlier window, not long before, compared exactly.
import type { WorkflowHandle } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import type { WindowInput } from '../../src/activities/windows/window-activities.js';
import { BATCH_PARTS, anHourlyInput, sleepUntil } from '../support/builders.js';
import { fakes } from '../support/fake-activities.js';
import { play, useBench } from '../support/time-skipping.js';

const bench = useBench();

const input = (name: string, recent: string) =>
  anHourlyInput(name, {
    ...BATCH_PARTS,
    cutover: { ...BATCH_PARTS.cutover, maxHold: '60s', finalResult: { recent } },
    soak: { for: '1s', passes: 0 },
  });

/**
 * Fakes windows that take ten minutes. They compare the results exactly if `isExact` returns true.
 * The final window takes a second and does not compare the results.
 */
function slowWindows(isExact: () => boolean) {
  const fake = fakes();
  const seen: { readonly input: WindowInput; readonly isFenced: boolean }[] = [];
  const activities = {
    ...fake.activities,
    runWindow: async (given: WindowInput) => {
      seen.push({ input: given, isFenced: fake.calls.includes('fence') });
      const window = await fake.activities.runWindow(given);
      const isFinal = given.restsOn !== undefined;
      return {
        ...window,
        tookMs: isFinal ? 1000 : 600_000,
        tables: { rows: 10, ms: 500, unwitnessed: 'the key of t is not one integer' },
        ...(isFinal || !isExact() ? {} : { areResultsExact: true }),
      };
    },
  };
  return { fake, seen, activities };
}

const audited = async (handle: WorkflowHandle): Promise<string> =>
  JSON.stringify(await handle.query('audit'));

describe('a final window that may rest on recent results', () => {
  it.each([
    ['the last window, if it is recent enough', '10h', 0],
    ['an extra window before the fence, if the last window would be too old', '2m', 1],
  ])('rests on %s', async (_, recent, ahead) => {
    const { seen, activities } = slowWindows(() => true);
    await play(bench, activities, input('recent', recent), async ({ env, handle, reach }) => {
      await reach((s) => s.needsApproval);
      if (ahead > 0) await env.sleep('5m');
      const before = seen.length;
      await handle.signal('approveCutover', { approver: 'ann' });
      expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
      const final = seen.findIndex(({ isFenced }) => isFenced);
      expect(final - before).toBe(ahead);
      expect(seen[final]!.input.restsOn).toMatchObject({ number: final });
      // the final window did not compare the results, so it does not count in the streak
      expect(await handle.query('evidence')).toMatchObject({ passesInARow: final });
      expect(await audited(handle)).toMatch(
        new RegExp(
          `\\(tables only\\); the results were compared by window ${final}, which began \\d+ s earlier, and what the pipeline wrote since then was not compared`,
        ),
      );
    });
  });

  it('does not begin if no window compared the results exactly, and the reason is audited', async () => {
    const { fake, seen, activities } = slowWindows(() => false);
    await play(bench, activities, input('never-exact', '10h'), async ({ handle, reach }) => {
      await reach((s) => s.needsApproval);
      await handle.signal('approveCutover', { approver: 'ann' });
      await sleepUntil('the reason', async () =>
        (await audited(handle)).includes('no window has compared the results exactly'),
      );
      // the next attempt waits for the next window
      await reach((s) => s.phase === 'approve');
      expect(seen.length).toBeLessThan(5);
      expect(fake.calls).not.toContain('fence');
      await handle.terminate();
    });
  });
});
