// Builds small specs, refs, plans and workflow inputs for tests. A test overrides the parts that it
// tests. Other functions wait for conditions and results, and send approvals to workflows.
import type { WorkflowHandle } from '@temporalio/client';
import type { MigrationRef } from '../../src/domain/evidence/ledger-rows.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import type { ResolvedPlan } from '../../src/domain/plan/resolved-plan.js';
import type { MigrationSpec } from '../../src/domain/migration/spec.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import type { MigrationResult } from '../../src/workflows/run/main-path.js';

export interface SpecInput {
  name?: string;
  tables?: string[];
  spec?: Record<string, unknown>;
}

export function aSpecInput({
  name = 'bank',
  tables = ['public.accounts'],
  spec = {},
}: SpecInput = {}): Record<string, unknown> {
  return {
    apiVersion: 'sluice.dev/v1alpha1',
    kind: 'Migration',
    metadata: { name },
    spec: {
      source: {
        postgres: {
          host: '127.0.0.1',
          port: 5432,
          database: 'bank',
          user: 'sluice',
          passwordFrom: { env: 'PGPASSWORD' },
        },
        tables,
      },
      connector: { type: 'debezium-postgres', url: 'http://127.0.0.1:8083' },
      kafka: { brokers: ['127.0.0.1:9092'] },
      ...spec,
    },
  };
}

export function aSpec(input: SpecInput = {}): MigrationSpec {
  const parsed = parseSpecObject(aSpecInput(input));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.spec;
}

export function aRef(input: SpecInput = {}): MigrationRef {
  const spec = aSpec(input);
  return {
    name: spec.metadata.name,
    iteration: 1,
    generation: 1,
    workflowId: `migration-${spec.metadata.name}`,
    runKey: 'run',
    planHash: 'plan',
    spec,
  };
}

export const aPlan = (input: SpecInput = {}, generation = 1): ResolvedPlan =>
  resolve({ spec: aSpec(input), generation });

/**
 * Builds a workflow input for tests that skip time. A window runs every hour, and an approval needs
 * only one passed window.
 */
export const anHourlyInput = (name: string, more: object = {}) =>
  aSpecInput({ name, spec: { validation: { every: '1h', passesInARow: 1 }, ...more } }) as {
    metadata: { name: string };
  };

/** The parts that a spec with a batch needs: batch, pipeline, sink, and a view as the route. */
export const BATCH_PARTS = {
  batch: {
    result: { table: 'public.totals_batch', key: ['day'] },
    query: { sql: 'SELECT day, total FROM t' },
    runs: { table: 'public.batch_runs' },
  },
  pipeline: { type: 'external', groups: ['totals'], output: { topic: 'totals', key: ['day'] } },
  sink: { type: 'jdbc-sink', table: 'public.totals_stream' },
  cutover: {
    route: {
      type: 'postgres-view',
      view: 'public.totals',
      batch: 'public.totals_batch',
      stream: 'public.totals_stream',
    },
  },
};

/**
 * The route of a shared table: the batch writes to the table until the commit, and the stream
 * afterwards.
 */
export const SHARED_ROUTE = {
  type: 'postgres-table',
  table: 'public.totals',
  batchRole: 'nightly',
  streamRole: 'stream',
};
export const SHARED_PARTS = {
  ...BATCH_PARTS,
  batch: { ...BATCH_PARTS.batch, result: { table: 'public.totals', key: ['day'] } },
  sink: { type: 'jdbc-sink', table: 'public.totals' },
  cutover: { route: SHARED_ROUTE },
};

/**
 * Waits until the condition is true. If the condition runs a command, choose a larger `everyMs`.
 * Otherwise, the polling keeps a core busy.
 */
export const sleepUntil = async (
  what: string,
  condition: () => Promise<boolean> | boolean,
  limitMs = 600_000,
  everyMs = 100,
): Promise<void> => {
  const deadline = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
};

let counted = 0;

/** Builds a workflow input with a new name. A window runs every hour, and two must pass. */
export function aWorkflowInput(
  validation: object = {},
  more: object = {},
): { metadata: { name: string } } {
  counted += 1;
  return aSpecInput({
    name: `m${counted}`,
    spec: {
      validation: { every: '1h', passesInARow: 2, ...validation },
      soak: { for: '2h', passes: 2 },
      ...more,
    },
  }) as { metadata: { name: string } };
}

export const approve = (handle: WorkflowHandle, payload: object = { approver: 'ann' }) =>
  handle.signal('approveCutover', payload);

export const result = (handle: WorkflowHandle) => handle.result() as Promise<MigrationResult>;
