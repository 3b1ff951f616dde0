// Reads the facts on which the privileges in `sluice init --sql` depend. Checks the privileges that
// no other check covers. This code does not change the database.
import type pg from 'pg';
import { analyseSql, loadParser } from '../../assess/sql/analyse.js';
import { withAddress, type ResolveSecret } from '../../clients/postgres/connection.js';
import type { Check } from '../../domain/evidence/check.js';
import { addressAt, hasTarget, type Place } from '../../domain/migration/databases.js';
import { parseTableName } from '../../domain/migration/names.js';
import { privilegesFor } from '../../domain/access/privileges.js';
import { ownedRelations } from '../../domain/access/worker-privileges.js';
import type { Privilege, PrivilegeFacts } from '../../domain/access/privilege.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { classify } from '../runtime/application-failure.js';
import { attempt, failed, passed, unknown } from '../runtime/make-finding.js';

/**
 * Returns two lists of relations in a database. The first has those that the spec's queries and the
 * batch's actions read. The second has those that the batch's actions write.
 */
export async function relationsOf(
  { spec }: Pick<ResolvedPlan, 'spec'>,
  place: Place,
): Promise<{ reads: string[]; writes: string[] }> {
  await loadParser();
  const { batch, connector } = spec;
  const isElsewhere = (of: Place): boolean => hasTarget({ spec }) && place !== of;
  const queries = isElsewhere('source')
    ? []
    : [
        batch?.query.sql,
        ...(batch?.stages ?? []).map((stage) => stage.query.sql),
        connector.query?.sql,
      ];
  const actions = [batch?.pause, batch?.resume, batch?.retire].flatMap((action) =>
    action && 'sql' in action && !isElsewhere('target') ? [action.sql] : [],
  );
  const read = (sql: string | undefined) => (sql === undefined ? [] : analyseSql(sql).tables);
  return {
    reads: [...new Set([...queries.flatMap(read), ...actions.flatMap(read)])].filter(isName),
    writes: [...new Set(actions.flatMap((sql) => analyseSql(sql).writes))].filter(isName),
  };
}

function isName(text: string): boolean {
  try {
    return parseTableName(text).schema !== 'pg_catalog';
  } catch {
    return false;
  }
}

/**
 * Reads the owners of the relations that the plan uses and that exist, and the role that grants
 * replication on a managed server. Throws errors of the database unchanged.
 */
export async function readPrivilegeFacts(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  place: Place,
): Promise<PrivilegeFacts> {
  const { reads, writes } = await relationsOf(plan, place);
  const owned = ownedRelations(plan);
  const wanted = [
    ...new Set([
      ...(hasTarget(plan) ? owned[place] : [...owned.source, ...owned.target]),
      ...(plan.sink ? [plan.sink.writes.stream.text] : []),
      ...reads,
      ...writes,
    ]),
  ];
  const { rows } = await client.query<{ relation: string; owner: string; super: string }>(
    `SELECT w.relation, r.rolname AS owner, r.rolsuper AS super FROM unnest($1::text[], $2::text[], $3::text[]) AS w(relation, s, t)
       JOIN pg_namespace n ON n.nspname = w.s JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.t JOIN pg_roles r ON r.oid = c.relowner`,
    [
      wanted,
      wanted.map((relation) => parseTableName(relation).schema),
      wanted.map((relation) => parseTableName(relation).table),
    ],
  );
  const owners = new Map(rows.map(({ relation, owner }) => [relation, owner]));
  const managed = await client.query<{ role: string }>(
    `SELECT rolname AS role FROM pg_roles WHERE rolname = 'rds_replication'`,
  );
  const isThere = (relation: string): boolean => owners.has(relation);
  return {
    owners,
    superusers: new Set(rows.filter((row) => row.super === 't').map(({ owner }) => owner)),
    replicationRole: managed.rows[0]?.role ?? null,
    reads: reads.filter(isThere),
    writes: writes.filter(isThere),
  };
}

