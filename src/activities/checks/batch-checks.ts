// Checks the batch (queries, result table, closed keys, run log, actions), the sink's table, the
// route and the fence, read-only.
import { codeOf } from '../../domain/values/sqlstate.js';
import type pg from 'pg';
import { describeQuery, readTable, type Column } from '../../clients/postgres/catalog.js';
import { parseCondition } from '../../clients/postgres/single-statement.js';
import { readDatabases, type Databases } from '../../clients/postgres/target-connection.js';
import { isProvable } from '../../compare/column-types.js';
import { NOT_IN_KEYS } from '../../compare/types/further-types.js';
import { whyUnproven } from '../../compare/types/unproven.js';
import type { Check } from '../../domain/evidence/check.js';
import { quoteIdent } from '../../domain/migration/names.js';
import type { BatchPlan, ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { BatchSpec } from '../../domain/migration/spec.js';
import { closedAt } from '../../domain/evidence/subjects.js';
import { settledBecause } from '../../domain/plan/planned-subjects.js';
import type { Deps } from '../runtime/deps.js';
import { because } from '../../domain/values/or-reason.js';
import { guardProblem } from '../cutover/trigger-checks.js';
import { alignQueries } from './queries/align-queries.js';
import { checkReads } from './queries/query-reads.js';
import { checkRun } from './queries/query-run.js';
import { attempt, failed, type Answer } from '../runtime/make-finding.js';
import { checkRoute } from '../cutover/routes/index.js';
import { checkActions } from './batch-action-checks.js';
import { checkRuns, missingColumns } from './batch-run-checks.js';
import { checkSimilarNames, checkSink } from './sink-checks.js';
import { withPartitions } from '../../clients/postgres/partitions.js';

export async function checkBatch(
  { secret }: Pick<Deps, 'secret'>,
  plan: ResolvedPlan,
): Promise<Check[]> {
  const { batch, sink } = plan;
  if (!batch) return [];
  try {
    return await readDatabases(plan, secret, async (databases) => [
      ...(await checkQueries(databases, plan, batch)),
      await attempt('batch.result', () => checkResult(databases, batch), batch.result.table),
      ...(batch.runs ? [await checkRuns(databases.target, batch.runs)] : []),
      ...(await checkActions(databases.target, batch)),
      ...(plan.spec.validation.closedKeys
        ? [
            await attempt(
              'batch.closed-keys',
              () => checkClosedKeys(databases.target, batch, plan.spec.validation.closedKeys),
              batch.result.table,
            ),
          ]
        : []),
      ...(sink
        ? [
            await attempt(
              'sink.table',
              () => checkSink(databases, plan, batch, sink),
              sink.writes.stream.text,
            ),
            await attempt(
              'sink.similar-names',
              () => checkSimilarNames(databases.target, batch, sink),
              sink.writes.stream.text,
            ),
          ]
        : []),
      ...(await checkRoute(databases, plan, secret)),
      ...(plan.fence.kind === 'source'
        ? [await attempt('fence.source', () => checkFence(databases.source, plan))]
        : []),
    ]);
  } catch (error) {
    return [
      failed(
        'batch.query',
        '',
        `cannot connect: ${(error as Error).message}`,
        'follow the remedy of source.reachable or target.reachable',
      ),
    ];
  }
}

/**
 * Checks the columns that the query of the result and of each stage returns. If the columns fit,
 * also checks which tables the query reads, and runs the query. With `validation.results: exact`,
 * also names the mode of its comparison.
 */
async function checkQueries(
  databases: Databases,
  plan: ResolvedPlan,
  batch: BatchPlan,
): Promise<Check[]> {
  const { source: client } = databases;
  const checks: Check[] = [];
  const result = { name: '', query: batch.query, key: batch.result.key };
  for (const { name, query, key } of [result, ...batch.stages]) {
    const shape = await attempt(
      name ? 'batch.stage' : 'batch.query',
      () => checkQuery(client, plan, { subject: name || 'result', sql: query.sql, keys: key }),
      name,
    );
    checks.push(shape);
    if (shape.status !== 'passed') continue;
    checks.push(await attempt('batch.reads', () => checkReads(client, plan, query.sql), name));
    checks.push(
      await attempt(
        'batch.run',
        () => checkRun(databases, plan, query.sql, key, name === ''),
        name,
      ),
    );
    if (plan.spec.validation.results === 'exact')
      checks.push(await attempt('batch.aligned', () => sayMode(client, plan, batch), name));
  }
  return checks;
}

/**
 * Names the mode in which windows compare the queries. If one query cannot be aligned, or if the
 * spec makes exact mode impossible, windows compare all of them in settled rounds. Both modes prove
 * the result, so neither counts as a failure.
 */
async function sayMode(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  { stages, query }: BatchPlan,
): Promise<string> {
  const queries = [...stages, { name: 'result', query }].map((of) => ({
    subject: of.name,
    sql: of.query.sql,
  }));
  const settled = settledBecause(plan);
  const aligned = settled ? because(settled) : await alignQueries(client, plan, queries);
  return aligned.ok
    ? 'windows compare the query exactly, at a still point of the pipeline'
    : `windows compare the query in settled rounds, because ${aligned.reason}`;
}

interface ComparedQuery {
  /** The name of a stage, or `result`. */
  readonly subject: string;
  readonly sql: string;
  readonly keys: readonly string[];
}

async function checkQuery(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  query: ComparedQuery,
): Promise<Answer> {
  return judgeColumns(await describeQuery(client, query.sql), query, plan.spec.validation.compare);
}

/** Judges the columns of a query. `compare.ignore` does not exempt columns of the key. */
export function judgeColumns(
  columns: readonly Pick<Column, 'name' | 'type'>[],
  { subject, keys }: Pick<ComparedQuery, 'subject' | 'keys'>,
  { ignore }: { readonly ignore: readonly string[] },
): Answer {
  const names = columns.map((c) => c.name);
  const absent = keys.filter((key) => !names.includes(key));
  if (absent.length > 0)
    return {
      detail: `the query does not return these key columns: ${absent.join(', ')}; it returns ${names.join(', ')}`,
      remedy: 'make the query return the key columns',
    };
  const odd = columns.filter(
    ({ name, type }) => keys.includes(name) && (!isProvable(type) || NOT_IN_KEYS.has(type)),
  );
  if (odd.length > 0)
    return {
      detail: `these key columns cannot be compared: ${odd.map((c) => `${c.name} (${c.type})`).join(', ')}`,
      remedy: 'cast them in the query',
    };
  const ignored = new Set(ignore);
  const weak = columns.filter(
    ({ name, type }) =>
      !isProvable(type) && !ignored.has(name) && !ignored.has(`${subject}.${name}`),
  );
  if (weak.length > 0)
    return {
      detail: `these columns cannot be proven equal: ${weak.map((c) => `${c.name} (${c.type}: ${whyUnproven(c.type)})`).join(', ')}`,
      remedy: 'cast them in the query, or list them in validation.compare.ignore',
    };
  return `the query returns ${names.join(', ')}`;
}

async function checkResult({ source, target }: Databases, batch: BatchSpec): Promise<Answer> {
  const table = await readTable(target, batch.result.table);
  if (!table) return { detail: 'the table does not exist', remedy: 'correct batch.result.table' };
  const missing = missingColumns(await describeQuery(source, batch.query.sql), table.columns);
  return missing.length === 0
    ? 'the result table has the columns of the query'
    : {
        detail: `the result table lacks these columns of the query: ${missing.join(', ')}`,
        remedy: 'make batch.query compute what the batch stores',
      };
}

/**
 * Checks that the condition `validation.closedKeys` reads only columns of the key. Windows also
 * evaluate the condition for keys that only the stream has. For such a key, no other columns are
 * known.
 */
async function checkClosedKeys(
  client: pg.ClientBase,
  batch: BatchPlan,
  closedKeys: string,
): Promise<Answer> {
  const keys = batch.result.key.map(quoteIdent).join(', ');
  const closed = closedAt(closedKeys, new Date(0).toISOString());
  try {
    await parseCondition(client, closed, keys, batch.resultTable.sql);
    return `${closedKeys} reads only columns of the key`;
  } catch (error) {
    if (!isSqlMistake(error)) throw error;
    return {
      detail: (error as Error).message,
      remedy: `write validation.closedKeys as SQL over (${keys}) and $cut, for example: day < $cut::date`,
    };
  }
}

/** Returns true for SQLSTATE class 42: wrong syntax, names or types. */
const isSqlMistake = (error: unknown): boolean => codeOf(error).startsWith('42');

/**
 * Checks the privileges that the fence's triggers need, so that a missing privilege is found before
 * a cut-over begins.
 */
async function checkFence(client: pg.ClientBase, plan: ResolvedPlan): Promise<Answer> {
  const { tables } = plan;
  const { rows } = await client.query<Record<string, string>>(
    `SELECT relid::regclass::text AS t FROM unnest($1::text[]) AS root, LATERAL ${withPartitions('root::regclass')} AS tree
       WHERE NOT has_table_privilege(relid, 'TRIGGER')
     UNION ALL SELECT 'language plpgsql' WHERE NOT EXISTS (SELECT FROM pg_language WHERE lanname = 'plpgsql' AND has_language_privilege(oid, 'USAGE'))`,
    [tables.map(({ sql }) => sql)],
  );
  if (rows.length === 0)
    return (
      (await guardProblem(client, plan, 'fence')) ??
      `the role may create triggers on ${tables.map(({ text }) => text).join(', ')}`
    );
  const missing = rows.map((row) => row['t']!).join(', ');
  return {
    detail: `the role cannot create triggers: it lacks privileges on ${missing}`,
    remedy: `GRANT TRIGGER ON ${missing} TO ${plan.spec.source.postgres.user}`,
  };
}
