// Reads from Temporal's history the link that each window added to the evidence chain. A person who
// can write only to the ledger cannot change that history. The history therefore shows whether the
// evidence in the ledger was changed.
import type { Client } from '@temporalio/client';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { loadConfig } from '../../wiring/config.js';
import type { Anchor } from '../../report/verify.js';
import { withClientOrNull } from './migration-source.js';
import { migrationId } from '../../domain/migration/workflow-ids.js';
import { because, ok, type OrReason } from '../../domain/values/or-reason.js';

const MOST_RUNS = 200; // each continue-as-new adds one of Temporal's runs to a migration

interface HistoryEvent {
  readonly eventId?: unknown;
  readonly activityTaskScheduledEventAttributes?: {
    readonly activityType?: { readonly name?: string | null } | null;
  } | null;
  readonly activityTaskCompletedEventAttributes?: {
    readonly scheduledEventId?: unknown;
    readonly result?: {
      readonly payloads?: readonly { readonly data?: Uint8Array | null }[] | null;
    } | null;
  } | null;
  readonly workflowExecutionContinuedAsNewEventAttributes?: {
    readonly newExecutionRunId?: string | null;
  } | null;
}

/**
 * Returns the windows in the history, each with its number and its link of the evidence chain.
 * `runKey` is Temporal's id of the migration's first run. If the history cannot be read, returns
 * the reason.
 */
export async function anchorsOf(
  name: string,
  runKey: string,
): Promise<OrReason<readonly Anchor[]>> {
  return withClientOrNull(async (client) => {
    if (!client) return because('Temporal does not answer');
    try {
      return ok(await readAnchors(client, migrationId(name), runKey));
    } catch (error) {
      return because(
        `the history of ${migrationId(name)} cannot be read: ${(error as Error).message}`,
      );
    }
  });
}

async function readAnchors(
  client: Client,
  workflowId: string,
  runKey: string,
): Promise<readonly Anchor[]> {
  const anchors: Anchor[] = [];
  let run: string | null | undefined = runKey;
  for (let count = 0; run && count < MOST_RUNS; count += 1) {
    const { events } = await client.workflow.getHandle(workflowId, run).fetchHistory();
    const list = (events ?? []) as readonly HistoryEvent[];
    anchors.push(...anchorsIn(await decrypted(list, loadConfig().codec)));
    run = list.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  }
  return anchors;
}

/** Returns the events with the results of their activities decrypted. */
export async function decrypted(
  events: readonly HistoryEvent[],
  codec: PayloadCodec | null,
): Promise<readonly HistoryEvent[]> {
  if (!codec) return events;
  return Promise.all(
    events.map(async (event) => {
      const completed = event.activityTaskCompletedEventAttributes;
      const payloads = completed?.result?.payloads;
      if (!payloads) return event;
      const plain = await codec.decode([...payloads] as Payload[]);
      const result = { ...completed.result, payloads: plain };
      return { ...event, activityTaskCompletedEventAttributes: { ...completed, result } };
    }),
  );
}

/** Returns the windows that the events of one run contain, in order. */
export function anchorsIn(events: readonly HistoryEvent[]): Anchor[] {
  const windows = new Set<string>();
  const anchors: Anchor[] = [];
  for (const event of events) {
    if (event.activityTaskScheduledEventAttributes?.activityType?.name === 'runWindow')
      windows.add(String(event.eventId));
    const completed = event.activityTaskCompletedEventAttributes;
    if (!completed || !windows.has(String(completed.scheduledEventId))) continue;
    const data = completed.result?.payloads?.[0]?.data;
    const { number, chain } = JSON.parse(
      Buffer.from(data ?? []).toString('utf8'),
    ) as Partial<Anchor>;
    if (typeof number === 'number' && typeof chain === 'string') anchors.push({ number, chain });
  }
  return anchors;
}
