// Finds runs of the batch, either in the run log that the batch writes or as sessions with its
// application_name.
import type pg from 'pg';
import type { LeaseRow } from './lease-row.js';
import { Problem } from '../../domain/failure.js';
import { quoteLiteral, type Relation } from '../../domain/migration/names.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';

/** The columns of the run log that contain times. */
export const LOGGED_TIMES = ['cut_at', 'started_at', 'finished_at'] as const;

/** The oid of the type `timestamp with time zone`. */
const TIMESTAMPTZ = 1184;

/** The remedy for any run log in which these columns are not `timestamptz`. */
const TO_ZONED =
  'let batch.runs.table name a table or a view whose columns cut_at, started_at and finished_at are timestamptz';

/**
 * Says how to convert columns of a run log to `timestamptz`. `sql` is the quoted name of the log,
 * and `kind` is its relkind. Only a `timestamp` can be converted by adding a time zone.
 */
export function zonedRemedy(
  sql: string,
  kind: string,
  columns: readonly { readonly name: string; readonly type: string }[],
): string {
  const isTable = kind === 'r' || kind === 'p';
  if (!isTable || columns.some(({ type }) => type !== 'timestamp'))
    return `${TO_ZONED}; convert a timestamp with AT TIME ZONE and the time zone in which the batch writes; a date lacks the time of day, so it cannot be converted`;
  const changes = columns.map(
    ({ name }) => `ALTER ${name} TYPE timestamptz USING ${name} AT TIME ZONE 'ZONE'`,
  );
  return `ALTER TABLE ${sql} ${changes.join(', ')}, where ZONE is the time zone in which the batch writes; or name a view that converts the columns like this`;
}

/**
 * Returns the time columns whose type is not `timestamptz`. Their values name no certain moment:
 * nothing says in which time zone the batch wrote a `timestamp`. `fields` describes the result of a
 * query that returned some of the columns.
 */
export const unzoned = (fields: pg.QueryResult['fields']): string[] =>
  fields
    .filter(({ name, dataTypeID }) => isLoggedTime(name) && dataTypeID !== TIMESTAMPTZ)
    .map(({ name }) => name);

const isLoggedTime = (name: string): boolean => (LOGGED_TIMES as readonly string[]).includes(name);

/** Returns a reason why runs of this log cannot be placed in time, or null if they can. */
export function unzonedReason(fields: pg.QueryResult['fields'], log: Relation): string | null {
  const columns = unzoned(fields);
  return columns.length === 0
    ? null
    : `${columns.join(', ')} of ${log.text} is not timestamp with time zone, so its moments are unknown`;
}

/**
 * Describes a run of the batch that is active or, according to the run log, started after the
 * fence. Such a run may write a result that no window has compared. Returns null if there is no
 * such run, or if the spec does not say how to find runs. Throws Problem `preflight-failed` if the
 * columns `started_at` and `finished_at` of the run log are not `timestamptz`.
 */
export async function activeRun(
  client: pg.ClientBase,
  { batch }: ResolvedPlan,
  fence: LeaseRow | null,
): Promise<string | null> {
  if (!batch?.runs) return null;
  return 'application' in batch.runs
    ? session(client, batch.runs.application)
    : loggedRun(client, batch.runLog!, fence);
}

async function loggedRun(
  client: pg.ClientBase,
  log: Relation,
  fence: LeaseRow | null,
): Promise<string | null> {
  const since = fence?.fenced_at
    ? ` OR started_at > ${quoteLiteral(fence.fenced_at)}::timestamptz`
    : '';
  const { rows, fields } = await client.query<Record<string, string | null>>(
    `SELECT run_id::text AS run_id, started_at, finished_at FROM ${log.sql} WHERE finished_at IS NULL${since} LIMIT 1`,
  );
  const reason = unzonedReason(fields, log);
  if (reason !== null) throw new Problem('preflight-failed', reason, TO_ZONED);
  const run = rows[0];
  if (!run) return null;
  return run['finished_at'] === null
    ? `batch run ${run['run_id']} has been active since ${run['started_at']}`
    : `batch run ${run['run_id']} started at ${run['started_at']}, after the fence`;
}

/**
 * Finds an active session of the application. Idle sessions do not count, because a connection pool
 * keeps them open. Without pg_read_all_stats, the state of another role's session is unknown. Such
 * a session counts as active.
 */
async function session(client: pg.ClientBase, application: string): Promise<string | null> {
  const { rows } = await client.query<Record<string, string | null>>(
    `SELECT pid::text AS pid, coalesce(state, 'in a state that the role cannot see') AS state, coalesce(xact_start, query_start, backend_start)::text AS since
       FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database() AND pid <> pg_backend_pid() AND state IS DISTINCT FROM 'idle' LIMIT 1`,
    [application],
  );
  const run = rows[0];
  if (!run) return null;
  const state = run['since']
    ? `has been ${run['state']} since ${run['since']}`
    : `is ${run['state']}`;
  return `batch session ${run['pid']} (application ${application}) ${state}`;
}
