// Starts a separate stack for tests that need real services. It has its own name and ports, and its
// state is deleted at the end. SLUICE_TEST_STACK=running uses the stack that the environment names
// instead (`npm run -s stack -- env`), and does not stop it.
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import pg from 'pg';
import { buildPipeline } from '../../examples/daily-revenue/pipeline.js';
import { startPostgres } from '../../stack/services/postgres.js';
import { stackHome, type StackHome } from '../../stack/paths.js';
import { environment, reset, up, type OptionalService } from '../../stack/stack.js';
import { otherDatabase, ownedBy, WORKERS } from './workers.js';

const ALREADY_EXISTS = 6; // a status code of gRPC
const say = (line: string): void => console.error(`stack: ${line}`);

export default function setup(): Promise<() => Promise<void>> {
  return setupWith();
}

interface Wanted {
  readonly optional?: readonly OptionalService[];
  readonly secure?: boolean;
}

/**
 * Several suites of one run share the stack. The first one starts it, and removes it at the end.
 */
export async function setupWith(wanted: Wanted = {}): Promise<() => Promise<void>> {
  const { optional = [], secure = false } = wanted;
  // The pipeline is built here, because two files that build it at the same time would disturb each
  // other. The suites `registry` and `secure-migration` do not need it. The suites `secure` and
  // `e2e-secure` build it themselves.
  if (!secure && !optional.includes('registry')) await buildPipeline(say);
  if (process.env['SLUICE_TEST_STACK'] === 'running') {
    await provideOwned();
    return () => Promise.resolve();
  }
  const remove = await freshStack((home) => up(home, say, optional, { secure }), provideOwned);
  process.env['SLUICE_TEST_STACK'] = 'running';
  return remove;
}

/** Starts Postgres without the other services of the stack. */
export async function setupPostgres(): Promise<() => Promise<void>> {
  if (process.env['SLUICE_TEST_STACK'] === 'running') {
    await provideLedgers();
    return () => Promise.resolve();
  }
  return freshStack((home) => startPostgres(home, say), provideLedgers);
}

/**
 * Empties the stack, starts it with `start`, and then calls `provide`. Returns a function that
 * removes the stack.
 */
async function freshStack(
  start: (home: StackHome) => Promise<void>,
  provide: () => Promise<void>,
): Promise<() => Promise<void>> {
  process.env['SLUICE_STACK_NAME'] ??= 'test';
  process.env['SLUICE_STACK_PORT_BASE'] ??= '18400';
  const home = stackHome();
  await reset(home, say);
  try {
    await start(home);
    Object.assign(process.env, environment(home));
    await provide();
  } catch (error) {
    await reset(home, say);
    throw error;
  }
  return () => reset(home, say);
}

/** Creates the namespaces and ledgers of all workers of vitest, where they do not exist yet. */
async function provideOwned(): Promise<void> {
  await provideLedgers();
  const connection = await Connection.connect({ address: process.env['TEMPORAL_ADDRESS']! });
  try {
    for (let worker = 1; worker <= WORKERS; worker += 1)
      await provideNamespace(connection, ownedBy(worker).namespace);
  } finally {
    await connection.close();
  }
}

async function provideLedgers(): Promise<void> {
  const url = process.env['SLUICE_LEDGER_URL']!;
  const admin = new pg.Client({ connectionString: otherDatabase(url, 'postgres') });
  await admin.connect();
  try {
    for (let worker = 1; worker <= WORKERS; worker += 1) {
      const { ledger } = ownedBy(worker);
      const known = await admin.query('SELECT FROM pg_database WHERE datname = $1', [ledger]);
      if (known.rowCount === 0) await admin.query(`CREATE DATABASE ${ledger}`);
    }
  } finally {
    await admin.end();
  }
}

async function provideNamespace({ workflowService }: Connection, namespace: string): Promise<void> {
  const workflowExecutionRetentionPeriod = msToTs('1d');
  try {
    await workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod });
  } catch (error) {
    if ((error as { code?: number }).code !== ALREADY_EXISTS) throw error;
  }
}
