// Checks the timeouts that could end a connector's session in the middle of its work. Also checks
// that enough connections are free for the worker and the connectors. The checks only read.
import type pg from 'pg';
import { formatMs } from '../../domain/values/duration.js';
import { capturesOf } from '../../domain/capture/index.js';
import { namesOf, plainIdent, quoteLiteral, type Names } from '../../domain/migration/names.js';
import { captureUser } from '../../domain/access/privilege.js';
import { addressAt, hasTarget, type Place } from '../../domain/migration/databases.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { Answer } from '../runtime/make-finding.js';

/** The shortest timeouts (ms) that do not end the normal work of a connector. */
const LEAST_MS: Readonly<Record<string, number>> = {
  statement_timeout: 60_000,
  transaction_timeout: 600_000,
  idle_in_transaction_session_timeout: 60_000,
  idle_session_timeout: 60_000,
  lock_timeout: 10_000,
};
/** The check assumes that a load may take this many times as long as predicted. */
const BAD_DAY = 3;
/** The server truncates longer values of `application_name`. */
const LONGEST_NAME = 63;
const BOUND_BY_LOAD: readonly string[] = ['statement_timeout', 'transaction_timeout'];

/**
 * Checks the timeouts that apply to the source connector's login, or in a separate target to the
 * sink's login. A timeout can be set for the role, the database or the server. Sluice overrides
 * such a timeout in its own sessions, but a connector does not. `loadMs` is the predicted time of
 * the initial load.
 */
export async function timeLimits(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  place: Place,
  loadMs: number,
): Promise<Answer> {
  const { database, user } = addressAt(plan, place);
  const role = place === 'source' ? captureUser(plan) : user;
  const { rows } = await client.query<{ name: string; ms: string; origin: string }>(
    `SELECT s.name, extract(epoch FROM (coalesce(o.value, s.reset_val) || CASE WHEN coalesce(o.value, s.reset_val) ~ '^-?[0-9]+$' THEN 'ms' ELSE '' END)::interval) * 1000 AS ms,
       coalesce(o.origin, 'the server') AS origin
     FROM pg_settings s LEFT JOIN LATERAL (
       SELECT substr(c, length(s.name) + 2) AS value,
         CASE WHEN d.setrole = 0 THEN 'the database' WHEN d.setdatabase = 0 THEN 'the role' ELSE 'the role in this database' END AS origin
         FROM pg_db_role_setting d, unnest(d.setconfig) AS c
        WHERE starts_with(c, s.name || '=') AND d.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
          AND d.setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = ${quoteLiteral(role)}))
        ORDER BY d.setrole <> 0 AND d.setdatabase <> 0 DESC, d.setrole <> 0 DESC LIMIT 1) AS o ON true
     WHERE s.name = ANY ($1)`,
    [Object.keys(LEAST_MS)],
  );
  const short = rows
    .map(({ name, ms, origin }) => ({
      name,
      ms: Math.round(Number(ms)),
      origin,
      least: Math.max(LEAST_MS[name]!, BOUND_BY_LOAD.includes(name) ? BAD_DAY * loadMs : 0),
    }))
    .filter(({ ms, least }) => ms > 0 && ms < least);
  if (short.length === 0)
    return `no timeout of role ${role} is too short for ${place === 'target' ? 'the sink' : `the connector${role === user && !hasTarget(plan) ? ' or the sink' : ''}`}`;
  return {
    detail: short
      .map(
        ({ name, ms, origin, least }) =>
          `${name} is ${formatMs(ms)}, set for ${origin}, and at least ${formatMs(least)} is needed: a shorter timeout would end the connector's sessions in the middle of their work`,
      )
      .join('; '),
    remedy: short
      .map(
        ({ name }) =>
          `ALTER ROLE ${plainIdent(role)} IN DATABASE ${plainIdent(database)} SET ${name} = 0`,
      )
      .join('; '),
  };
}

/**
 * Returns the maximum number of sessions that the worker, the source connectors and the sink have
 * at one time. The numbers were measured with the connectors of the local stack
 * (docs/reference/permissions.md).
 */
export function sessionsNeeded(
  plan: ResolvedPlan,
  place: Place,
): { worker: number; capture: number; sink: number } {
  const { spec, capture, sink } = plan;
  const isHere = place === 'target' || !hasTarget(plan);
  return {
    worker: 3 + (place === 'source' ? spec.source.limits.maxBackends : 0),
    capture: place === 'source' ? capture.sessions : 0,
    sink: sink && isHere ? 5 : 0,
  };
}

/**
 * Checks that enough connections are free. Compares the limits of the roles and the database with
 * what other sessions use now. Compares the limit of the server with what all sessions use.
 */
