// The hold predicted before anything is fenced, and a soak that a person makes longer.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aSpecInput, sleepUntil } from '../support/builders.js';
import type { WindowInput } from '../../src/activities/windows/index.js';
import { fakes } from '../support/fake-activities.js';
import { openBench, play, type Bench } from '../support/time-skipping.js';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});
afterEach(async () => bench.env.teardown());

const anInput = (name: string, more: object) =>
  aSpecInput({ name, spec: { validation: { every: '1h', passesInARow: 1 }, ...more } }) as { metadata: { name: string } };

describe('the hold', () => {
  it('that cannot fit into maxHold is refused before anything is touched, and measured again on retry', async () => {
    const fake = fakes();
    let slow = true;
    const activities = {
      ...fake.activities,
      runWindow: async (input: WindowInput) => {
        if (slow) await new Promise((resolve) => setTimeout(resolve, 2500));
        return fake.activities.runWindow(input);
      },
    };
    await play(bench, activities, anInput('long-hold', { cutover: { maxHold: '7s' }, soak: { for: '1s', passes: 0 } }), async ({ handle, status }) => {
      await sleepUntil('approval', async () => (await status()).needsApproval);
      await handle.signal('approveCutover', { approver: 'ann' });
      await sleepUntil('a block', async () => (await status()).blocked !== null);
      expect((await status()).blocked).toMatchObject({ code: 'hold-too-long', detail: expect.stringMatching(/predicted hold 8 s > 7 s maxHold/) as string });
      expect(fake.calls).not.toContain('fence');
      expect(fake.calls).not.toContain('batchAction');
      slow = false;
      await handle.signal('retry');
      await sleepUntil('approval again', async () => (await status()).needsApproval);
      await handle.signal('approveCutover', { approver: 'ann' });
      expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
    });
  });
});

describe('the soak', () => {
  it('lasts as long as a person asked for, rubbish and too late requests are ignored and recorded', async () => {
    const fake = fakes();
    await play(bench, fake.activities, anInput('longer', { soak: { for: '2h', passes: 1 } }), async ({ env, handle, status }) => {
      await sleepUntil('approval', async () => (await status()).needsApproval);
      await handle.signal('approveCutover', { approver: 'ann' });
      await sleepUntil('the soak', async () => (await status()).phase === 'soak');
      await handle.signal('extendSoak', { by: 'ann', for: 'soon' });
      await handle.signal('extendSoak', { by: 'ann', for: '2d' });
      const committed = await env.currentTimeMs();
      expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
      expect((await env.currentTimeMs()) - committed).toBeGreaterThan(46 * 3_600_000);
      const audit = await handle.query<{ kind: string; detail: string }[]>('audit');
      expect(audit).toContainEqual(expect.objectContaining({ kind: 'ignored', detail: expect.stringMatching(/for must be a duration/) as string }));
      expect(audit).toContainEqual(expect.objectContaining({ kind: 'extended' }));
    });
  });
});