/**
 * Reads the facts with the spec's login. If that login fails, tries PGUSER and PGPASSWORD, provided
 * that the operator's secret rules allow PGPASSWORD for this host. If both logins fail, `facts` is
 * null and `why` contains the causes.
 */
export async function askPrivilegeFacts(
  plan: ResolvedPlan,
  secret: ResolveSecret,
  place: Place,
): Promise<{ facts: PrivilegeFacts | null; why: string | null }> {
  const postgres = addressAt(plan, place);
  const { passwordFrom: _, ...address } = postgres;
  const causes: string[] = [];
  for (const login of [postgres, { ...address, user: '', passwordFrom: { env: 'PGPASSWORD' } }]) {
    try {
      const facts = await withAddress(
        login,
        secret,
        'sluice/init',
        (client) => readPrivilegeFacts(client, plan, place),
        { readOnly: true },
      );
      return { facts, why: null };
    } catch (error) {
      causes.push(classify(error).message);
    }
  }
  return { facts: null, why: [...new Set(causes)].join('; ') };
}

/** Returns the privileges, and for each one whether the role has it. */
export async function heldPrivileges(
  client: pg.ClientBase,
  list: readonly Privilege[],
): Promise<readonly (Privilege & { readonly held: boolean })[]> {
  const held: (Privilege & { readonly held: boolean })[] = [];
  for (const privilege of list) {
    const { rows } = await client.query<{ held: unknown }>(`SELECT (${privilege.has}) AS held`);
    held.push({ ...privilege, held: rows[0]!.held === 't' || rows[0]!.held === true });
  }
  return held;
}

/**
 * Returns one finding for each missing privilege, and one passed finding if no required privilege
 * is missing. `others` are the findings of the other checks. Omits a privilege if one of them
 * proves it or already has its GRANT as the remedy. Also omits it if its table does not exist.
 */
export async function checkPrivileges(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  place: Place,
  others: readonly Check[],
): Promise<Check[]> {
  let list: readonly (Privilege & { readonly held: boolean })[];
  try {
    const facts = await readPrivilegeFacts(client, plan, place);
    list = await heldPrivileges(
      client,
      privilegesFor(plan, facts, facts).filter((one) => (one.in ?? 'source') === place),
    );
  } catch (error) {
    return [await attempt('privilege', () => Promise.reject(error))];
  }
  const isProven = ({ provenBy }: Privilege): boolean =>
    others.some(({ name, status }) => name === provenBy && status === 'passed');
  // A privilege on a table that does not exist cannot be granted.
  const isAbsent = ({ subject }: Privilege): boolean =>
    others.some(
      (one) => one.name === 'table.exists' && one.subject === subject && one.status !== 'passed',
    );
  const missing = list.filter((one) => !one.held && !isProven(one) && !isAbsent(one));
  const needed = missing.filter(
    ({ optional, sql }) => !optional && !others.some(({ remedy }) => remedy === sql),
  );
  const advice = missing.filter(({ optional }) => optional);
  const hidden = (sql: string): boolean => sql.includes('pg_read_all_stats');
  const found = [
    ...(needed.length === 0
      ? [
          passed(
            'privilege',
            '',
            `the role has all ${list.length - advice.length} privileges${hasTarget(plan) ? ` in the ${place} database` : ''}`,
          ),
        ]
      : []),
    ...needed.map(({ subject, sql, why, without }) =>
      (hidden(sql) ? unknown : failed)(
        'privilege',
        subject,
        `missing${place === 'target' ? ' in the target database' : ''}: ${sql} (${why}; without it: ${without})`,
        sql,
      ),
    ),
    ...advice.map(({ subject, sql, why, without }) => ({
      ...passed('privilege', subject, `optional: ${sql} (${why}; without it: ${without})`),
      remedy: sql,
    })),
  ];
  return place === 'target' ? found.map((check) => ({ ...check, in: 'target' })) : found;
}
