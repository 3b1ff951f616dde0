// Checks that Postgres accepts the statements in batch.pause, batch.resume and batch.retire. They
// are parsed, never run. Without this check, a wrong `retire` would fail only when a rollback is no
// longer possible.
import type pg from 'pg';
import { describeStatement } from '../../clients/postgres/single-statement.js';
import type { Check } from '../../domain/evidence/check.js';
import type { BatchSpec } from '../../domain/migration/spec.js';
import { codeOf, isTextRefused, SQLSTATE } from '../../domain/values/sqlstate.js';
import { classify } from '../runtime/application-failure.js';
import { attempt, type Answer } from '../runtime/make-finding.js';

const ACTIONS = ['pause', 'resume', 'retire'] as const;

/** `client` MUST be connected to the target, where the statements run. */
export async function checkActions(client: pg.ClientBase, batch: BatchSpec): Promise<Check[]> {
  const checks: Check[] = [];
  for (const action of ACTIONS) {
    const wanted = batch[action];
    if (!wanted || !('sql' in wanted)) continue;
    const { sql } = wanted;
    const subject = `batch.${action}`;
    checks.push(await attempt('batch.actions', () => checkAction(client, subject, sql), subject));
  }
  return checks;
}

async function checkAction(client: pg.ClientBase, subject: string, sql: string): Promise<Answer> {
  try {
    await describeStatement(client, sql);
    return 'Postgres accepts the statement';
  } catch (error) {
    if (hasSeveralStatements(error)) return 'Postgres can parse the statements';
    if (!isTextRefused(error)) throw error;
    return {
      detail: `Postgres refuses the statement: ${classify(error).message}`,
      remedy: `correct ${subject}, because it cannot be changed while the migration runs`,
    };
  }
}

/**
 * Recognizes a text with several statements. Postgres refuses to prepare such a text only after it
 * has parsed all of its statements, so their syntax is right.
 */
const hasSeveralStatements = (error: unknown): boolean =>
  codeOf(error) === SQLSTATE.syntaxError &&
  error instanceof Error &&
  error.message.includes('multiple commands');
