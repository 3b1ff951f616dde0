// Tests a shared table: the order of the steps for the table and its sink, and of their undo.
import { describe, expect, it } from 'vitest';
import { SHARED_PARTS, aSpecInput, sleepUntil } from '../support/builders.js';
import { fakes } from '../support/fake-activities.js';
import { play, useBench } from '../support/time-skipping.js';

const bench = useBench();

const anInput = (name: string) =>
  aSpecInput({
    name,
    spec: {
      ...SHARED_PARTS,
      batch: { ...SHARED_PARTS.batch, pause: { sql: 'SELECT $1' }, resume: { sql: 'SELECT 1' } },
      validation: { every: '1h', passesInARow: 1 },
      soak: { for: '1s', passes: 1 },
    },
  }) as { metadata: { name: string } };
const OF_INTEREST = [
  'batchAction',
  'fence',
  'pauseSink',
  'commitCutover',
  'resumeConnector',
  'moveSink',
  'observeRoute',
  'retireRole',
  'handOverConnector',
  'removeTrigger',
  'removeSinkTable',
  'removeLease',
];

describe('a shared table', () => {
  it('is switched while its sink is paused, and keeps its trigger until the batch can no longer write', async () => {
    const fake = fakes();
    await play(bench, fake.activities, anInput('hands'), async ({ handle, status, reach }) => {
      await reach((s) => s.needsApproval);
      await handle.signal('approveCutover', { approver: 'ann' });
      expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
      const done = fake.calls
        .slice(fake.calls.indexOf('fence'))
        .filter((call) => OF_INTEREST.includes(call));
      expect(done).toEqual([
        'fence',
        'pauseSink',
        'commitCutover',
        'moveSink',
        'observeRoute',
        'batchAction', // keeps the batch paused
        'batchAction', // pauses it again before the window of the soak
        'observeRoute', // at the end of the soak
        'observeRoute', // before the batch is retired
        'batchAction', // retires the batch
        'retireRole',
        'handOverConnector',
        'removeTrigger',
        'removeSinkTable',
        'removeLease',
      ]);
      expect((await status()).handedOver.map((o) => o.kind)).not.toContain('trigger');
    });
  });

  it('stays with the batch if its commit is refused; the sink continues, and the trigger is dropped', async () => {
    let refusals = 1;
    const fake = fakes({
      commitCutover: () => {
        fake.switched = refusals === 0;
        return Promise.resolve({ refused: refusals-- > 0 ? 'a veto' : null });
      },
    });
    await play(bench, fake.activities, anInput('refused'), async ({ handle, reach }) => {
      await reach((s) => s.needsApproval);
      await handle.signal('approveCutover', { approver: 'ann' });
      await sleepUntil(
        'the undo',
        () =>
          fake.calls.lastIndexOf('batchAction') > fake.calls.indexOf('commitCutover') &&
          fake.calls.includes('commitCutover'),
      );
      const done = fake.calls
        .slice(fake.calls.indexOf('commitCutover'))
        .filter((call) => OF_INTEREST.includes(call));
      expect(done.slice(0, 4)).toEqual([
        'commitCutover',
        'resumeConnector',
        'removeTrigger',
        'batchAction',
      ]);
      expect(fake.calls).not.toContain('moveSink');
      // the next attempt commits
      expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
    });
  });
});
