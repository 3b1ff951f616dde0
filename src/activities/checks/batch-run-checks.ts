// Checks that Sluice can see the batch's runs, either in the run log or by the application name of
// the batch's sessions. The checks only read.
import { hasState, SQLSTATE } from '../../domain/values/sqlstate.js';
import type pg from 'pg';
import { LOGGED_TIMES, zonedRemedy } from '../../clients/postgres/batch-runs.js';
import { readTable, type Column } from '../../clients/postgres/catalog.js';
import type { Check } from '../../domain/evidence/check.js';
import { plainIdent, qualified, quoteIdent } from '../../domain/migration/names.js';
import type { BatchSpec } from '../../domain/migration/spec.js';
import { attempt, type Answer } from '../runtime/make-finding.js';

export async function checkRuns(
  client: pg.ClientBase,
  runs: NonNullable<BatchSpec['runs']>,
): Promise<Check> {
  if ('table' in runs)
    return attempt('batch.runs', () => checkRunLog(client, runs.table), runs.table);
  return attempt('batch.runs', () => checkSessions(client, runs.application), runs.application);
}

/**
 * Checks that the role can see whether the batch's sessions are active. If it cannot, an idle
 * session of a connection pool would count as a run and delay the cut-over forever.
 */
async function checkSessions(client: pg.ClientBase, application: string): Promise<Answer> {
  const { rows } = await client.query<Record<string, string>>(
    `SELECT pg_has_role('pg_read_all_stats', 'USAGE')::text AS may, current_user AS us`,
  );
  if (rows[0]!['may'] === 'true')
    return `the role can see the sessions of application ${application}`;
  return {
    detail: 'the role cannot see what sessions of other roles do',
    remedy: `GRANT pg_read_all_stats TO ${plainIdent(rows[0]!['us']!)}`,
  };
}

async function checkRunLog(client: pg.ClientBase, runs: string): Promise<Answer> {
  const table = await readTable(client, runs);
  if (!table) return { detail: 'the table does not exist', remedy: 'correct batch.runs.table' };
  const missing = ['run_id', 'cut_at', 'started_at', 'finished_at'].filter(
    (name) => !table.columns.some((c) => c.name === name),
  );
  if (missing.length > 0)
    return {
      detail: `the run log lacks ${missing.join(', ')}`,
      remedy:
        'add the columns run_id, cut_at, started_at and finished_at (NULL while a run is active)',
    };
  const denied = await deniedRead(client, qualified(table.name));
  if (denied) return denied;
  const times = table.columns.filter(({ name }) => LOGGED_TIMES.some((time) => time === name));
  const unzoned = times.filter(({ type }) => type !== 'timestamptz');
  if (unzoned.length === 0) return 'the role can read the run log';
  return {
    detail: `the run log stores ${unzoned.map((c) => `${c.name} as ${c.declared}`).join(', ')}, and nothing says which moments these values name`,
    remedy: zonedRemedy(qualified(table.name), table.kind, unzoned),
  };
}

/**
 * Tries to read the run log. A privilege on the table alone is not enough, because the role also
 * needs a privilege on the table's schema. Returns null if the role can read the run log.
 */
async function deniedRead(client: pg.ClientBase, table: string): Promise<Answer | null> {
  try {
    await client.query(`SELECT run_id, cut_at, started_at, finished_at FROM ${table} LIMIT 1`);
    return null;
  } catch (error) {
    if (!hasState(error, SQLSTATE.insufficientPrivilege)) throw error;
    const { rows } = await client.query<{ us: string }>('SELECT current_user AS us');
    const us = quoteIdent(rows[0]!.us);
    return {
      detail: `the role cannot read the run log: ${(error as Error).message}`,
      remedy: `GRANT USAGE ON SCHEMA ${table.slice(0, table.indexOf('.'))} TO ${us}; GRANT SELECT ON ${table} TO ${us}`,
    };
  }
}

export const missingColumns = (wanted: readonly Column[], present: readonly Column[]): string[] =>
  wanted.map((c) => c.name).filter((name) => !present.some((c) => c.name === name));
