// Tests that the guard restarts a connector only if the ledger says that this migration created it.
// After the preflight, another person can create a connector with the planned name.
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { createGuardActivities } from '../../src/activities/guard/guard-activities.js';
import type { Deps } from '../../src/activities/runtime/deps.js';
import type { ObjectState } from '../../src/clients/ledger/ledger.js';
import type { OwnedObject } from '../../src/domain/evidence/ledger-rows.js';
import { aRef } from '../support/builders.js';

/**
 * Runs the guard while the connector's task is FAILED. The ledger has this state for the connector,
 * or does not answer. All other objects are removed, so a guard that restarts nothing ends.
 */
async function guardOf(
  connector: ObjectState | 'no answer' | null,
): Promise<{ report: unknown; restarted: string[] }> {
  const restarted: string[] = [];
  const objectState = (_: unknown, { kind }: OwnedObject): Promise<ObjectState | null> => {
    if (kind !== 'connector') return Promise.resolve('removed');
    if (connector === 'no answer') return Promise.reject(new Error(connector));
    return Promise.resolve(connector);
  };
  const empty = () => Promise.resolve([]);
  const ledger = { openObjects: empty, query: empty, objectState };
  const failed = { state: 'FAILED', trace: 'java.lang.Error: lost' };
  const rest = {
    status: () => Promise.resolve({ connector: { state: 'RUNNING' }, tasks: [failed] }),
    config: () => Promise.resolve(null),
    restartFailed: (name: string) => Promise.resolve(void restarted.push(name)),
  };
  const deps = { ledger, systems: { connect: () => rest }, secret: () => '' };
  const { guard } = createGuardActivities(deps as unknown as Deps);
  const input = { restarts: {}, slotExpected: false, alarmed: false, troubles: [] };
  const env = new MockActivityEnvironment();
  const report = await env.run(() => guard({ ref: aRef({ name: 'orders' }), ...input }));
  return { report, restarted };
}

describe('the guard', () => {
  it('restarts the failed task of a connector that this migration created', async () =>
    expect(await guardOf('created')).toEqual({
      report: { kind: 'restarted', connector: 'orders', cause: 'java.lang.Error: lost' },
      restarted: ['orders'],
    }));
  it.each([null, 'registered', 'removed', 'handed-over', 'no answer'] as const)(
    "does not restart a connector with the planned name if the ledger's state for it is %s",
    async (state) =>
      expect(await guardOf(state)).toEqual({ report: { kind: 'stood-down' }, restarted: [] }),
  );
});
