// Defines activities on the ledger. They check specs, open a run, record its status and events, and
// list its leftovers.
import { asyncLocalStorage } from '@temporalio/activity';
import type { AuditEvent } from '../../domain/audit.js';
import { Problem } from '../../domain/failure.js';
import type { MigrationRef, OwnedObject, Status } from '../../domain/evidence/ledger-rows.js';
import { formatProblem, parseSpecObject } from '../../manifest/parse.js';
import { planHash } from '../../manifest/build-plan.js';
import type { MigrationSpec } from '../../domain/migration/spec.js';
import { migrationId } from '../../domain/migration/workflow-ids.js';
import type { MigrationRecord, StatusOrigin } from '../../clients/ledger/ledger.js';
import { jsonText } from '../../clients/ledger/json-text.js';
import { ownedByRun, type OwnedByRun } from '../../clients/ledger/owned-by-run.js';
import { otherNamespace, type Deps } from './deps.js';

export interface OpenInput {
  readonly input: unknown;
  readonly workflowId: string;
  readonly runKey: string;
}

export interface Opened {
  readonly spec: MigrationSpec;
  readonly planHash: string;
  readonly iteration: number;
  readonly generation: number;
}

/** The parsed spec of an edit, or the reason why it cannot be used. */
export type EditRead =
  | { readonly refused: null; readonly spec: MigrationSpec; readonly planHash: string }
  | { readonly refused: string };

type LedgerDeps = Pick<Deps, 'ledger' | 'namespace'>;
type RunNumbers = Pick<Opened, 'iteration' | 'generation'>;

export function createLedgerActivities(deps: LedgerDeps) {
  const { ledger } = deps;
  return {
    /**
     * Checks the spec and the name, and opens the run. A retry for the same run returns the same
     * answer. Throws Problem `spec-invalid` or `name-refused`. The workflow then ends as Failed,
     * because nothing was created yet.
     */
    async openMigration({ input, workflowId, runKey }: OpenInput): Promise<Opened> {
      const spec = specFor(input, workflowId);
      const earlier = await ledger.migrations(spec.metadata.name);
      const own = earlier.find((m) => m.run_key === runKey);
      // a reset to the first workflow task must not repeat or undo a migration that is complete
      if (own?.outcome === 'migrated') throw alreadyMigrated(own);
      if (own) return opened(spec, own);
      await refuseName(deps, spec.metadata.name, earlier[0]);
      const latest = earlier[0] ?? { iteration: 0, generation: 0 };
      const run = { iteration: latest.iteration + 1, generation: latest.generation + 1 };
      await insertRun(deps, spec, { ...run, workflowId, runKey });
      return opened(spec, run);
    },

    /**
     * Parses the spec of an edit. For a bad spec, returns a refusal instead of throwing, so that
     * the run continues.
     */
    async readEdit({
      input,
      workflowId,
    }: Pick<OpenInput, 'input' | 'workflowId'>): Promise<EditRead> {
      try {
        const spec = specFor(input, workflowId);
        return await Promise.resolve({ refused: null, spec, planHash: planHash(spec) });
      } catch (error) {
        if (error instanceof Problem) return { refused: error.message };
        throw error;
      }
    },

    /** Stores the status and appends audit events. Idempotent. */
    async record(ref: MigrationRef, status: Status, events: readonly AuditEvent[]): Promise<void> {
      // events first, so that the status never names a phase that the audit lacks
      await ledger.recordEvents(ref, events);
      await ledger.recordStatus(ref, status, originOf(deps));
    },

    /** Returns what this run owns, even if the run was reset and no longer knows it. */
    async listOwned(ref: MigrationRef): Promise<OwnedByRun> {
      return ownedByRun(ledger, ref);
    },

    /** Returns the objects of this migration that were neither removed nor handed over. */
    async listLeftovers(ref: MigrationRef): Promise<OwnedObject[]> {
      return ledger.openObjects(ref.name);
    },
  };
}

/**
 * Returns the origin of a status: the namespace, and the time at which the run scheduled the
 * activity. This time is from Temporal's clock, and is the same for all attempts of the activity.
 */
export function originOf({ namespace }: Pick<Deps, 'namespace'>): StatusOrigin {
  const asked = asyncLocalStorage.getStore()?.info.scheduledTimestampMs;
  return {
    askedAt: asked === undefined ? null : new Date(asked),
    namespace: namespace ?? null,
  };
}

const opened = (spec: MigrationSpec, { iteration, generation }: RunNumbers): Opened => ({
  spec,
  planHash: planHash(spec),
  iteration,
  generation,
});

/**
 * Returns the parsed spec. Throws if the spec has problems, or if the workflow's id does not match
 * the spec's name.
 */
function specFor(input: unknown, workflowId: string): MigrationSpec {
  const parsed = parseSpecObject(input);
  if (!parsed.ok)
    throw new Problem(
      'spec-invalid',
      `the spec has ${parsed.problems.length} problem(s): ${parsed.problems.map(formatProblem).join('; ')}`,
    );
  const name = parsed.spec.metadata.name;
  if (workflowId !== migrationId(name))
    throw new Problem(
      'name-refused',
      `the workflow id is ${workflowId}, but it must be ${migrationId(name)}, because it contains metadata.name`,
    );
  return parsed.spec;
}

const alreadyMigrated = ({ name, iteration }: MigrationRecord): Problem =>
  new Problem('name-refused', `${name} was already migrated (iteration ${iteration})`);

/**
 * Throws if a migration of this name has succeeded, is running in a different namespace with this
 * ledger, or was not cleaned up.
 */
async function refuseName(
  { ledger, namespace }: LedgerDeps,
  name: string,
  latest: MigrationRecord | undefined,
): Promise<void> {
  if (latest?.outcome === 'migrated') throw alreadyMigrated(latest);
  const other = latest && latest.outcome === null ? otherNamespace(latest, namespace) : null;
  if (other)
    throw new Problem(
      'name-refused',
      `a migration ${name} runs in ${other} with the same ledger`,
      'choose another metadata.name, or another ledger',
    );
  const leftovers = await ledger.openObjects(name);
  if (leftovers.length > 0) {
    throw new Problem(
      'name-refused',
      `an earlier run of ${name} was not cleaned up: ${leftovers.map((o) => `${o.kind} ${o.name}`).join(', ')}`,
    );
  }
}

/** Adds the run to the ledger, unless the ledger already has a run with this `runKey`. */
async function insertRun(
  { ledger, namespace }: LedgerDeps,
  spec: MigrationSpec,
  run: RunNumbers & Pick<OpenInput, 'workflowId' | 'runKey'>,
): Promise<void> {
  await ledger.query(
    `INSERT INTO sluice.migration (name, iteration, generation, workflow_id, run_key, spec, plan_hash, namespace, namespace_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (run_key) DO NOTHING`,
    [
      spec.metadata.name,
      run.iteration,
      run.generation,
      run.workflowId,
      run.runKey,
      jsonText(spec),
      planHash(spec),
      namespace?.name ?? null,
      namespace?.id ?? null,
    ],
  );
}
