// Read-only checks of the batch, its query, its run log and the sink's table.
import type pg from 'pg';
import { describeQuery, readTable, type Column } from '../../clients/postgres/catalog.js';
import { parseCondition } from '../../clients/postgres/lone-sql.js';
import { readSource, type SourceClient } from '../../clients/postgres/connection.js';
import { isProvable } from '../../compare/column-types.js';
import type { Check } from '../../domain/evidence/check.js';
import { plainIdent, qualified, quoteIdent, type Relation } from '../../domain/migration/names.js';
import type { BatchPlan, ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { BatchSpec } from '../../domain/migration/spec.js';
import { closedAt } from '../../domain/migration/subjects.js';
import type { Deps } from '../runtime/deps.js';
import { guardProblem } from './guarded.js';
import { checkReads } from './query-reads.js';
import { checkRun } from './query-run.js';
import { attempt, failed, type Answer } from '../runtime/findings.js';
import { checkRoute } from './view-checks.js';

export async function checkBatch(
  { secret }: Pick<Deps, 'secret'>,
  plan: ResolvedPlan,
): Promise<Check[]> {
  const { batch, sink } = plan;
  if (!batch) return [];
  const { user } = plan.spec.source.postgres;
  try {
    return await readSource(plan, secret, async (client) => [
      ...(await checkQueries(client, plan, batch)),
      await attempt('batch.result', () => checkResult(client, batch), batch.result.table),
      ...(batch.runs ? [await checkRuns(client, batch.runs)] : []),
      ...(plan.spec.validation.closedKeys
        ? [
            await attempt(
              'batch.closed-keys',
              () => checkClosedKeys(client, batch, plan.spec.validation.closedKeys),
              batch.result.table,
            ),
          ]
        : []),
      ...(sink && plan.route.kind !== 'table'
        ? [
            await attempt(
              'sink.table',
              () => checkSinkTable(client, sink.writes.stream, batch, user),
              sink.writes.stream.text,
            ),
          ]
        : []),
      ...(await checkRoute(client, plan, secret)),
      ...(plan.fence.kind === 'source'
        ? [await attempt('fence.source', () => checkFence(client, plan))]
        : []),
    ]);
  } catch (error) {
    return [
      failed(
        'batch.query',
        '',
        `cannot connect: ${(error as Error).message}`,
        'see source.reachable',
      ),
    ];
  }
}

/** Of the result and of each stage: its columns; then, where these fit, what it depends on, and what it gives when it runs. */
async function checkQueries(
  client: SourceClient,
  plan: ResolvedPlan,
  batch: BatchPlan,
): Promise<Check[]> {
  const checks: Check[] = [];
  const result = { name: '', query: batch.query, key: batch.result.key };
  for (const { name, query, key } of [result, ...batch.stages]) {
    const shape = await attempt(
      name ? 'batch.stage' : 'batch.query',
      () => checkQuery(client, plan, query.sql, key),
      name,
    );
    checks.push(shape);
    if (shape.status !== 'passed') continue;
    checks.push(await attempt('batch.reads', () => checkReads(client, plan, query.sql), name));
    checks.push(
      await attempt('batch.run', () => checkRun(client, plan, query.sql, key, name === ''), name),
    );
  }
  return checks;
}

async function checkQuery(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  sql: string,
  keys: readonly string[],
): Promise<Answer> {
  const columns = await describeQuery(client, sql);
  const names = columns.map((c) => c.name);
  const absent = keys.filter((key) => !names.includes(key));
  if (absent.length > 0)
    return {
      detail: `the query has no column ${absent.join(', ')} of the key; it has ${names.join(', ')}`,
      remedy: 'let the query return the key columns',
    };
  const ignored = new Set(plan.spec.validation.compare.ignore);
  const weak = columns.filter((c) => !isProvable(c.type) && !ignored.has(c.name));
  if (weak.length > 0)
    return {
      detail: `cannot be proven: ${weak.map((c) => `${c.name} (${c.type})`).join(', ')}`,
      remedy: 'cast them in the query, or list them in validation.compare.ignore',
    };
  return `the query returns ${names.join(', ')}`;
}

async function checkResult(client: pg.ClientBase, batch: BatchSpec): Promise<Answer> {
  const table = await readTable(client, batch.result.table);
  if (!table) return { detail: 'no such table', remedy: 'correct batch.result.table' };
  const missing = missingColumns(await describeQuery(client, batch.query.sql), table.columns);
  return missing.length === 0
    ? 'the result table has the columns of the query'
    : {
        detail: `the result table lacks ${missing.join(', ')} of the query`,
        remedy: 'let batch.query compute what the batch stores',
      };
}

/** The condition may read the key's columns and nothing else: only then does it say the same of a key that the stream alone has. */
async function checkClosedKeys(
  client: pg.ClientBase,
  batch: BatchPlan,
  closedKeys: string,
): Promise<Answer> {
  const keys = batch.result.key.map(quoteIdent).join(', ');
  const closed = closedAt(closedKeys, new Date(0).toISOString());
  try {
    await parseCondition(client, closed, keys, batch.resultTable.sql);
    return `${closedKeys} can be asked of a key`;
  } catch (error) {
    if (!isSqlMistake(error)) throw error;
    return {
      detail: (error as Error).message,
      remedy: `write validation.closedKeys as SQL over (${keys}) and $cut, for example: day < $cut::date`,
    };
  }
}

/** SQLSTATE class 42: syntax, names, types. */
const isSqlMistake = (error: unknown): boolean =>
  typeof (error as { code?: unknown }).code === 'string' &&
  (error as { code: string }).code.startsWith('42');

async function checkRuns(
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
  if (rows[0]!['may'] === 'true') return `sessions of application ${application} can be seen`;
  return {
    detail: 'what sessions of other roles do cannot be seen',
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

/** A table that exists must fit and be empty (rows nobody wrote through the sink would read as differences); one that does not is created. */
async function checkSinkTable(
  client: pg.ClientBase,
  target: Relation,
  batch: BatchPlan,
  user: string,
): Promise<Answer> {
  const table = await readTable(client, target.text);
  if (!table) return createRight(client, user, target.schema);
  const lacks = await missingWrites(client, user, target.sql);
  if (lacks) return lacks;
  const missing = missingColumns(await describeQuery(client, batch.query.sql), table.columns);
  if (missing.length > 0)
    return {
      detail: `the sink table lacks ${missing.join(', ')}`,
      remedy: 'give it the columns of the batch query, or drop it and let us create it',
    };
  const key = [...table.key].sort().join();
  if (key !== [...batch.result.key].sort().join())
    return {
      detail: `the sink table's primary key is (${table.key.join(', ')}) ≠ (${batch.result.key.join(', ')})`,
      remedy: 'give it that primary key, or drop it and let us create it',
    };
  const rows = (await client.query(`SELECT 1 FROM ${target.sql} LIMIT 1`)).rows.length;
  return rows === 0
    ? 'exists, empty, fits'
    : { detail: 'the sink table is not empty', remedy: 'empty it, or name another table' };
}

async function createRight(
  client: pg.ClientBase,
  ourRole: string,
  schema: string,
): Promise<Answer> {
  const [name, user] = [quoteIdent(schema), quoteIdent(ourRole)];
  const { rows } = await client.query<Record<string, string>>(
    `SELECT (has_schema_privilege(oid, 'CREATE') AND has_schema_privilege(oid, 'USAGE'))::text AS may
     FROM pg_namespace WHERE nspname = $1`,
    [schema],
  );
  if (!rows[0])
    return {
      detail: `no such schema: ${schema}`,
      remedy: `CREATE SCHEMA ${name}; GRANT USAGE, CREATE ON SCHEMA ${name} TO ${user}`,
    };
  if (rows[0]['may'] === 'true')
    return 'will be created like the result table: its types, its NOT NULLs, and the rights to read it';
  return {
    detail: `it is to be created, and schema ${schema} does not let us`,
    remedy: `GRANT USAGE, CREATE ON SCHEMA ${name} TO ${user}`,
  };
}

/** The sink writes a table of the user's as our role. */
async function missingWrites(
  client: pg.ClientBase,
  user: string,
  table: string,
): Promise<Answer | null> {
  const { rows } = await client.query<{ right: string }>(
    `SELECT p AS right FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p WHERE NOT has_table_privilege($1, p)`,
    [table],
  );
  const rights = rows.map((row) => row.right).join(', ');
  return rights === ''
    ? null
    : {
        detail: `the sink may not write it: no ${rights}`,
        remedy: `GRANT ${rights} ON ${table} TO ${quoteIdent(user)}`,
      };
}

/** What the fence's triggers will need, asked of the database: the fence itself must not be the first to find out. */
async function checkFence(client: pg.ClientBase, plan: ResolvedPlan): Promise<Answer> {
  const { tables } = plan;
  const { rows } = await client.query<Record<string, string>>(
    `SELECT part::text AS t FROM unnest($1::text[]) AS root, LATERAL (SELECT root::regclass AS part UNION SELECT relid FROM pg_partition_tree(root::regclass)) AS tree
       WHERE NOT has_table_privilege(part, 'TRIGGER')
     UNION ALL SELECT 'language plpgsql' WHERE NOT EXISTS (SELECT FROM pg_language WHERE lanname = 'plpgsql' AND has_language_privilege(oid, 'USAGE'))`,
    [tables.map(({ sql }) => sql)],
  );
  if (rows.length === 0)
    return (
      (await guardProblem(client, plan, 'fence')) ??
      `triggers may be made on ${tables.map(({ text }) => text).join(', ')}`
    );
  const missing = rows.map((row) => row['t']!).join(', ');
  return {
    detail: `no right to make triggers: ${missing}`,
    remedy: `GRANT TRIGGER ON ${missing} TO ${plan.spec.source.postgres.user}`,
  };
}

const missingColumns = (wanted: readonly Column[], present: readonly Column[]): string[] =>
  wanted.map((c) => c.name).filter((name) => !present.some((c) => c.name === name));
