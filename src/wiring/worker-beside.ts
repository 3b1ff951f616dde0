// Starts two things that run alongside the worker's tasks: the watch over all migrations
// (worker-watch.ts), and the endpoint for metrics and health.
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import type { NativeConnection, Worker } from '@temporalio/worker';
import type { Deps } from '../activities/runtime/deps.js';
import type { Gauges } from '../activities/runtime/gauges.js';
import { latestRun } from '../activities/objects/leftovers.js';
import type { ProcessSettings } from './process-settings.js';
import { isUnknownWorkflow, unguardedState } from '../clients/running-workflow.js';
import { serveEndpoint } from './worker-endpoint.js';
import { createLogger } from './worker-log.js';
import { readMetrics } from './worker-metrics.js';
import { startWatch } from './worker-watch.js';

const ANSWER_MS = 3000;
/**
 * The maximum time that the process waits for the end of the watch. The watch may still be waiting
 * for a statement on a source.
 */
const END_MS = 3000;

export interface Beside {
  readonly deps: Pick<Deps, 'secret' | 'ledger' | 'systems'> & {
    readonly namespace: NonNullable<Deps['namespace']>;
    readonly gauges: Gauges;
  };
  readonly settings: ProcessSettings;
  readonly connection: NativeConnection;
  readonly workers: readonly Pick<Worker, 'getState'>[];
  /** The local address of the metrics of Temporal's SDK. Null without an HTTP endpoint. */
  readonly temporalMetrics: string | null;
}

/** Starts the watch and the endpoint. Returns a function that ends both. */
export async function startBeside(beside: Beside): Promise<() => Promise<void>> {
  const { deps, settings, connection } = beside;
  const client = new Client({ connection, namespace: deps.namespace.name });
  const logger = createLogger(settings.log);
  const endpoint =
    settings.httpAddress === null
      ? null
      : await serveEndpoint(settings.httpAddress, {
          dead: () => deadWorker(beside.workers),
          unready: () => unready(beside),
          metrics: () => readMetrics(deps.ledger, deps.gauges),
          temporalMetrics: beside.temporalMetrics ?? '',
        });
  const endWatch = startWatch({
    ...deps,
    webhook: settings.webhook,
    zones: settings.queues.zones,
    latestRun: (name) => latestRun(deps, name),
    stateOf: (workflowId) => stateOf(client, workflowId),
    warn: (message, migration) =>
      logger.warn(message, migration === undefined ? {} : { workflowId: migration }),
  });
  return async () => {
    endpoint?.close();
    await Promise.race([endWatch(), sleep(END_MS)]);
  };
}

const deadWorker = (workers: Beside['workers']): string | null => {
  const states = workers.map((worker) => worker.getState());
  return states.includes('FAILED') ? `a worker has failed (${states.join(', ')})` : null;
};

async function unready({ workers, deps, connection }: Beside): Promise<string | null> {
  const states = workers.map((worker) => worker.getState());
  if (states.some((state) => state !== 'RUNNING')) return `the workers are ${states.join(', ')}`;
  const [ledger, temporal] = await Promise.allSettled([
    deps.ledger.query('SELECT 1'),
    connection.withDeadline(Date.now() + ANSWER_MS, () =>
      connection.workflowService.getSystemInfo({}),
    ),
  ]);
  if (ledger.status === 'rejected') return `the ledger: ${(ledger.reason as Error).message}`;
  if (temporal.status === 'rejected') return `Temporal: ${(temporal.reason as Error).message}`;
  return null;
}

/**
 * Returns why the guard of a workflow cannot watch the replication slot, such as `terminated`.
 * Returns null if the guard can run.
 */
async function stateOf(client: Client, workflowId: string): Promise<string | null> {
  try {
    const description = await client.withDeadline(Date.now() + ANSWER_MS, () =>
      client.workflow.getHandle(workflowId).describe(),
    );
    return unguardedState(description);
  } catch (error) {
    if (isUnknownWorkflow(error)) return 'not known to Temporal';
    throw error;
  }
}
