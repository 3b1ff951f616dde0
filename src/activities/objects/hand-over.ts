// Implements the hand-over. It checks once more every object that stays, and then marks the objects
// of this migration as handed over. Sluice never removes an object that was handed over.
import { Problem } from '../../domain/failure.js';
import type { OwnedObject } from '../../domain/evidence/ledger-rows.js';
import type { Deps } from '../runtime/deps.js';
import { pollUntil } from '../runtime/poll-until.js';
import { withPlan, type Planned } from '../runtime/with-plan.js';
import { EFFECTS } from './kinds.js';
import { isOwned } from '../ownership/owned.js';
import type { Site } from './owned-kind.js';

const OBSERVE_MS = 60_000;

export function createHandOverActivities({ secret, ledger, systems }: Deps) {
  return withPlan({
    /**
     * Checks that every kept object is healthy. A sink table that the user created is checked too.
     * Then marks the kept objects as handed over. Returns all checked objects. Idempotent.
     */
    async handOver(
      { ref, plan }: Planned,
      kept: readonly OwnedObject[],
    ): Promise<{ kind: string; name: string }[]> {
      const site: Site = { secret, ledger, systems, ref, plan };
      const usersTable: OwnedObject[] =
        plan.sink && !kept.some(({ kind }) => kind === 'sink-table')
          ? [{ kind: 'sink-table', name: plan.sink.writes.stream.text, where: plan.targetDatabase }]
          : [];
      const all = [...kept, ...usersTable];
      for (const object of all) await observe(site, object);
      for (const object of kept)
        if (await isOwned(ledger, ref, object))
          await ledger.setObjectState(ref, object, 'handed-over');
      return all.map(({ kind, name }) => ({ kind, name }));
    },
  });
}

/**
 * Waits until the object is healthy. Throws Problem `connector-failed` with the last problem if the
 * object does not become healthy.
 */
async function observe(site: Site, object: OwnedObject): Promise<void> {
  let problem: string | null = 'was not observed';
  const isHealthy = await pollUntil(Date.now() + OBSERVE_MS, 250, async () => {
    problem = await EFFECTS[object.kind].healthy(site, object);
    return problem === null ? true : null;
  });
  if (!isHealthy)
    throw new Problem(
      'connector-failed',
      `cannot hand over: ${object.kind} ${object.name} ${problem}`,
    );
}
