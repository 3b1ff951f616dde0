// sluice list: prints the newest iteration of every migration in the ledger, with its state in
// Temporal.
import type { Client } from '@temporalio/client';
import type { MigrationRecord } from '../clients/ledger/ledger.js';
import type { Status } from '../domain/evidence/ledger-rows.js';
import type { Standing } from '../domain/migration/run-standing.js';
import { stateOf } from '../report/state-words.js';
import {
  emptyStatus,
  standingIn,
  withClientOrNull,
  withLedger,
} from './support/migration-source.js';
import { EXIT, print, say, table, type Format } from './support/output.js';
import { lookAt } from './support/ask-run-state.js';
import { migrationId } from '../domain/migration/workflow-ids.js';

const AT_ONCE = 10;

export async function list(options: { output: Format }): Promise<number> {
  const found = await newestOfEach();
  const items = found.map(({ record, status }) => ({
    name: record.name,
    iteration: record.iteration,
    phase: status.phase,
    outcome: record.outcome,
    blocked: status.blocked?.code ?? null,
    needsApproval: status.needsApproval,
    startedAt: record.started_at.toISOString(),
    updatedAt: record.updated_at.toISOString(),
    state: stateOf(status),
    problem: status.standing?.problem ?? null,
  }));
  await print(items, options.output, () =>
    items.length === 0
      ? 'no migrations'
      : table(
          ['NAME', 'ITERATION', 'PHASE', 'STATE', 'STARTED', 'AS OF'],
          items.map((m) => [
            m.name,
            String(m.iteration),
            m.phase ?? '-',
            m.state,
            m.startedAt,
            m.updatedAt,
          ]),
        ),
  );
  for (const problem of new Set(
    items.flatMap((m) =>
      m.problem
        ? [`${m.state.includes('Temporal does not answer') ? '' : `${m.name}: `}${m.problem}`]
        : [],
    ),
  ))
    say(problem);
  return EXIT.ok;
}

export interface Listed {
  readonly record: MigrationRecord;
  readonly status: Status & { readonly standing?: Standing };
}

/** Reads the ledger, and asks Temporal about each migration that has not ended, a few at a time. */
export async function newestOfEach(): Promise<Listed[]> {
  const records = await withLedger((ledger) => ledger.migrations());
  const newest = records.filter((record, at) => records[at - 1]?.name !== record.name);
  if (newest.every((record) => record.outcome !== null))
    return newest.map((record) => ({ record, status: statusOf(record) }));
  return withClientOrNull(async (client, problem) => {
    const listed: Listed[] = [];
    for (let from = 0; from < newest.length; from += AT_ONCE)
      listed.push(
        ...(await Promise.all(
          newest.slice(from, from + AT_ONCE).map((record) => withStanding(record, client, problem)),
        )),
      );
    return listed;
  });
}

const statusOf = (record: MigrationRecord): Status =>
  record.status ?? {
    ...emptyStatus(migrationId(record.name), record.iteration, record.generation),
    outcome: record.outcome,
  };

async function withStanding(
  record: MigrationRecord,
  client: Client | null,
  problem: string,
): Promise<Listed> {
  const status = statusOf(record);
  if (record.outcome !== null) return { record, status };
  const look = await lookAt(migrationId(record.name), client, problem, null);
  return { record, status: standingIn(status, look, record, null) };
}
