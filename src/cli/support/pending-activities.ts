// Describes what the pending activities of a run do or wait for, from Temporal's description and
// their heartbeats.
import type { WorkflowExecutionDescription } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { loadConfig } from '../../wiring/config.js';

// activities that run alongside the main path and do not delay it
const SILENT = ['guard', 'record'];

/** Returns a text for each pending activity that the run waits for. */
export async function waitsOf(description: WorkflowExecutionDescription): Promise<string[]> {
  const waits: string[] = [];
  for (const activity of description.raw.pendingActivities ?? []) {
    const name = activity.activityType?.name ?? 'activity';
    if (SILENT.includes(name)) continue;
    const attempt = activity.attempt ?? 1;
    const failure = attempt > 1 ? await messageOf(activity.lastFailure) : null;
    const failed = failure ? [`attempt ${attempt}, after: ${failure}`] : [];
    const wait = await waitIn(activity.heartbeatDetails?.payloads?.[0]);
    const stood = standstillOf(activity);
    const said = [...(stood ? [stood] : []), ...(wait ? [wait] : []), ...failed].join('; ');
    waits.push(`${name}: ${said || 'running'}`);
  }
  return waits;
}

type Activity = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];

/** Returns why an activity has no running attempt. Returns null if an attempt may be running. */
function standstillOf({ paused, lastStartedTime }: Activity): string | null {
  if (paused) return 'paused at Temporal';
  return lastStartedTime ? null : 'waits for a free worker';
}

type Payload = Parameters<typeof defaultPayloadConverter.fromPayload>[0];
type Failure = NonNullable<Activity['lastFailure']>;

/**
 * Returns the value of a payload. Returns null if it cannot be read, for example because it is
 * encrypted with a key that this process lacks.
 */
async function valueOf(payload: Payload): Promise<unknown> {
  try {
    const { codec } = loadConfig();
    const [plain] = codec ? await codec.decode([payload]) : [payload];
    return defaultPayloadConverter.fromPayload(plain!);
  } catch {
    return null;
  }
}

/**
 * Returns the message of a failure. A worker with a codec moves the message into an encrypted
 * payload.
 */
export async function messageOf(failure: Failure | null | undefined): Promise<string | null> {
  const attributes = failure?.encodedAttributes && (await valueOf(failure.encodedAttributes));
  const { message } = (attributes ?? {}) as { message?: unknown };
  return typeof message === 'string' ? message : (failure?.message ?? null);
}

/**
 * Returns what an activity does or waits for, according to its heartbeat. Returns null if there is
 * no heartbeat, if it cannot be read, or if it says nothing.
 */
async function waitIn(payload: Payload | undefined): Promise<string | null> {
  if (!payload) return null;
  const details = await valueOf(payload);
  return details !== null && typeof details === 'object'
    ? describeWait(details as Record<string, unknown>)
    : null;
}

/**
 * Describes a heartbeat. `{waitingFor: 'connector', confirmed: '0/1', lsn: '0/2'}` becomes `waits
 * for connector (confirmed 0/1, lsn 0/2)`. Returns null if there is nothing to say.
 */
export function describeWait(details: Readonly<Record<string, unknown>>): string | null {
  const { waitingFor, reason, ...more } = details;
  const scalars = Object.entries(more).filter(
    ([, value]) => typeof value === 'string' || typeof value === 'number',
  );
  const rest = scalars.map(([key, value]) => `${key} ${String(value)}`).join(', ');
  const what = [waitingFor, reason].find((text) => typeof text === 'string' && text !== '') as
    | string
    | undefined;
  if (what) return `waits for ${what}${rest ? ` (${rest})` : ''}`;
  const tables = Array.isArray(more['tables'])
    ? (more['tables'] as { table: string; rowsScanned: number | null; rowsTotal: number | null }[])
    : [];
  if (tables.length > 0)
    return tables
      .map((t) => `${t.table} ${t.rowsScanned ?? 0} of ${t.rowsTotal ?? '?'} rows`)
      .join(', ');
  return rest || null;
}