export async function connectionLimits(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  place: Place,
): Promise<Answer> {
  const { user, database } = addressAt(plan, place);
  const capturer = place === 'source' ? captureUser(plan) : user;
  const { worker, capture, sink } = sessionsNeeded(plan, place);
  const total = worker + capture + sink;
  const isForeign = foreignTo(plan);
  const { rows } = await client.query<Record<string, string>>(
    `SELECT r.rolname AS role, r.rolconnlimit AS role_limit, d.datconnlimit AS database_limit,
       (SELECT count(*) FROM pg_stat_activity AS a WHERE a.usesysid = r.oid AND ${isForeign}) AS by_role,
       (SELECT count(*) FROM pg_stat_activity AS a WHERE a.datid = d.oid AND a.usesysid IS NOT NULL AND ${isForeign}) AS in_database,
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int - coalesce(current_setting('reserved_connections', true), '0')::int
         - (SELECT sum(numbackends) FROM pg_stat_database) AS free, r.rolsuper AS super
     FROM pg_roles r, pg_database d WHERE d.datname = current_database() AND r.rolname = ANY ($1)`,
    [[user, capturer]],
  );
  const short: { detail: string; remedy: string }[] = [];
  const judge = (
    limit: number,
    used: number,
    needed: number,
    what: string,
    raise: (to: number) => string,
  ): void => {
    if (limit >= 0 && limit - used < needed)
      short.push({
        detail: `${what} is ${limit}, and others use ${used}, so ${limit - used} of the ${needed} needed connections are free`,
        remedy: raise(used + needed),
      });
  };
  for (const row of rows) {
    const role = row['role']!;
    const needed = (role === user ? worker + sink : 0) + (role === capturer ? capture : 0);
    if (row['super'] !== 't')
      judge(
        Number(row['role_limit']),
        Number(row['by_role']),
        needed,
        `CONNECTION LIMIT of role ${role}`,
        (to) => `ALTER ROLE ${plainIdent(role)} CONNECTION LIMIT ${to}`,
      );
  }
  const first = rows[0]!;
  judge(
    Number(first['database_limit']),
    Number(first['in_database']),
    total,
    `CONNECTION LIMIT of database ${database}`,
    (to) => `ALTER DATABASE ${plainIdent(database)} CONNECTION LIMIT ${to}`,
  );
  const free = Number(first['free']);
  if (free < total)
    short.push({
      detail: `${free} of the ${total} needed connections are free in max_connections`,
      remedy: 'raise max_connections (needs a restart), or close sessions',
    });
  if (short.length === 0)
    return `the ${total} connections that are needed are free (${worker} for Sluice, ${capture} for the connector, ${sink} for the sink)`;
  return {
    detail: `a migration needs ${total} connections (${worker} for Sluice, ${capture} for the connector, ${sink} for the sink): ${short.map(({ detail }) => detail).join('; ')}`,
    remedy: short.map(({ remedy }) => remedy).join('; '),
  };
}

/** Returns the names of a migration in each generation up to now. */
const allNames = (plan: ResolvedPlan): Names[] =>
  Array.from({ length: plan.generation }, (_, at) => namesOf(plan, at + 1));

/**
 * Returns an SQL condition that is true for the sessions of other applications and migrations, in
 * `pg_stat_activity AS a`. It recognizes this migration's sessions by their `application_name`.
 * Debezium gives the sessions of all its connectors the same names. They belong to this migration if
 * the reader of its slot has the same role, database and host.
 */
function foreignTo(plan: ResolvedPlan): string {
  const { name } = plan.metadata;
  const names = allNames(plan);
  const polled = names.flatMap((_, at) => capturesOf(plan, at + 1).map((one) => one.connector));
  const applications = [
    `sluice/${name}`,
    `sluice/${name}/witness`,
    ...names.flatMap(({ connector, sinkConnector }) => [connector, sinkConnector]),
    ...polled,
  ];
  const list = (texts: readonly string[]): string =>
    `ARRAY[${[...new Set(texts)].map((text) => quoteLiteral(text.slice(0, LONGEST_NAME))).join(', ')}]`;
  return `a.application_name <> ALL (${list(applications)}) AND NOT (a.application_name LIKE 'Debezium%' AND EXISTS (
    SELECT FROM pg_replication_slots AS s JOIN pg_stat_activity AS reader ON reader.pid = s.active_pid
     WHERE s.slot_name = ANY (${list(names.map(({ slot }) => slot))}) AND reader.usesysid = a.usesysid AND reader.datid = a.datid AND reader.client_addr IS NOT DISTINCT FROM a.client_addr))`;
}
