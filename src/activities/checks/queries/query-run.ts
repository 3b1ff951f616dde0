// Checks a query of the batch by running it, read-only. The check finds keys that repeat or contain
// NULL, and values that change when they are stored. It also finds row security that may hide rows
// from the batch, and session settings that change the result.
import type pg from 'pg';
import { readTable } from '../../../clients/postgres/catalog.js';
import { describeSubquery, lone } from '../../../clients/postgres/single-statement.js';
import { columnTypes } from '../../../clients/postgres/consumer-view.js';
import type { Databases } from '../../../clients/postgres/target-connection.js';
import { transaction } from '../../../clients/postgres/connection.js';
import { quoteIdent, quoteLiteral } from '../../../domain/migration/names.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import { stripSemicolon } from '../../../domain/values/strip-semicolon.js';
import { allowedAge, recommendedAge } from '../../../domain/plan/final-result.js';
import { resultMode } from '../../../domain/plan/planned-subjects.js';
import { COMMIT_RESERVE_MS } from '../../../domain/plan/predicted-hold.js';
import { durationMs } from '../../../domain/values/duration.js';
import { hasState, SQLSTATE } from '../../../domain/values/sqlstate.js';
import { hiddenFromBatch } from './batch-row-security.js';
import { sessionsOfBatch, type Session } from './batch-session-settings.js';
import type { Answer } from '../../runtime/make-finding.js';

interface Field {
  readonly name: string;
  /** The type as `format_type` prints it, with its modifier, such as `numeric(14,2)`. */
  readonly type: string;
}

interface Run {
  readonly rows: string;
  readonly repeated: string;
  readonly nulls: string;
  readonly digest: string;
  /** For each column, the number of rows whose value changes when it is stored. */
  readonly changed: Readonly<Record<string, string>>;
}

/**
 * Runs the query with the settings of Sluice's own session. Then runs it again with the settings of
 * each session of the batch that could change the result. All runs read the same snapshot.
 */
export async function checkRun(
  { source: client, target }: Databases,
  plan: ResolvedPlan,
  query: string,
  key: readonly string[],
  isResult: boolean,
): Promise<Answer> {
  return transaction(client, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', async () => {
    const sql = stripSemicolon(query);
    const fields = await typesOf(client, sql);
    const stored = isResult ? await storedTypes(target, plan) : new Map<string, string>();
    const begun = performance.now();
    const run = await runQuery(client, sql, key, fields, stored);
    const tookMs = performance.now() - begun;
    const problem =
      keyProblem(run, key) ??
      storedProblem(run, stored) ??
      (isResult ? await hiddenFromBatch(client, plan) : null);
    if (problem) return problem;
    for (const session of await sessionsOfBatch(client, plan, sql)) {
      const guilty = await guiltySettings(client, session, run.digest, () =>
        runQuery(client, sql, key, fields, new Map()),
      );
      if (guilty.length > 0) return sessionProblem(session, guilty);
    }
    return `it returned ${run.rows} rows in ${(tookMs / 1000).toFixed(1)} s, and (${key.join(', ')}) is unique${tooLong(plan, tookMs)}`;
  });
}

/**
 * Recommends `cutover.finalResult: recent` if the query takes too long for the hold, the time for
 * which a cut-over may pause the batch.
 */
function tooLong(plan: ResolvedPlan, tookMs: number): string {
  const { maxHold } = plan.spec.cutover;
  if (tookMs + COMMIT_RESERVE_MS <= durationMs(maxHold)) return '';
  if (allowedAge(plan) !== null || resultMode(plan) !== 'exact') return '';
  return `; this is too long for a hold, which may last at most ${maxHold} (maxHold). Use a longer maxHold, or cutover.finalResult: { recent: ${recommendedAge(tookMs)} }, which weakens the final window`;
}

function keyProblem({ rows, repeated, nulls }: Run, key: readonly string[]): Answer | null {
  const columns = `(${key.join(', ')})`;
  if (repeated !== '0')
    return {
      detail: `${columns} is not unique: ${repeated} keys are in more than one of the ${rows} rows of the query`,
      remedy: 'name the columns that identify a row, or group the query by these columns',
    };
  if (nulls === '0') return null;
  return {
    detail: `${nulls} of ${rows} rows of the query have NULL in their key ${columns}`,
    remedy: 'exclude those rows in the query, or give them a value with coalesce()',
  };
}

function storedProblem({ rows, changed }: Run, stored: ReadonlyMap<string, string>): Answer | null {
  const columns = Object.entries(changed).filter(([, n]) => n !== '0');
  if (columns.length === 0) return null;
  const said = columns.map(
    ([name, n]) => `${name} is stored as ${stored.get(name)}, which changes ${n} of ${rows} rows`,
  );
  return {
    detail: said.join('; '),
    remedy: `make the query compute the stored values: ${columns.map(([name]) => `${quoteIdent(name)}::${stored.get(name)}`).join(', ')}`,
  };
}

function sessionProblem({ of }: Session, guilty: readonly (readonly [string, string])[]): Answer {
  const settings = guilty.map(([name, value]) => `${name} = ${quoteLiteral(value)}`).join(', ');
  return {
    detail: `it gives a different result with the settings of ${of} (${settings}) than with the session settings that Sluice's windows use`,
    remedy: `make the query independent of the setting, for example with AT TIME ZONE and the intended zone, so that every session gets the same result`,
  };
}

/**
 * Returns each setting that changes the result by itself. If only the combination of all settings
 * changes the result, returns all of them. If the result stays the same, returns an empty list.
 */
