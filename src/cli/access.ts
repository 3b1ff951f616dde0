// How verbs reach Temporal and the ledger. Loaded lazily: `--help` needs neither.
import type { Client, WorkflowHandle } from '@temporalio/client';
import { loadConfig } from '../config.js';
import { Ledger } from '../clients/ledger.js';
import type { Status, StatusWithWindows } from '../domain/ledger.js';
import { CliError, EXIT } from './output.js';

export const workflowIdOf = (id: string): string => (id.startsWith('migration-') ? id : `migration-${id}`);
export const nameOf = (id: string): string => id.replace(/^migration-/, '');

const QUERY_MS = 3000;

/** Throws exit 4 when Temporal does not answer. */
export async function withClient<T>(use: (client: Client) => Promise<T>): Promise<T> {
  const config = loadConfig();
  const { Client, Connection } = await import('@temporalio/client');
  const { loadClientConnectConfig } = await import('@temporalio/envconfig');
  const { connectionOptions, namespace } = loadClientConnectConfig();
  let connection;
  try {
    connection = await Connection.connect({ ...connectionOptions, address: connectionOptions.address ?? config.temporal.address, connectTimeout: '5s' });
  } catch (error) {
    throw new CliError(EXIT.unreachable, 'unreachable', `Temporal at ${config.temporal.address} does not answer: ${(error as Error).message}`, [
      'check TEMPORAL_ADDRESS',
    ]);
  }
  try {
    return await use(new Client({ connection, namespace: namespace ?? config.temporal.namespace }));
  } finally {
    await connection.close();
  }
}

/** Undefined without SLUICE_LEDGER_URL. The caller closes it. */
export function openLedger(): Ledger | undefined {
  const { ledgerUrl } = loadConfig();
  return ledgerUrl ? new Ledger(ledgerUrl) : undefined;
}

export async function withLedger<T>(use: (ledger: Ledger) => Promise<T>): Promise<T> {
  const ledger = openLedger();
  if (!ledger)
    throw new CliError(EXIT.usage, 'no-ledger', 'SLUICE_LEDGER_URL is not set: windows and evidence are kept there', ['export SLUICE_LEDGER_URL=postgres://…']);
  try {
    await ledger.migrate();
    return await use(ledger);
  } finally {
    await ledger.close();
  }
}

/** Like `withClient`, but without Temporal the use goes on with null: the ledger can still answer. */
export async function withClientOrNull<T>(use: (client: Client | null) => Promise<T>): Promise<T> {
  let started = false;
  try {
    return await withClient((client) => {
      started = true;
      return use(client);
    });
  } catch (error) {
    if (started || !(error instanceof CliError) || error.exitCode !== EXIT.unreachable) throw error;
    return use(null);
  }
}

/** The live status by query. Null status: Temporal, a worker or the workflow does not answer; `running` tells the last two apart. */
async function liveStatus(id: string, client: Client | null): Promise<{ status: Status | null; running: boolean }> {
  if (!client) return { status: null, running: false };
  const handle = client.workflow.getHandle(workflowIdOf(id));
  const within = <T>(ask: () => Promise<T>): Promise<T> => client.withDeadline(Date.now() + QUERY_MS, ask);
  try {
    return { running: true, status: await within(() => handle.query<Status>('status')) };
  } catch {
    const description = await within(() => handle.describe()).catch(() => null);
    return { status: null, running: description?.status.name === 'RUNNING' };
  }
}

/** Live where a worker answers, else as the ledger last saw it. A run that never opened does not hide the one before it. */
export async function readStatus(id: string): Promise<StatusWithWindows> {
  const ledger = openLedger();
  try {
    return await withClientOrNull((client) => readStatusWith(id, client, ledger));
  } finally {
    await ledger?.close();
  }
}

export async function readStatusWith(id: string, client: Client | null, ledger: Ledger | undefined): Promise<StatusWithWindows> {
  const { status: live, running } = await liveStatus(id, client);
  const recorded = ledger ? (await ledger.migrations(nameOf(id)).catch((error: unknown) => orEmpty(error, live)))[0] : undefined;
  // An outcome in the ledger is final: a workflow that was terminated would still tell what it last knew.
  const isFinal = recorded?.outcome && recorded.iteration >= (live?.iteration ?? 0);
  const status = live && live.iteration > 0 && !isFinal ? live : (recorded?.status ?? live);
  if (!status) {
    if (recorded ?? running) return { ...emptyStatus(id, recorded?.iteration ?? 0, recorded?.generation ?? 0), windows: [] };
    throw new CliError(EXIT.failed, 'not-found', `no migration ${nameOf(id)} is known${ledger ? '' : ' to Temporal (and SLUICE_LEDGER_URL is not set)'}`, [
      'sluice list',
    ]);
  }
  const windows = ledger ? await ledger.windows(status.name, status.iteration).catch((error: unknown) => orEmpty(error, live)) : [];
  return { ...status, windows };
}

/** A ledger that does not answer is no reason to hide what the workflow says. */
function orEmpty(error: unknown, live: Status | null): [] {
  if (live) return [];
  throw error;
}

function emptyStatus(id: string, iteration: number, generation: number): Status {
  return {
    apiVersion: 'sluice.dev/v1alpha1',
    id: workflowIdOf(id),
    name: nameOf(id),
    iteration,
    generation,
    phase: null,
    outcome: null,
    blocked: null,
    paused: false,
    epoch: 0,
    needsApproval: false,
    evidenceId: null,
    lag: { bytes: null, records: null, ms: null },
    tables: [],
    approvals: [],
    route: null,
    handedOver: [],
    leftovers: [],
    next: [],
  };
}

/** The running workflow of a migration; exit 1 when there is none. */
export async function withRunning<T>(id: string, use: (handle: WorkflowHandle, client: Client) => Promise<T>): Promise<T> {
  return withClient(async (client) => {
    const handle = client.workflow.getHandle(workflowIdOf(id));
    const description = await handle.describe().catch((error: unknown) => {
      if ((error as Error).name === 'WorkflowNotFoundError')
        throw new CliError(EXIT.failed, 'not-found', `no migration ${nameOf(id)} is known to Temporal`, ['sluice list']);
      throw error;
    });
    if (description.status.name !== 'RUNNING')
      throw new CliError(EXIT.failed, 'not-running', `migration ${nameOf(id)} is not running (${description.status.name})`, [`sluice get ${nameOf(id)}`]);
    return use(handle, client);
  });
}
