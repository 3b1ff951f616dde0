// A reset to the first workflow task makes a run open itself in the ledger again. Tests which runs
// may do so, and that they keep their iteration and generation.
import { describe, expect, it } from 'vitest';
import { createLedgerActivities } from '../../src/activities/runtime/ledger-activities.js';
import type { Ledger } from '../../src/clients/ledger/ledger.js';
import { aRef, aSpecInput } from '../support/builders.js';

const ref = aRef();

/** Opens the run again. The ledger knows it with this outcome. */
const openAgain = (outcome: string | null) => {
  const record = { ...ref, run_key: ref.runKey, iteration: 3, generation: 4, outcome };
  const ledger = { migrations: () => Promise.resolve([record]) } as unknown as Ledger;
  const { workflowId, runKey } = ref;
  const input = aSpecInput({ name: ref.name });
  return createLedgerActivities({ ledger }).openMigration({ input, workflowId, runKey });
};

describe('a run that is opened again after a reset', () => {
  it.each([null, 'rolled-back'])(
    'gets its former iteration and generation if its outcome is %s',
    async (outcome) =>
      expect(await openAgain(outcome)).toMatchObject({ iteration: 3, generation: 4 }),
  );
  it('is refused if it has migrated, so that nothing is repeated or undone', async () =>
    expect(openAgain('migrated')).rejects.toMatchObject({
      code: 'name-refused',
      message: `${ref.name} was already migrated (iteration 3)`,
    }));
});
