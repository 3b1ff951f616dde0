// Tests what a run does with the reports of the guard. The run shows at once that a person paused
// or edited a connector, even if windows run rarely. It ignores a report about a connector that it
// has itself paused or is removing.
import { describe, expect, it } from 'vitest';
import { SHARED_PARTS, sleepUntil } from '../support/builders.js';
import type { Fakes } from '../support/fake-activities.js';
import { anInput, atApproval, guarded, report, trouble } from '../support/guarded.js';
import { play, useBench } from '../support/time-skipping.js';

const bench = useBench();

const TOO_LARGE = 'RecordTooLargeException: The message is 3200700 bytes';

const windows = (fake: Fakes): number => fake.calls.filter((call) => call === 'runWindow').length;

describe('with a window each hour, the guard', () => {
  it('names a paused connector, starts a window at once, and delays the cut-over until the pause ends', async () => {
    const fake = guarded();
    await play(bench, fake.activities, anInput('paused'), async (scene) => {
      const { handle, status } = scene;
      await atApproval(scene);
      const before = windows(fake);
      report(fake, trouble('paused', 'connector-paused'));
      await sleepUntil('blocked', async () => (await status()).blocked !== null);
      expect((await status()).blocked).toMatchObject({
        code: 'connector-paused',
        detail: 'connector paused: connector-paused',
      });
      expect(await handle.query('explain')).toContain('connector-paused');
      await sleepUntil('a window', () => windows(fake) === before + 1);
      await handle.signal('approveCutover', { approver: 'ann' });
      await sleepUntil('approved', async () => (await status()).approvals.length === 1);
      expect(fake.calls).not.toContain('readFacts'); // so no recheck has begun
      report(fake);
      await sleepUntil('the soak', async () => (await status()).phase === 'soak');
      expect((await status()).blocked).toBeNull();
      expect(windows(fake)).toBeLessThan(before + 5);
      const audit = await handle.query<{ kind: string; detail: string }[]>('audit');
      expect(audit.filter((e) => e.kind === 'connector').map((e) => e.detail)).toEqual([
        'connector paused: connector-paused',
        'no longer: connector paused: connector-paused',
      ]);
    });
  });

  it('shows an edit of a connector that does not change what is captured, and does not block', async () => {
    const fake = guarded();
    await play(bench, fake.activities, anInput('tuned'), async (scene) => {
      await atApproval(scene);
      const before = windows(fake);
      const detail = 'connector tuned was edited; keys that differ from the plan: poll.interval.ms';
      report(fake, trouble('tuned', 'connector-drift', { detail, blocks: false }));
      await sleepUntil('a window', () => windows(fake) > before);
      expect(await scene.handle.query('explain')).toContain(detail);
      expect((await scene.status()).blocked).toBeNull();
    });
  });

  it('ends an alarm about WAL when the slot is within its budget again', async () => {
    const fake = guarded();
    await play(bench, fake.activities, anInput('alarmed'), async (scene) => {
      await atApproval(scene);
      const explain = () => scene.handle.query<string>('explain');
      const detail = 'slot alarmed retains 11 GB of WAL, which is more than walBudget 10GiB';
      fake.reports.push({ kind: 'wal-budget', detail, dropped: false });
      await sleepUntil('an alarm', async () => (await explain()).includes(detail));
      await sleepUntil('a guard that knows it', () => fake.inputs.at(-1)!.alarmed);
      fake.reports.push({ kind: 'wal-in-budget', detail: 'slot alarmed retains 1 GB of WAL' });
      await sleepUntil('no alarm', async () => !(await explain()).includes('walBudget'));
      await sleepUntil('a guard that watches again', () => !fake.inputs.at(-1)!.alarmed);
    });
  });

  it('does not name a sink that the run itself has paused or is removing', async () => {
    const fake = guarded({
      pauseSink: () => {
        report(fake, trouble('held-sink', 'connector-paused'));
        return sleepUntil('reported', () => fake.inputs.some((input) => input.troubles.length > 0));
      },
      removeConnector: () => {
        report(fake, trouble('held', 'connector-gone'), trouble('held-sink', 'connector-gone'));
        return Promise.resolve(false);
      },
    });
    const seen: unknown[] = [];
    const record = fake.activities.record.bind(fake.activities);
    fake.activities.record = (ref, status, events) => {
      if (status.blocked) seen.push(status.blocked);
      return record(ref, status, events);
    };
    await play(bench, fake.activities, anInput('held', SHARED_PARTS), async (scene) => {
      const { handle, status } = scene;
      await atApproval(scene);
      await handle.signal('approveCutover', { approver: 'ann' });
      // The test server stalls if a window is cancelled at the moment when it completes. So the
      // test waits until the first window of the soak is over.
      await sleepUntil('the shadow window', async () =>
        (await handle.query<string>('explain')).includes('Window 3:'),
      );
      await handle.signal('rollBack', { by: 'ann', reason: 'test' });
      await sleepUntil('the end', async () => (await status()).outcome === 'rolled-back');
    });
    expect(fake.calls).toContain('pauseSink');
    expect(seen).toEqual([]);
  });

  it('reports an oversized record after two failures, and a retry resets the count of restarts', async () => {
    const fake = guarded();
    await play(bench, fake.activities, anInput('large'), async (scene) => {
      const { handle, status } = scene;
      await atApproval(scene);
      const failed = { kind: 'restarted', connector: 'large', cause: TOO_LARGE } as const;
      fake.reports.push(failed);
      await sleepUntil('restarted once', () => fake.inputs.at(-1)!.restarts['large'] === 1);
      expect((await status()).blocked).toBeNull();
      fake.reports.push(failed);
      await sleepUntil('blocked', async () => (await status()).blocked !== null);
      expect((await status()).blocked).toMatchObject({
        code: 'connector-failed',
        detail: expect.stringContaining(TOO_LARGE) as string,
        remedy: expect.stringContaining('too large for a message') as string,
      });
      await handle.signal('retry');
      await sleepUntil('forgiven', () => fake.inputs.at(-1)!.restarts['large'] === undefined);
      expect((await status()).blocked).toBeNull();
    });
  });
});

