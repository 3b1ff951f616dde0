// Connects the commands of `sluice` to Temporal. The errors name the server's address or the
// migration, and most of them have a remedy.
import type { Client, WorkflowHandle } from '@temporalio/client';
import { isUnknownWorkflow } from '../../clients/running-workflow.js';
import { dataConverterOf, loadConfig } from '../../wiring/config.js';
import {
  registerCommands,
  SEARCH_ATTRIBUTE_NAMES,
} from '../../domain/migration/search-attribute-names.js';
import { nameOf, workflowIdOf } from '../../domain/migration/workflow-ids.js';
import { CliError, EXIT } from './output.js';

export const TEMPORAL_REMEDY =
  'check TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, or the profile that TEMPORAL_PROFILE names in temporal.toml';

/**
 * Calls `use` with a client. Throws an error with exit code 4 if Temporal does not answer, refuses
 * the client, or does not have the namespace.
 */
export async function withClient<T>(use: (client: Client) => Promise<T>): Promise<T> {
  const { address, namespace, connectionOptions } = loadConfig().temporal;
  const { Client, Connection } = await import('@temporalio/client');
  let connection;
  try {
    connection = await Connection.connect({ ...connectionOptions, connectTimeout: '5s' });
  } catch (error) {
    throw new CliError(
      EXIT.unreachable,
      'unreachable',
      `Temporal at ${address} does not answer: ${(error as Error).message}`,
      [TEMPORAL_REMEDY],
    );
  }
  try {
    const dataConverter = dataConverterOf(loadConfig());
    return await use(new Client({ connection, namespace, dataConverter }));
  } catch (error) {
    throw explained(error);
  } finally {
    await connection.close();
  }
}

/**
 * Works like `withClient`. Without Temporal, it calls `use` with null and the reason, because the
 * ledger can still answer.
 */
export async function withClientOrNull<T>(
  use: (client: Client | null, problem: string) => Promise<T>,
): Promise<T> {
  let started = false;
  try {
    return await withClient((client) => {
      started = true;
      return use(client, '');
    });
  } catch (error) {
    if (started || !(error instanceof CliError) || error.exitCode !== EXIT.unreachable) throw error;
    return use(null, error.message);
  }
}

/**
 * Calls `use` with the running workflow of a migration. Throws an error with exit code 1 if no such
 * workflow is running, or if it is paused at Temporal.
 */
export async function withRunning<T>(
  id: string,
  use: (handle: WorkflowHandle, client: Client) => Promise<T>,
): Promise<T> {
  return withClient(async (client) => {
    const handle = client.workflow.getHandle(workflowIdOf(id));
    const description = await handle.describe().catch((error: unknown) => {
      if (isUnknownWorkflow(error))
        throw new CliError(
          EXIT.failed,
          'not-found',
          `no migration ${nameOf(id)} is known to Temporal`,
          ['sluice list'],
        );
      throw error;
    });
    if (description.status.name !== 'RUNNING') throw notRunning(id, description.status.name);
    return use(handle, client).catch((error: unknown) => {
      throw isUnknownWorkflow(error) ? notRunning(id, 'it has just ended') : error;
    });
  });
}

const notRunning = (id: string, why: string): CliError =>
  new CliError(EXIT.failed, 'not-running', `migration ${nameOf(id)} is not running (${why})`, [
    `sluice get ${nameOf(id)}`,
  ]);

interface GrpcError {
  readonly code: number;
  readonly details: string;
}

/** Finds the gRPC error behind an SDK error. Returns null if there is none. */
export function grpcErrorOf(error: unknown): GrpcError | null {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code, details } = at as Error & Partial<GrpcError>;
    if (typeof code === 'number' && typeof details === 'string') return { code, details };
  }
  return null;
}

const DENIED = [7, 16]; // PERMISSION_DENIED, UNAUTHENTICATED
const AWAY = [4, 14]; // DEADLINE_EXCEEDED, UNAVAILABLE

/** Explains an SDK error by its cause. The error itself may only say "Failed to start Workflow". */
function explained(error: unknown): unknown {
  const grpc = error instanceof CliError ? null : grpcErrorOf(error);
  if (!grpc) return error;
  const { address, namespace } = loadConfig().temporal;
  const where = `Temporal at ${address}, namespace ${namespace}`;
  if (/search attribute/i.test(grpc.details))
    return new CliError(
      EXIT.failed,
      'search-attributes',
      `${where} lacks search attributes: ${grpc.details}`,
      [
        'start a worker, which registers them: sluice worker',
        ...registerCommands(namespace, SEARCH_ATTRIBUTE_NAMES),
      ],
    );
  if (DENIED.includes(grpc.code))
    return new CliError(
      EXIT.unreachable,
      'permission-denied',
      `${where}, refuses access: ${grpc.details}`,
      [TEMPORAL_REMEDY],
    );
  if (/namespace .*not found/i.test(grpc.details))
    return new CliError(EXIT.unreachable, 'no-namespace', `${where}: ${grpc.details}`, [
      TEMPORAL_REMEDY,
    ]);
  if (AWAY.includes(grpc.code))
    return new CliError(
      EXIT.unreachable,
      'unreachable',
      `${where}, does not answer: ${grpc.details}`,
      [TEMPORAL_REMEDY],
    );
  return new CliError(EXIT.failed, 'temporal', `${where}: ${grpc.details}`);
}
