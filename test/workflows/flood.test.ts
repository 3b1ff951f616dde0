// Sends a flood of messages to a run. The audit has each message that the run must record, the
// status of the run stays small, and the run continues.
import { Worker } from '@temporalio/worker';
import { describe, expect, inject, it } from 'vitest';
import type { AuditEvent } from '../../src/domain/audit.js';
import { LONGEST_COMPUTATION } from '../../src/wiring/workflow-code.js';
import { anHourlyInput } from '../support/builders.js';
import { fakes } from '../support/fake-activities.js';
import { play, useBench } from '../support/time-skipping.js';

const bench = useBench();

const SIGNALS = 2100;
/** Names evidence that the run does not have. */
const OLD = 'ev-0.0-00000000';

describe('a flood of signals', () => {
  it('does not end the worker, because the SDK lets a workflow task compute for a minute', async () => {
    const worker = await Worker.create({
      connection: bench.env.nativeConnection,
      taskQueue: `flood-${process.pid}`,
      workflowBundle: { codePath: inject('workflowBundle') },
      ...LONGEST_COMPUTATION,
    });
    await worker.runUntil(Promise.resolve());
    expect(worker.options.isolateExecutionTimeoutMs).toBe(60_000);
  });

  it('leaves a small status, one counted approval, and an audit without gaps', async () => {
    const recorded: AuditEvent[] = [];
    const sizes: number[] = [];
    const bytes: number[] = [];
    const fake = fakes({
      record: (_ref: unknown, _status: unknown, events: readonly AuditEvent[]) => {
        recorded.push(...events);
        sizes.push(events.length);
        bytes.push(Buffer.byteLength(JSON.stringify(events)));
        return Promise.resolve();
      },
    });
    await play(
      bench,
      fake.activities,
      anHourlyInput('flood', { soak: { for: '1s', passes: 0 } }),
      async ({ handle, status, reach }) => {
        await reach((s) => s.needsApproval);
        const epoch = (await status()).epoch;
        const { runId: firstRun } = await handle.describe();
        const messages: [string, unknown][] = [
          ['approveCutover', { approver: 'eve', evidenceId: OLD }],
          ['approveCutover', 'rubbish'],
          // no approval of the flood may count, because the run would then leave the phase
          ['approveCutover', { approver: 'zoe', evidenceId: OLD, comment: 'ж'.repeat(2000) }],
          ['retry', undefined],
          ['resume', undefined],
          ['extendSoak', { by: 'eve', for: 'for ever' }],
          ['rollBack', { by: 'eve' }],
        ];
        for (let sent = 0; sent < SIGNALS; sent += 100)
          await Promise.all(
            Array.from({ length: 100 }, (_, at) => messages[(sent + at) % messages.length]!).map(
              ([name, payload]) => handle.signal(name, ...(payload === undefined ? [] : [payload])),
            ),
          );
        const shown = await status();
        expect(shown).toMatchObject({
          phase: 'approve',
          epoch,
          paused: false,
          blocked: null,
          outcome: null,
        });
        expect(JSON.stringify(shown).length).toBeLessThan(32 * 1024);
        await handle.signal('approveCutover', { approver: 'ann', evidenceId: shown.evidenceId });
        expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
        expect(recorded.map((e) => Number(e.id.split('/')[1])).sort((a, b) => a - b)).toEqual(
          recorded.map((_, at) => at + 1),
        );
        expect(recorded.filter((e) => e.kind === 'approve' && e.by === 'eve').length).toBe(
          SIGNALS / messages.length,
        );
        expect(Math.max(...sizes)).toBeLessThanOrEqual(500);
        expect(Math.max(...bytes)).toBeLessThanOrEqual(300_000);
        const { runId } = await handle.describe();
        expect(runId).not.toBe(firstRun);
        expect(recorded.filter((e) => e.kind === 'committed')).toHaveLength(1);
      },
    );
  });
});
