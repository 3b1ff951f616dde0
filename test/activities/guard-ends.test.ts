// Tests when the guard, the loop that watches a migration's connectors and slot, ends. It must not
// end if the ledger lists no objects only because it was restored from a backup.
import { CancelledFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { createGuardActivities } from '../../src/activities/guard/guard-activities.js';
import type { Deps } from '../../src/activities/runtime/deps.js';
import type { ObjectState } from '../../src/clients/ledger/ledger.js';
import { aRef } from '../support/builders.js';

/**
 * Runs the guard with a ledger that lists no objects, and that has this state for the lease row.
 * Cancels the guard after a moment.
 */
async function watches(lease: ObjectState | null): Promise<unknown> {
  const ledger = {
    openObjects: () => Promise.resolve([]),
    objectState: () => Promise.resolve(lease),
    query: () => Promise.resolve([]),
  };
  const silent = (): Promise<never> => Promise.reject(new Error('no answer'));
  const systems = { connect: () => ({ status: silent, config: silent }) };
  const secret = (): never => {
    throw new Error('no secret');
  };
  const { guard } = createGuardActivities({ ledger, systems, secret } as unknown as Deps);
  const env = new MockActivityEnvironment();
  setTimeout(() => env.cancel(), 200);
  const input = { restarts: {}, slotExpected: true, alarmed: false, troubles: [] };
  return env.run(() => guard({ ref: aRef(), ...input }));
}

describe('the guard', () => {
  it.each(['removed', 'handed-over'] as const)(
    'ends if the migration owns nothing any more: its lease row is %s',
    async (state) => expect(await watches(state)).toEqual({ kind: 'stood-down' }),
  );
  it('continues if a restored ledger does not know the lease row', async () =>
    expect(watches(null)).rejects.toThrow(CancelledFailure));
});
