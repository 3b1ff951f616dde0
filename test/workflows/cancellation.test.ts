// Tests that a rollback waits for the step that it undoes. Neither a failure of that step nor a
// message of a person stops the rollback.
import { describe, expect, it } from 'vitest';
import { anHourlyInput, sleepUntil } from '../support/builders.js';
import { failure, fakes } from '../support/fake-activities.js';
import { play, useBench } from '../support/time-skipping.js';

const bench = useBench();

const theRun = (name: string) => bench.env.client.workflow.getHandle(`migration-${name}`);
const back = { by: 'ann', reason: 'enough' };

describe('a rollback', () => {
  it.each([
    ['has succeeded', () => Promise.resolve()],
    ['has failed', () => Promise.reject(failure('unreachable', 'Connect rebalances'))],
    ['has found the capture lost', () => Promise.reject(failure('slot-lost', 'no slot'))],
  ])(
    'waits until the interrupted step %s, and then removes the object of that step',
    async (_what, end) => {
      const fake = fakes();
      const name = 'interrupted';
      const ensureConnector = async () => {
        fake.calls.push('making');
        await theRun(name).signal('rollBack', back);
        await sleepUntil('the run is on its way back', async () => {
          const { events } = await theRun(name).fetchHistory();
          return (events ?? []).some((e) => e.activityTaskCancelRequestedEventAttributes);
        });
        fake.calls.push('made');
        await end();
      };
      await play(
        bench,
        { ...fake.activities, ensureConnector },
        anHourlyInput(name),
        async ({ handle, status }) => {
          expect(await handle.result()).toMatchObject({ outcome: 'rolled-back', leftovers: [] });
          expect((await status()).blocked).toBeNull();
        },
      );
      expect(fake.calls.indexOf('removeConnector')).toBeGreaterThan(fake.calls.indexOf('made'));
    },
  );

  it('removes everything after a cancellation, even if signed messages arrive during the removal', async () => {
    const name = 'signed-meanwhile';
    const fake = fakes({ verifyToken: () => Promise.reject(failure('unexpected', 'no keys')) });
    const removeConnector = async () => {
      const handle = theRun(name);
      await handle.signal('approveCutover', { approver: 'ann', token: 'signed' });
      await handle.signal('rollBack', { ...back, token: 'signed' });
      return false;
    };
    const approval = { quorum: 1, approvers: ['ann'] };
    await play(
      bench,
      { ...fake.activities, removeConnector },
      anHourlyInput(name, { cutover: { approval } }),
      async ({ handle, reach }) => {
        await reach((s) => s.needsApproval);
        await handle.cancel();
        expect(await handle.result()).toMatchObject({ outcome: 'aborted', leftovers: [] });
      },
    );
    expect(fake.calls).toContain('removeLease');
    expect(fake.calls).toContain('listLeftovers');
  });
});
