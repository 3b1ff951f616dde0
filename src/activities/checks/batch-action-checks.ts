// Checks that Postgres accepts the statements in batch.pause, batch.resume and batch.retire. They
// are parsed, never run. Without this check, a wrong `retire` would fail only when a rollback is no
// longer possible.
import { parseSync } from 'libpg-query';
import type pg from 'pg';
import { list, walk } from '../../assess/sql/ast.js';
import { loadParser } from '../../assess/sql/analyse.js';
import { countParameters } from '../../clients/postgres/single-statement.js';
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
  const refused = (detail: string): Answer => ({
    detail,
    remedy: `correct ${subject}, because it cannot be changed while the migration runs`,
  });
  const problem = await parameterProblem(sql);
  if (problem !== null) return refused(problem);
  try {
    const count = await countParameters(client, sql);
    if (sql.includes('$1') && count === 0)
      return refused(
        'it is a statement in which Postgres accepts no parameter, but it has $1. Write a SELECT, INSERT, UPDATE, DELETE or CALL that uses $1, or remove $1',
      );
    return 'Postgres accepts the statement';
  } catch (error) {
    if (hasSeveralStatements(error)) return 'Postgres can parse the statements';
    if (!isTextRefused(error)) throw error;
    return refused(`Postgres refuses the statement: ${classify(error).message}`);
  }
}

/**
 * Returns why Postgres would refuse a parameter when the statement runs, or null. Postgres
 * takes a parameter only for a single statement, and not inside a text, a comment or a DO block.
 * Returns null for a text that has a syntax error, which Postgres itself explains.
 */
async function parameterProblem(sql: string): Promise<string | null> {
  if (!/\$\d/.test(sql)) return null;
  await loadParser();
  let tree: unknown;
  try {
    tree = parseSync(sql);
  } catch {
    return null;
  }
  const numbers = new Set<number>();
  walk(tree, ({ kind, node }) => {
    // the parser omits a number that is 0
    if (kind === 'ParamRef') numbers.add(Number(node['number'] ?? 0));
  });
  const other = [...numbers].find((number) => number !== 1);
  if (other !== undefined) return `it has the parameter $${other}, but only $1 has a value`;
  if (!sql.includes('$1'))
    return numbers.has(1) ? 'it writes the parameter $1 with leading zeros; write $1' : null;
  if (list(tree, 'stmts').length > 1)
    return 'it has several statements, and Postgres accepts the parameter $1 only in a single statement';
  return numbers.has(1)
    ? null
    : '$1 is inside a text, a comment or a DO block, where it is no parameter';
}

/**
 * Recognizes a text with several statements. Postgres refuses to prepare such a text only after it
 * has parsed all of its statements, so their syntax is right.
 */
const hasSeveralStatements = (error: unknown): boolean =>
  codeOf(error) === SQLSTATE.syntaxError &&
  error instanceof Error &&
  error.message.includes('multiple commands');
