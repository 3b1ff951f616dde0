// Defines the main path of a migration as the list of its phases. The details are in the files of
// the phases.
import { guarding } from './guard.js';
import { registerMessages } from './messages/messages.js';
import { approve } from './phases/approve.js';
import { catchUp } from './phases/catch-up.js';
import { complete } from './phases/complete.js';
import { connect } from './phases/connect.js';
import { cutOver } from './phases/cut-over.js';
import { prepare } from './phases/prepare.js';
import { clearGeneration, rollBack } from './phases/roll-back.js';
import { snapshot } from './phases/snapshot.js';
import { soak } from './phases/soak.js';
import { validate } from './phases/validate.js';
import { Run } from './run/run.js';
import type { State } from './run/state.js';
import { finish, type MigrationResult, withRollBack } from './run/main-path.js';

/**
 * Runs a migration. `input` is the spec as an object. `carried` is the state of the previous run of
 * the same migration, after continue-as-new.
 */
export async function migrateToStreaming(
  input: unknown,
  carried?: State,
): Promise<MigrationResult> {
  const run = new Run(input, carried);
  registerMessages(run);
  await withRollBack(run, rollBack, () =>
    guarding(run, async () => {
      await run.enter('prepare', prepare);
      await run.eachGeneration(async () => {
        await run.enter('snapshot', snapshot);
        await run.enter('connect', connect);
        await run.enter('catch-up', catchUp);
        await run.untilCommitted(async () => {
          await run.enter('validate', validate);
          await run.enter('approve', approve);
          await run.enter('cut-over', cutOver);
        });
      }, clearGeneration);
      await run.enter('soak', soak);
      await run.enter('complete', complete);
    }),
  );
  return finish(run);
}
