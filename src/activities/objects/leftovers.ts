// Lists objects of runs that ended without cleaning up, for example because their workflow was
// terminated or lost with its Temporal server. It changes nothing.
import type { MigrationRef, OwnedObject } from '../../domain/evidence/ledger-rows.js';
import { Problem } from '../../domain/failure.js';
import type { MigrationSpec } from '../../domain/migration/spec.js';
import { classify } from '../runtime/application-failure.js';
import { otherNamespace, type Deps } from '../runtime/deps.js';
import { planned } from '../runtime/with-plan.js';
import { EFFECTS } from './kinds.js';
import type { Site } from './owned-kind.js';

export interface Leftover extends OwnedObject {
  readonly migration: string;
  /** Says whether the object still exists. The value is `unknown` if its system does not answer. */
  readonly presence: 'present' | 'gone' | 'unknown';
  readonly detail: string;
}

/**
 * Reads the newest run of a name from the ledger. Returns null if the ledger does not know the
 * name.
 */
export async function latestRun(
  { ledger }: Pick<Deps, 'ledger'>,
  name: string,
): Promise<MigrationRef | null> {
  const rows = await ledger.query<{
    iteration: number;
    generation: number;
    workflow_id: string;
    run_key: string;
    plan_hash: string;
    spec: MigrationSpec;
  }>(
    `SELECT iteration, generation, workflow_id, run_key, plan_hash, spec FROM sluice.migration WHERE name = $1 ORDER BY iteration DESC LIMIT 1`,
    [name],
  );
  const row = rows[0];
  if (!row) return null;
  const { iteration, generation, spec } = row;
  return {
    name,
    iteration,
    generation,
    workflowId: row.workflow_id,
    runKey: row.run_key,
    planHash: row.plan_hash,
    spec,
  };
}

type Reading = Pick<Deps, 'ledger' | 'secret' | 'systems' | 'namespace'>;

/**
 * Returns the objects of the runs for which `isLive` returns false, for each run in the order in
 * which they were created. Asks each system whether the objects still exist. Throws Problem
 * `preflight-failed` for a run of another Temporal namespace, because the run's workflow cannot be
 * seen from this namespace.
 */
export async function findLeftovers(
  deps: Reading,
  isLive: (workflowId: string) => Promise<boolean>,
): Promise<Leftover[]> {
  const found: Leftover[] = [];
  const records = await deps.ledger.migrations();
  for (const name of new Set(records.map((m) => m.name))) {
    const open = await deps.ledger.openObjects(name);
    const run = open.length > 0 ? await latestRun(deps, name) : null;
    const other = run
      ? otherNamespace(
          records.find((m) => m.name === name)!,
          deps.namespace,
        )
      : null;
    if (other)
      throw new Problem(
        'preflight-failed',
        `${name} belongs to ${other}, so this command cannot see whether it still runs`,
        'set TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE to that namespace',
      );
    if (!run || (await isLive(run.workflowId))) continue;
    const site: Site = { ...deps, ...planned(run) };
    for (const object of open)
      found.push({ migration: name, ...object, ...(await presenceOf(site, object)) });
  }
  return found;
}

async function presenceOf(
  site: Site,
  object: OwnedObject,
): Promise<Pick<Leftover, 'presence' | 'detail'>> {
  try {
    const exists = await EFFECTS[object.kind].exists(site, object);
    return { presence: exists ? 'present' : 'gone', detail: '' };
  } catch (error) {
    return { presence: 'unknown', detail: classify(error).message };
  }
}
