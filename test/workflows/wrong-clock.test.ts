// Tests a worker whose clock is a day or more ahead. The age of evidence, and the kinds of day that
// windows cover, follow the clock of Temporal's server.
import { describe, expect, it } from 'vitest';
import type { Activities } from '../../src/activities/index.js';
import { coverageOf } from '../../src/domain/evidence/streak.js';
import { aWorkflowInput, sleepUntil } from '../support/builders.js';
import { fakes, type Fakes } from '../support/fake-activities.js';
import { play, useBench } from '../support/time-skipping.js';

const bench = useBench();

const DAY_MS = 86_400_000;

/** Activities of a worker whose clock is this number of days ahead. */
const aheadBy = (fake: Fakes, days: number): Activities => ({
  ...fake.activities,
  runWindow: async (input) => {
    const result = await fake.activities.runWindow(input);
    return { ...result, at: new Date(Date.parse(result.at) + days * DAY_MS).toISOString() };
  },
});

describe('a worker whose clock is ahead', () => {
  it('does not make old evidence look new', async () => {
    const approval = { evidenceMaxAge: '1h', expires: '10d' };
    const input = aWorkflowInput({ every: '12h', passesInARow: 1 }, { cutover: { approval } });
    await play(bench, aheadBy(fakes(), 1), input, async ({ handle, env, reach, status }) => {
      await reach((s) => s.needsApproval);
      await env.sleep('3h');
      const { evidenceId } = await status();
      const answer = await handle.executeUpdate('decideCutover', {
        args: [{ decision: 'approve', approver: 'ann', evidenceId }],
      });
      expect(answer).toMatchObject({
        accepted: false,
        reason: expect.stringMatching(/^the evidence is 1\d+ s old, and at most 1h/) as string,
      });
    });
  });

  it('does not count a kind of day as covered before this day has come', async () => {
    const fake = fakes();
    const now = await bench.env.currentTimeMs();
    const [today] = coverageOf(new Date(now).toISOString());
    const other = today === 'weekend' ? 'weekday' : 'weekend';
    const input = aWorkflowInput({ every: '1h', passesInARow: 1, coverage: [other] });
    const days = [1, 2, 3, 4, 5, 6].find((ahead) =>
      coverageOf(new Date(now + ahead * DAY_MS).toISOString()).includes(other),
    )!;
    await play(bench, aheadBy(fake, days), input, async ({ status }) => {
      await sleepUntil(
        'a window has passed',
        async () => !/in a row/.test((await status()).waiting ?? 'windows that pass in a row'),
      );
      expect((await status()).waiting).toBe(`a passed window on ${other}`);
    });
  });
});
