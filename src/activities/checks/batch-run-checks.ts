// Read-only checks of where the batch's runs are seen: its run log, or sessions by their application name.
import type pg from 'pg';
import { readTable, type Column } from '../../clients/postgres/catalog.js';
import type { Check } from '../../domain/evidence/check.js';
import { plainIdent, qualified, quoteIdent } from '../../domain/migration/names.js';
import type { BatchSpec } from '../../domain/migration/spec.js';
import { attempt, type Answer } from '../runtime/findings.js';

export async function checkRuns(
  client: pg.ClientBase,
  runs: NonNullable<BatchSpec['runs']>,
): Promise<Check> {
  if ('table' in runs)
    return attempt('batch.runs', () => checkRunLog(client, runs.table), runs.table);
  return attempt('batch.runs', () => checkSessions(client, runs.application), runs.application);
}

/** Sessions of other roles show their state to pg_read_all_stats alone: without it an idle one of a pool would hold the cut-over up for good. */
async function checkSessions(client: pg.ClientBase, application: string): Promise<Answer> {
  const { rows } = await client.query<Record<string, string>>(
    `SELECT pg_has_role('pg_read_all_stats', 'USAGE')::text AS may, current_user AS us`,
  );
  if (rows[0]!['may'] === 'true') return `sessions of application ${application} are visible`;
  return {
    detail: 'the activity of other roles is not visible',
    remedy: `GRANT pg_read_all_stats TO ${plainIdent(rows[0]!['us']!)}`,
  };
}

async function checkRunLog(client: pg.ClientBase, runs: string): Promise<Answer> {
  const table = await readTable(client, runs);
  if (!table) return { detail: 'no such table', remedy: 'correct batch.runs.table' };
  const missing = ['run_id', 'cut_at', 'started_at', 'finished_at'].filter(
    (name) => !table.columns.some((c) => c.name === name),
  );
  if (missing.length === 0) {
    const denied = await deniedRead(client, qualified(table.name));
    if (denied) return denied;
  }
  return missing.length === 0
    ? 'the run log can be read'
    : {
        detail: `the run log lacks ${missing.join(', ')}`,
        remedy: 'log run_id, cut_at, started_at and finished_at (null while running)',
      };
}

/** Read, not deduced: a right on the table without one on its schema is none. */
async function deniedRead(client: pg.ClientBase, table: string): Promise<Answer | null> {
  try {
    await client.query(`SELECT run_id, cut_at, started_at, finished_at FROM ${table} LIMIT 1`);
    return null;
  } catch (error) {
    if ((error as { code?: unknown }).code !== '42501') throw error;
    const { rows } = await client.query<{ us: string }>('SELECT current_user AS us');
    const us = quoteIdent(rows[0]!.us);
    return {
      detail: `not readable: ${(error as Error).message}`,
      remedy: `GRANT USAGE ON SCHEMA ${table.slice(0, table.indexOf('.'))} TO ${us}; GRANT SELECT ON ${table} TO ${us}`,
    };
  }
}

export const missingColumns = (wanted: readonly Column[], present: readonly Column[]): string[] =>
  wanted.map((c) => c.name).filter((name) => !present.some((c) => c.name === name));