describe('the number of restarts that `explain` shows', () => {
  it('does not count the report that the guard no longer restarts the connector', async () => {
    const fake = guarded();
    await play(bench, fake.activities, anInput('counted'), async (scene) => {
      await atApproval(scene);
      const failed = { connector: 'counted', cause: 'Error: lost' } as const;
      fake.reports.push({ kind: 'restarted', ...failed });
      fake.reports.push({ kind: 'gave-up', ...failed, restarts: 1 });
      await sleepUntil('both reports', () => fake.inputs.at(-1)!.restarts['counted'] === 2);
      expect(await scene.handle.query('explain')).toContain(
        'Connector tasks restarted: counted 1×',
      );
      const audit = await scene.handle.query<{ kind: string; detail: string }[]>('audit');
      expect(audit.filter(({ kind }) => kind === 'gave-up').map((e) => e.detail)).toEqual([
        'counted: Error: lost',
      ]);
    });
  });
});

describe('a new generation', () => {
  it('is watched by its own guard', async () => {
    const fake = guarded();
    await play(bench, fake.activities, anInput('next'), async (scene) => {
      const { handle, status } = scene;
      await atApproval(scene);
      fake.reports.push({ kind: 'slot-lost', detail: 'replication slot next is gone' });
      await sleepUntil('lost', async () => (await status()).blocked?.code === 'slot-lost');
      await handle.signal('retry');
      await sleepUntil('generation 2', async () => (await status()).generation === 2);
      await sleepUntil('watched', () => fake.inputs.at(-1)!.ref.generation === 2);
    });
  });
});
