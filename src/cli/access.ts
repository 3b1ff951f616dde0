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
    throw new CliError(EXIT.unreachable, 'unreachable', `Temporal at ${config.temporal.address} does not answer: ${(error as Error).message}`, ['check TEMPORAL_ADDRESS']);
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
  if (!ledger) throw new CliError(EXIT.usage, 'no-ledger', 'SLUICE_LEDGER_URL is not set: windows and evidence are kept there', ['export SLUICE_LEDGER_URL=postgres://…']);
  try {
    await ledger.migrate();
    return await use(ledger);
  } finally {
    await ledger.close();
  }
}

/** The live status by query. Null status: Temporal, a worker or the workflow does not answer; `running` tells the last two apart. */
async function liveStatus(id: string): Promise<{ status: Status | null; running: boolean }> {
  let running = false;
  try {
    return await withClient(async (client) => {
      const handle = client.workflow.getHandle(workflowIdOf(id));
      running = (await client.withDeadline(Date.now() + QUERY_MS, () => handle.describe())).status.name === 'RUNNING';
      return { running, status: await client.withDeadline(Date.now() + QUERY_MS, () => handle.query<Status>('status')) };
    });
  } catch {
    return { status: null, running };
  }
}

/** Live where a worker answers, else as the ledger last saw it. A run that never opened does not hide the one before it. */
export async function readStatus(id: string): Promise<StatusWithWindows> {
  const ledger = openLedger();
  try {
    const { status: live, running } = await liveStatus(id);
    const recorded = ledger ? (await ledger.migrations(nameOf(id)))[0] : undefined;
    const status = live && live.iteration > 0 ? live : (recorded?.status ?? live);
    if (!status) {
      if (recorded ?? running) return { ...emptyStatus(id, recorded?.iteration ?? 0, recorded?.generation ?? 0), windows: [] };
      throw new CliError(EXIT.failed, 'not-found', `no migration ${nameOf(id)} is known${ledger ? '' : ' to Temporal (and SLUICE_LEDGER_URL is not set)'}`, ['sluice list']);
    }
    return { ...status, windows: ledger ? await ledger.windows(status.name, status.iteration) : [] };
  } finally {
    await ledger?.close();
  }
}

function emptyStatus(id: string, iteration: number, generation: number): Status {
  return {
    apiVersion: 'sluice.dev/v1alpha1', id: workflowIdOf(id), name: nameOf(id), iteration, generation, phase: null, outcome: null, blocked: null, paused: false, epoch: 0,
    needsApproval: false, evidenceId: null, lag: { bytes: null, records: null, ms: null }, tables: [], approvals: [], route: null, handedOver: [], leftovers: [], next: [],
  };
}

/** The running workflow of a migration; exit 1 when there is none. */
export async function withRunning<T>(id: string, use: (handle: WorkflowHandle, client: Client) => Promise<T>): Promise<T> {
  return withClient(async (client) => {
    const handle = client.workflow.getHandle(workflowIdOf(id));
    const description = await handle.describe().catch((error: unknown) => {
      if ((error as Error).name === 'WorkflowNotFoundError') throw new CliError(EXIT.failed, 'not-found', `no migration ${nameOf(id)} is known to Temporal`, ['sluice list']);
      throw error;
    });
    if (description.status.name !== 'RUNNING') throw new CliError(EXIT.failed, 'not-running', `migration ${nameOf(id)} is not running (${description.status.name})`, [`sluice get ${nameOf(id)}`]);
    return use(handle, client);
  });
}