async function guiltySettings(
  client: pg.Client,
  { settings }: Session,
  digest: string,
  run: () => Promise<Run>,
): Promise<readonly (readonly [string, string])[]> {
  const changes = async (some: readonly (readonly [string, string])[]): Promise<boolean> => {
    await client.query('SAVEPOINT session');
    const runs = async (): Promise<boolean> => {
      for (const [name, value] of some)
        await client.query('SELECT set_config($1, $2, true)', [name, value]);
      return (await run()).digest !== digest;
    };
    // a setting that is refused, or a query that fails with these settings, counts as different
    const changed = await runs().catch((error: unknown) => {
      if (hasState(error, SQLSTATE.queryCanceled)) throw error; // this says nothing about settings
      return true;
    });
    await client.query('ROLLBACK TO SAVEPOINT session');
    return changed;
  };
  if (settings.length === 0 || !(await changes(settings))) return [];
  const alone: (readonly [string, string])[] = [];
  for (const setting of settings)
    if (settings.length === 1 || (await changes([setting]))) alone.push(setting);
  return alone.length > 0 ? alone : settings;
}

async function typesOf(client: pg.ClientBase, sql: string): Promise<Field[]> {
  const fields = (await describeSubquery(client, sql)) as readonly {
    name: string;
    dataTypeID: number;
    dataTypeModifier: number;
  }[];
  const { rows } = await client.query<{ type: string }>(
    `SELECT format_type(oid, modifier) AS type FROM unnest($1::oid[], $2::int[]) WITH ORDINALITY AS f(oid, modifier, at) ORDER BY at`,
    [fields.map((f) => f.dataTypeID), fields.map((f) => f.dataTypeModifier)],
  );
  return fields.map(({ name }, at) => ({ name, type: rows[at]!.type }));
}

/**
 * Returns the column types of the table that consumers will read. This is the result's table if
 * batch and stream share it. Otherwise it is the sink's table. If that table does not exist yet,
 * returns the types of the result's table, because Sluice will create the sink's table with them.
 */
async function storedTypes(
  target: pg.ClientBase,
  { sink, batch, route }: ResolvedPlan,
): Promise<Map<string, string>> {
  if (!sink || !batch) return new Map();
  const own = route.sharesTable ? null : await readTable(target, sink.writes.stream.text);
  const types = await columnTypes(target, own ? own.name : batch.resultTable);
  return new Map(types.map(({ name, type }) => [name, type]));
}

const NUMBERS = /^(smallint|integer|bigint|numeric(\(.*\))?|real|double precision)$/;

async function runQuery(
  client: pg.Client,
  sql: string,
  key: readonly string[],
  fields: readonly Field[],
  stored: ReadonlyMap<string, string>,
): Promise<Run> {
  const keys = key.map(quoteIdent).join(', ');
  const narrower = fields.filter(({ name, type }) => (stored.get(name) ?? type) !== type);
  const changes = narrower.map(({ name, type }, at) => {
    const [column, to] = [quoteIdent(name), stored.get(name)!];
    // compare the values, not their spelling
    const as = NUMBERS.test(type) ? 'numeric' : type === 'json' ? 'jsonb' : 'text';
    return `, count(*) FILTER (WHERE ${column}::${to}::${as} IS DISTINCT FROM ${column}::${as}) AS changed_${at}`;
  });
  const sums = narrower.map((_, at) => `, coalesce(sum(changed_${at}), 0)::text AS changed_${at}`);
  const { rows } = await client.query<Record<string, string>>(
    lone(`SELECT coalesce(sum(n), 0)::text AS rows, count(*) FILTER (WHERE n > 1)::text AS repeated, coalesce(sum(n) FILTER (WHERE empty), 0)::text AS nulls,
        coalesce(sum(digest), 0)::text AS digest${sums.join('')}
      FROM (SELECT count(*) AS n, ${key.map((name) => `${quoteIdent(name)} IS NULL`).join(' OR ')} AS empty,
          sum(hashtextextended(ROW(${fields.map(printed).join(', ')})::text, 0)) AS digest${changes.join('')}
        FROM (${sql}\n) AS sluice_query GROUP BY ${keys}) AS by_key`),
  );
  const row = rows[0]!;
  return {
    rows: row['rows']!,
    repeated: row['repeated']!,
    nulls: row['nulls']!,
    digest: row['digest']!,
    changed: Object.fromEntries(narrower.map(({ name }, at) => [name, row[`changed_${at}`]!])),
  };
}

/** Endings of types, each with the function that returns the binary form of such a value. */
const SENT = [
  ['[]', 'array_send'],
  ['multirange', 'multirange_send'],
  ['range', 'range_send'],
] as const;
/** Matches arrays and ranges whose text depends on session settings. Their binary form does not. */
const DEPENDENT = /^(timestamp|date|interval|bytea|money|ts|real|double)/;

/**
 * Returns SQL that prints a value independently of session settings. Floating-point numbers are
 * rounded, because their sum depends on the order of the rows.
 */
function printed({ name, type }: Field): string {
  const column = quoteIdent(name);
  const send = SENT.find(([ending]) => type.endsWith(ending))?.[1];
  if (send && DEPENDENT.test(type)) return `encode(${send}(${column}), 'hex')`;
  if (send) return `${column}::text`;
  if (type === 'bytea') return `encode(${column}, 'hex')`;
  if (type.startsWith('timestamp')) return `extract(epoch FROM ${column})`;
  // arithmetic with an infinite date is an error
  if (type === 'date') return `encode(date_send(${column}), 'hex')`;
  if (type === 'interval') return `extract(epoch FROM ${column})`;
  if (type === 'real' || type === 'double precision') return `round(${column}::numeric, 6)`;
  return type === 'money' ? `${column}::numeric` : `${column}::text`;
}
