// Builds the worker: config → clients → activities → workers. One process serves every task queue
// that its settings choose.
import { setTimeout as sleep } from 'node:timers/promises';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { createActivities, type Activities } from '../activities/index.js';
import { Systems } from '../activities/runtime/deps.js';
import { Gauges } from '../activities/runtime/gauges.js';
import { classifying, measuring, proving } from '../activities/runtime/interceptor.js';
import { namespaceId } from '../clients/temporal-namespace.js';
import { Ledger } from '../clients/ledger/ledger.js';
import { WrongLedgerUrl } from '../clients/ledger/ledger-connection.js';
import { dataConverterOf, ownPod, resolveSecret, type Config } from './config.js';
import { Problem } from '../domain/failure.js';
import { serve } from './worker-group.js';
import { startBeside } from './worker-beside.js';
import { installRuntime } from './worker-runtime.js';
import { workflowCode } from './workflow-code.js';
import { ensureSearchAttributes } from './register-search-attributes.js';
import {
  QUEUES,
  QUEUE_ROLES,
  queueFor,
  queueOfZone,
  type QueueRole,
} from '../domain/migration/task-queues.js';

const TEMPORAL_REMEDY =
  'check TEMPORAL_ADDRESS, or the profile that TEMPORAL_PROFILE names in temporal.toml';
const END_MS = 5000;
const SHUTDOWN_GRACE = '10s';
/**
 * The maximum number of workflow tasks that a worker takes at a time. One thread runs all of them,
 * and a task must end within ten seconds after the worker took it. Further tasks wait at the
 * server, where the ten seconds do not run.
 */
const WORKFLOW_TASKS = 8;

export interface WorkerHooks {
  /** Called when the workers are ready to poll every queue. */
  readonly onReady?: () => void;
  readonly say?: (line: string) => void;
  /**
   * Returns the activities that run instead of the real activities. A benchmark uses this to fake
   * systems and to measure times.
   */
  readonly instead?: (activities: Activities) => Activities;
}

/**
 * Serves migrations until SIGTERM or SIGINT. Throws a Problem if SLUICE_LEDGER_URL is not set, if
 * Temporal or the ledger cannot be reached, or if the HTTP address cannot be used.
 */
export async function runWorker(
  config: Config,
  { onReady, say = () => undefined, instead = (activities) => activities }: WorkerHooks = {},
): Promise<void> {
  if (!config.ledgerUrl)
    throw new Problem(
      'spec-invalid',
      'SLUICE_LEDGER_URL is not set; it names the database in which the worker stores evidence',
      'set it to postgres://user:password@host:port/database',
    );
  const temporalMetrics = await installRuntime(config.process);
  const ledger = new Ledger(config.ledgerUrl);
  await ledger.migrate().catch((error: unknown) => {
    if (error instanceof WrongLedgerUrl) throw error;
    const detail =
      error instanceof Problem
        ? error.message // it already names the ledger
        : `the ledger at ${ledger.address} cannot be used: ${(error as Error).message}`;
    throw new Problem('unreachable', detail, 'check SLUICE_LEDGER_URL and that server');
  });
  const connection = await connectTemporal(config);
  await ensureSearchAttributes(connection.operatorService, config.temporal.namespace, say);
  const namespace = {
    name: config.temporal.namespace,
    id: await namespaceId(connection.workflowService, config.temporal.namespace),
  };
  const systems = new Systems(resolveSecret, undefined, ownPod());
  const gauges = new Gauges();
  const deps = { secret: resolveSecret, ledger, systems, namespace, gauges };
  const activities = instead(
    createActivities({
      ...deps,
      approvers: config.approvers,
      stateDir: config.stateDir,
      windowMemory: config.windowMemory,
      snapshotBytes: config.snapshotBytes,
    }),
  );
  const common: Omit<WorkerOptions, 'taskQueue'> = {
    connection,
    namespace: config.temporal.namespace,
    activities,
    dataConverter: dataConverterOf(config),
    shutdownGraceTime: SHUTDOWN_GRACE,
    shutdownForceTime: '30s',
    interceptors: {
      activity: [
        () => ({ inbound: classifying(systems) }),
        () => ({ inbound: measuring(gauges) }),
        () => ({ inbound: proving() }),
      ],
    },
  };
  const workers = await createWorkers(config, common);
  const settings = config.process;
  const endBeside = await startBeside({ deps, settings, connection, workers, temporalMetrics });
  onReady?.();
  try {
    await serve(workers, say);
  } finally {
    await endBeside();
    const closed = Promise.all([systems.close(), ledger.close(), connection.close()]);
    // closing can take long, because the watch may still use the ledger
    await Promise.race([closed, sleep(END_MS)]);
  }
}

/** Creates a worker for each queue that the settings choose. */
function createWorkers(
  { taskQueue, process, codec }: Config,
  common: Omit<WorkerOptions, 'taskQueue'>,
): Promise<Worker[]> {
  const { pollers, workflowCache, slots } = process.queues;
  const polls = pollers === null ? null : ({ type: 'autoscaling', maximum: pollers } as const);
  const more: Omit<WorkerOptions, 'taskQueue'> = {
    ...common,
    ...(polls && { workflowTaskPollerBehavior: polls, activityTaskPollerBehavior: polls }),
    ...(workflowCache === null ? {} : { maxCachedWorkflows: workflowCache }),
    ...(process.version === null
      ? {}
      : {
          workerDeploymentOptions: {
            version: process.version,
            useWorkerVersioning: true,
            defaultVersioningBehavior: 'AUTO_UPGRADE',
          },
        }),
  };
  return Promise.all(
    servedQueues({ taskQueue, process }).map(({ role, queue }) =>
      Worker.create({
        ...more,
        ...(role === 'steps' ? workflowCode({ codec }) : {}),
        ...(role === 'steps' ? { maxConcurrentWorkflowTaskExecutions: WORKFLOW_TASKS } : {}),
        taskQueue: queue,
        maxConcurrentActivityTaskExecutions: slots[role],
        maxHeartbeatThrottleInterval: QUEUES[role].heartbeatEvery,
      }),
    ),
  );
}

/** Returns the queues that the worker of this configuration serves. */
export function servedQueues({
  taskQueue,
  process: { queues },
}: Pick<Config, 'taskQueue' | 'process'>): { role: QueueRole; queue: string }[] {
  return queues.zones.flatMap((zone) =>
    QUEUE_ROLES.filter((role) => queues.slots[role] > 0).map((role) => ({
      role,
      queue: queueFor(queueOfZone(taskQueue, zone), role),
    })),
  );
}

async function connectTemporal(config: Config): Promise<NativeConnection> {
  const { address, connectionOptions } = config.temporal;
  try {
    return await NativeConnection.connect(connectionOptions);
  } catch (error) {
    throw new Problem(
      'unreachable',
      `Temporal at ${address} does not answer: ${(error as Error).message}`,
      TEMPORAL_REMEDY,
    );
  }
}
