// What earlier runs made and nobody owns any more: their workflow was terminated, or lost with its server. Read-only.
import { readTable } from '../../clients/postgres/catalog.js';
import { readSource } from '../../clients/postgres/connection.js';
import { triggerExists } from '../../clients/postgres/trigger-sql.js';
import type { MigrationRef, OwnedObject } from '../../domain/evidence/ledger-rows.js';
import { Problem } from '../../domain/failure.js';
import { quoteLiteral } from '../../domain/migration/names.js';
import type { MigrationSpec } from '../../domain/migration/spec.js';
import { resolve } from '../../domain/plan/resolve.js';
import { readTrigger } from '../../domain/plan/trigger-names.js';
import { classify } from '../runtime/application-failure.js';
import { otherNamespace, type Deps } from '../runtime/deps.js';
import { hostOf } from '../pipelines/index.js';

export interface Leftover extends OwnedObject {
  readonly migration: string;
  /** Whether the system has it; `unknown` when the system could not be asked. */
  readonly presence: 'present' | 'gone' | 'unknown';
  readonly detail: string;
}

/** The run that made them, as its activities knew it; null when the ledger does not know the name. */
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
 * Objects of runs that `isLive` does not know, in the order in which they were made. Asks each system whether it
 * still has them. Throws Problem `preflight-failed` for a run of another namespace: whether it lives cannot be seen.
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
        `${name} runs in ${other}: from here it only looks dead`,
        'set TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE to where it runs',
      );
    if (!run || (await isLive(run.workflowId))) continue;
    for (const object of open)
      found.push({ migration: name, ...object, ...(await presenceOf(deps, run, object)) });
  }
  return found;
}

async function presenceOf(
  deps: Reading,
  run: MigrationRef,
  object: OwnedObject,
): Promise<Pick<Leftover, 'presence' | 'detail'>> {
  try {
    return { presence: (await isPresent(deps, run, object)) ? 'present' : 'gone', detail: '' };
  } catch (error) {
    return { presence: 'unknown', detail: classify(error).message };
  }
}

async function isPresent(
  { ledger, secret, systems }: Reading,
  run: MigrationRef,
  object: OwnedObject,
): Promise<boolean> {
  const { spec, name, generation } = run;
  const asked = (sql: string): Promise<boolean> =>
    readSource(spec, secret, async (client) => (await client.query(sql)).rows.length > 0);
  const literal = quoteLiteral(object.name);
  switch (object.kind) {
    case 'lease':
      if (object.where === 'ledger')
        return (
          (await ledger.query(`SELECT 1 FROM sluice.lease WHERE migration = $1`, [name])).length > 0
        );
      return asked(`SELECT 1 FROM pg_namespace WHERE nspname = ${literal}`);
    case 'publication':
      return asked(`SELECT 1 FROM pg_publication WHERE pubname = ${literal}`);
    case 'slot':
      return asked(`SELECT 1 FROM pg_replication_slots WHERE slot_name = ${literal}`);
    case 'sink':
      return readSource(
        spec,
        secret,
        async (client) => (await readTable(client, object.name)) !== null,
      );
    case 'topic':
      return (await systems.kafka(spec).listTopics()).includes(object.name);
    case 'connector':
      return (await systems.connect(spec).config(object.name)) !== null;
    case 'trigger': {
      const plan = resolve(run);
      const { role, table } = readTrigger(plan.names, object.name);
      return readSource(plan, secret, (client) => triggerExists(client, plan, role, table));
    }
    case 'job':
      return (await hostOf(spec, generation)?.isThere(object.name)) ?? false;
    case 'group':
      return (await systems.kafka(spec).groupOffsets(object.name)).size > 0;
  }
}
