// Replays the open runs of a namespace with this version's workflow code. A run that cannot be
// replayed would be stuck after an upgrade.
import type { Client } from '@temporalio/client';
import { Worker, type ReplayWorkerOptions } from '@temporalio/worker';
import { dataConverterOf, type Config } from './config.js';
import { nameOf } from '../domain/migration/workflow-ids.js';
import { installRuntime } from './worker-runtime.js';

/** The types of this version's workflows. */
const TYPES = ['migrateToStreaming', 'sweepLeftovers', 'proveOnSlice'];

export interface Replayed {
  readonly migration: string;
  readonly runId: string;
  /** The reason why the run cannot be replayed. Null if it can. */
  readonly problem: string | null;
}

type Code = Pick<ReplayWorkerOptions, 'workflowBundle' | 'workflowsPath' | 'dataConverter'>;
type Histories = Parameters<typeof Worker.runReplayHistories>[1];

/** Replays histories one after the other. Continues after a history that fails. */
export async function replayRuns(code: Code, histories: Histories): Promise<Replayed[]> {
  const replayed: Replayed[] = [];
  for await (const { workflowId, runId, error } of Worker.runReplayHistories(code, histories))
    replayed.push({
      migration: nameOf(workflowId),
      runId,
      problem: error === undefined ? null : error.message,
    });
  return replayed;
}

/** Replays every open run of the client's namespace. Changes nothing. */
export async function replayOpenRuns(
  config: Config,
  code: Code,
  client: Client,
): Promise<Replayed[]> {
  await installRuntime({ ...config.process, httpAddress: null });
  const types = TYPES.map((type) => `'${type}'`).join(', ');
  const open = client.workflow.list({
    query: `ExecutionStatus = 'Running' AND WorkflowType IN (${types})`,
  });
  const dataConverter = dataConverterOf(config);
  return replayRuns({ ...code, dataConverter }, open.intoHistories());
}
