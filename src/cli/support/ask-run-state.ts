// Asks Temporal whether a run can continue. The questions are about its status, a failing workflow
// task, the workers that poll its queue, and what its activities wait for.
import type { Client, WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import proto from '@temporalio/proto';
import { isUnknownWorkflow, pausedActivities } from '../../clients/running-workflow.js';
import { loadConfig } from '../../wiring/config.js';
import type { Status } from '../../domain/evidence/ledger-rows.js';
import {
  judgeStanding,
  type Seen,
  type SeenWorkflow,
} from '../../domain/migration/run-standing.js';
import { CliError, EXIT } from './output.js';
import { messageOf, waitsOf } from './pending-activities.js';
import { nameOf, workflowIdOf } from '../../domain/migration/workflow-ids.js';

/** The time limit of one call to Temporal. It is short, because a person waits for the answer. */
const ASK_MS = 3000;
const ANSWER_MS = 10_000;
const HISTORY_EVENTS = 5;
const TASK_FAILED = proto.temporal.api.enums.v1.EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED;
const WORKFLOW_QUEUE = proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW;

export interface Look {
  readonly seen: Seen;
  readonly waits: readonly string[];
  /**
   * Temporal's id of the first run since the newest `sluice start`. Continue-as-new adds runs, but
   * keeps this id. Null means unknown.
   */
  readonly runKey: string | null;
}

export const within = <T>(client: Client, ask: () => Promise<T>): Promise<T> =>
  client.withDeadline(Date.now() + ASK_MS, ask);

/**
 * Looks at a run in Temporal. Never throws. `answered` says whether the run has just answered a
 * query. An answer proves that a worker is alive. `answered` is null if no query was sent. If
 * `client` is null, `problem` is the reason.
 */
export const lookAt = (
  id: string,
  client: Client | null,
  problem: string,
  answered: boolean | null,
): Promise<Look> => lookAtWorkflow(workflowIdOf(id), client, problem, answered);

/** Works like `lookAt` for any workflow id. */
export async function lookAtWorkflow(
  workflowId: string,
  client: Client | null,
  problem: string,
  answered: boolean | null,
): Promise<Look> {
  if (!client) return { seen: { kind: 'unreachable', problem }, waits: [], runKey: null };
  const { address, namespace } = loadConfig().temporal;
  let description: WorkflowExecutionDescription;
  try {
    description = await within(client, () => client.workflow.getHandle(workflowId).describe());
  } catch (error) {
    const where = `namespace ${namespace} of Temporal at ${address}`;
    if (isUnknownWorkflow(error))
      return { seen: { kind: 'unknown-workflow', where }, waits: [], runKey: null };
    return {
      seen: {
        kind: 'unreachable',
        problem: `${where} does not answer: ${(error as Error).message}`,
      },
      waits: [],
      runKey: null,
    };
  }
  const { firstRunId } = (description.raw.workflowExecutionInfo ?? {}) as {
    firstRunId?: string | null;
  };
  return {
    seen: { kind: 'workflow', workflow: await seenOf(client, description, answered) },
    waits: await waitsOf(description),
    runKey: firstRunId || description.runId,
  };
}

async function seenOf(
  client: Client,
  description: WorkflowExecutionDescription,
  answered: boolean | null,
): Promise<SeenWorkflow> {
  const { status, closeTime, taskQueue, runId, workflowId } = description;
  const taskAttempt = description.raw.pendingWorkflowTask?.attempt ?? 0;
  const isRunning = status.name === 'RUNNING';
  const failure = status.name === 'FAILED' ? await failureOf(client, workflowId, runId) : null;
  return {
    status: status.name,
    closedAt: closeTime?.toISOString() ?? null,
    failure,
    taskAttempt,
    taskFailure:
      isRunning && taskAttempt > 1
        ? await taskFailureOf(client, workflowId, runId).catch(() => null)
        : null,
    taskQueue,
    polledMsAgo:
      isRunning && !answered ? await polledMsAgo(client, taskQueue).catch(() => null) : null,
    answered,
    pausedActivities: pausedActivities(description),
  };
}

async function failureOf(client: Client, workflowId: string, runId: string): Promise<string> {
  const ended: unknown = await within(client, () =>
    client.workflow.getHandle(workflowId, runId).result(),
  ).catch((error: unknown) => error);
  const cause = (ended as { cause?: Error }).cause ?? (ended as Error);
  return cause.message;
}

/**
 * Returns the failure of the workflow task. If the task fails several times in a row, Temporal
 * records only the first failure, near the end of the history.
 */
async function taskFailureOf(
  client: Client,
  workflowId: string,
  runId: string,
): Promise<string | null> {
  const { history } = await within(client, () =>
    client.workflowService.getWorkflowExecutionHistoryReverse({
      namespace: client.options.namespace,
      execution: { workflowId, runId },
      maximumPageSize: HISTORY_EVENTS,
    }),
  );
  const failed = history?.events?.find((event) => event.eventType === TASK_FAILED)
    ?.workflowTaskFailedEventAttributes?.failure;
  return failed ? ((await messageOf(failed)) ?? 'unknown reason') : null;
}

/**
 * Returns the milliseconds since a worker last polled the queue for workflow tasks. Returns null if
 * Temporal remembers no such worker.
 */
async function polledMsAgo(client: Client, name: string): Promise<number | null> {
  const { pollers } = await within(client, () =>
    client.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name },
      taskQueueType: WORKFLOW_QUEUE,
    }),
  );
  const seen = (pollers ?? []).map((poller) => Number(poller.lastAccessTime?.seconds ?? 0) * 1000);
  return seen.length === 0 ? null : Math.max(0, Date.now() - Math.max(...seen));
}

/**
 * Returns the run's status. A command that needs an answer from the run calls this function before
 * it sends anything. Throws an error with exit code 4 and the reason if the run cannot answer.
 */
export async function answering(
  id: string,
  handle: WorkflowHandle,
  client: Client,
): Promise<Status> {
  try {
    return await client.withDeadline(Date.now() + ANSWER_MS, () => handle.query<Status>('status'));
  } catch {
    const { seen } = await lookAt(id, client, '', false);
    const { problem, remedy } = judgeStanding(seen, null, new Date().toISOString());
    const why = problem ?? `migration ${nameOf(id)} did not answer within ${ANSWER_MS / 1000} s`;
    throw new CliError(
      EXIT.unreachable,
      'no-answer',
      `${why}. Nothing was sent`,
      remedy.length > 0 ? remedy : ['sluice worker'],
    );
  }
}
