// Tests that paused activities are found in Temporal's description of the run. Also tests which of
// them leaves the slot unwatched.
import type { Client } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { GUARD_PAUSED, unguardedState } from '../../src/clients/running-workflow.js';
import { lookAt } from '../../src/cli/support/ask-run-state.js';

type Described = Parameters<typeof unguardedState>[0];

/** Describes a run. `paused` says for the name of each activity whether a person paused it. */
const aDescription = (paused: Readonly<Record<string, boolean>>, status = 'RUNNING'): Described =>
  ({
    workflowId: 'migration-a',
    runId: 'r',
    taskQueue: 'migrations',
    status: { name: status },
    raw: {
      pendingActivities: Object.entries(paused).map(([name, isPaused], at) => ({
        activityId: String(at + 1),
        activityType: { name },
        paused: isPaused,
      })),
    },
  }) as unknown as Described;

const clientOf = (description: Described): Client =>
  ({
    options: { namespace: 'default' },
    withDeadline: (_deadline: number, ask: () => Promise<unknown>) => ask(),
    workflow: { getHandle: () => ({ describe: () => Promise.resolve(description) }) },
  }) as unknown as Client;

describe('an activity that is paused at Temporal', () => {
  it('is found with its id, even if it runs alongside the main path', async () => {
    const description = aDescription({ guard: true, catchUp: true, record: false });
    expect(await lookAt('a', clientOf(description), '', true)).toMatchObject({
      seen: {
        workflow: {
          pausedActivities: [
            { workflowId: 'migration-a', id: '1', name: 'guard' },
            { workflowId: 'migration-a', id: '2', name: 'catchUp' },
          ],
        },
      },
      waits: ['catchUp: paused at Temporal'],
    });
  });
});

describe('a run whose slot no guard watches', () => {
  it.each([
    ['counts as such if its guard is paused', { guard: true }, 'RUNNING', GUARD_PAUSED],
    ['is not one whose other activity is paused', { guard: false, catchUp: true }, 'RUNNING', null],
    ['has the state in which it ended', { guard: true }, 'TERMINATED', 'terminated'],
  ])('%s', (_rule, paused, status, state) =>
    expect(unguardedState(aDescription(paused, status))).toBe(state),
  );
});
