// Reads the state of a migration, from its running workflow or else from the ledger. The verbs (the
// commands of `sluice`) load this file only when they run, because `--help` needs neither Temporal
// nor the ledger.
import type { Client } from '@temporalio/client';
import { loadConfig } from '../../wiring/config.js';
import { Ledger, type MigrationRecord } from '../../clients/ledger/ledger.js';
import type { Status, StatusWithWindows } from '../../domain/evidence/ledger-rows.js';
import {
  judgeStanding,
  type Recorded,
  type Standing,
} from '../../domain/migration/run-standing.js';
import { CliError, EXIT } from './output.js';
import { lookAt, within, type Look } from './ask-run-state.js';
import { withClientOrNull } from './temporal-client.js';
import { nameOf, workflowIdOf } from '../../domain/migration/workflow-ids.js';

export { withClient, withClientOrNull, withRunning } from './temporal-client.js';

/**
 * Opens the ledger, read-only unless `writes` is set. Returns undefined if SLUICE_LEDGER_URL is not
 * set. The caller MUST close the ledger.
 */
export function openLedger({ writes = false } = {}): Ledger | undefined {
  const { ledgerUrl } = loadConfig();
  return ledgerUrl ? new Ledger(ledgerUrl, { readOnly: !writes }) : undefined;
}

/**
 * Throws an error with exit code 2 if SLUICE_LEDGER_URL is not set. Verbs that only show data of
 * the ledger need this check.
 */
export function requireLedger(): void {
  if (loadConfig().ledgerUrl === undefined)
    throw new CliError(
      EXIT.usage,
      'no-ledger',
      'SLUICE_LEDGER_URL is not set; it names the database that stores windows and evidence',
      ['export SLUICE_LEDGER_URL=postgres://…'],
    );
}

/**
 * Calls `use` with the ledger, opened read-only. With `writes`, `use` may write, and missing tables
 * are created. Throws an error with exit code 2 if SLUICE_LEDGER_URL is not set.
 */
export async function withLedger<T>(
  use: (ledger: Ledger) => Promise<T>,
  { writes = false } = {},
): Promise<T> {
  requireLedger();
  const ledger = openLedger({ writes })!;
  try {
    if (writes) await ledger.migrate();
    return await use(ledger);
  } finally {
    await ledger.close();
  }
}

const queryStatus = (id: string, client: Client | null): Promise<Status | null> =>
  client
    ? within(client, () =>
        client.workflow.getHandle(workflowIdOf(id)).query<Status>('status'),
      ).catch(() => null)
    : Promise.resolve(null);

/**
 * Reads the live status if a worker answers and the ledger has no outcome of this run. Otherwise,
 * reads the last status in the ledger. If the newest run never wrote to the ledger, this is the
 * status of the previous run.
 */
export async function readStatus(id: string): Promise<StatusWithWindows> {
  const ledger = openLedger();
  try {
    return await withClientOrNull((client, problem) => readStatusWith(id, client, ledger, problem));
  } finally {
    await ledger?.close();
  }
}

export async function readStatusWith(
  id: string,
  client: Client | null,
  ledger: Ledger | undefined,
  problem = '',
): Promise<StatusWithWindows> {
  const live = await queryStatus(id, client);
  const look = await lookAt(id, client, problem, live !== null);
  const recorded = ledger
    ? (await ledger.migrations(nameOf(id)).catch((error: unknown) => orEmpty(error, live)))[0]
    : undefined;
  // An outcome in the ledger is final. Temporal still answers a query about a workflow that was
  // terminated, with the last status before its end.
  const isFinal = recorded?.outcome && recorded.iteration >= (live?.iteration ?? 0);
  const status = live && live.iteration > 0 && !isFinal ? live : (recorded?.status ?? live);
  const isKnown = look.seen.kind === 'workflow' && look.seen.workflow.status === 'RUNNING';
  if (!status && !recorded && !isKnown) {
    // The ledger may not know a new run yet. Only Temporal can then say whether the run exists.
    if (look.seen.kind === 'unreachable')
      throw new CliError(
        EXIT.unreachable,
        'unreachable',
        `${ledger ? `the ledger does not know migration ${nameOf(id)}, and ` : ''}${look.seen.problem}`,
        ['check TEMPORAL_ADDRESS'],
      );
    const nobody = `no migration ${nameOf(id)} is known${ledger ? '' : ' to Temporal (and SLUICE_LEDGER_URL is not set)'}`;
    throw new CliError(EXIT.failed, 'not-found', nobody, ['sluice list']);
  }
  const shown = status ?? {
    ...emptyStatus(id, recorded?.iteration ?? 0, recorded?.generation ?? 0),
    outcome: recorded?.outcome ?? null,
  };
  const windows =
    ledger && status
      ? await ledger
          .windows(status.name, status.iteration)
          .catch((error: unknown) => orEmpty(error, live))
      : [];
  return { ...standingIn(shown, look, recorded, live), windows };
}

/**
 * Completes a status with what Temporal knows about the run. A dead run, such as a terminated one,
 * can neither be approved nor continue. The next commands in its status are therefore the commands
 * for cleaning up.
 */
export function standingIn(
  status: Status,
  look: Look,
  recorded: MigrationRecord | undefined,
  live: Status | null,
): Status & { standing: Standing } {
  const standing = judgeStanding(
    look.seen,
    recorded ? recordedOf(recorded, look, live) : null,
    new Date().toISOString(),
    look.waits,
  );
  if (!standing.isDead || status.outcome !== null) return { ...status, standing };
  return { ...status, needsApproval: false, next: standing.remedy, standing };
}

const recordedOf = (
  { updated_at, outcome, status, run_key }: MigrationRecord,
  { runKey }: Look,
  live: Status | null,
): Recorded => ({
  at: updated_at.toISOString(),
  hasEnded: outcome !== null,
  isCommitted: (live ?? status)?.route?.side === 'stream',
  isOlderRun: runKey !== null && runKey !== run_key && (live?.iteration ?? 0) === 0,
});

/** Ignores an error of the ledger if there is a live status. Otherwise it throws the error. */
function orEmpty(error: unknown, live: Status | null): [] {
  if (live) return [];
  throw error;
}

/** Returns the status of a migration about which nothing is known yet. */
export function emptyStatus(id: string, iteration: number, generation: number): Status {
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
    waiting: null,
    next: [],
  };
}
