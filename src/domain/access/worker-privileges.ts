// Lists the rights that the worker's login needs to create, switch, compare and watch objects.
import { plainIdent, plainName, quoteLiteral } from '../migration/names.js';
import { hasTarget, targetPostgres, type Place } from '../migration/databases.js';
import { hasOnSchema, hasOnTable, member } from './privilege-conditions.js';
import type { ResolvedPlan } from '../plan/resolved-plan.js';
import {
  type Privilege,
  type PrivilegeFacts,
  caution,
  inTarget,
  login,
  select,
  usage,
  replication,
} from './privilege.js';

/** Returns, for each database, the relations whose owner role must be granted to the worker. */
export function ownedRelations({
  tables,
  capture,
  fence,
  route,
}: ResolvedPlan): Readonly<Record<Place, readonly string[]>> {
  const published = capture.hasSlot || fence.kind === 'source' ? tables : [];
  const routed = route.needs.owned ? [route.needs.owned.relation.text] : [];
  return { source: published.map(({ text }) => text), target: routed };
}

/** Lists the rights of the worker's login for creating and switching objects. */
export function administering(
  plan: ResolvedPlan,
  facts: PrivilegeFacts | null,
  targetFacts: PrivilegeFacts | null,
): Privilege[] {
  const { batch, database, fence, route } = plan;
  const { user } = plan.spec.source.postgres;
  const { hasSlot } = plan.capture;
  const isLeaseHere = batch !== null && !hasTarget(plan);
  const guarded = fence.guards.map(({ table }) => table.text);
  const { owned } = route.needs;
  const owner = (role: string, of: PrivilegeFacts | null, relation: string): Privilege => {
    const name = of?.owners.get(relation);
    const uses = relation === owned?.relation.text ? owned.uses : 'only its owner may publish it';
    return {
      part: 'administration',
      sql: `GRANT ${name === undefined ? `<owner of ${relation}>` : plainIdent(name)} TO ${plainIdent(role)}`,
      subject: relation,
      why: `${uses}${guarded.includes(relation) ? ', or drop a trigger on it' : ''}${caution(of, name)}`,
      without: 'doctor: table.owner, route.view or route.table; in snapshot: must be owner',
      has: name === undefined ? 'false' : member(role, name),
    };
  };
  const owners = ownedRelations(plan);
  const { user: targetUser } = targetPostgres(plan);
  return [
    ...(hasSlot
      ? [
          replication(
            'administration',
            user,
            user,
            facts,
            'Sluice drops the slot at a rollback, and creates it if it loads the tables itself',
          ),
        ]
      : []),
    login('administration', user, database, 'the worker logs in', 'doctor: source.reachable'),
    ...(hasSlot || isLeaseHere
      ? [creating(user, database, hasSlot ? (hasTarget(plan) ? PUBLISHES : BOTH) : LEASES)]
      : []),
    ...inTarget(
      plan,
      hasTarget(plan) && batch ? leasing(targetUser, targetPostgres(plan).database) : [],
    ),
    ...owners.source.map((relation) => owner(user, facts, relation)),
    ...inTarget(plan, [
      ...owners.target.map((relation) => owner(targetUser, targetFacts, relation)),
      ...routing(plan, targetUser),
      ...changing(targetUser, targetFacts),
    ]),
  ];
}

const PUBLISHES = 'Sluice creates a publication of exactly these tables';
const LEASES = 'Sluice creates a schema for the lease row, which says what consumers read';
const BOTH = `${PUBLISHES}, and a schema for the lease row`;

const creating = (
  user: string,
  database: string,
  why: string,
  check = 'source.create',
): Privilege => ({
  part: 'administration',
  sql: `GRANT CREATE ON DATABASE ${plainIdent(database)} TO ${plainIdent(user)}`,
  subject: `database ${database}`,
  why,
  without: `doctor: ${check}; in snapshot: permission denied for database`,
  has: `has_database_privilege(${quoteLiteral(user)}, current_database(), 'CREATE')`,
});

/** Lists the rights that the worker needs for the lease row in a separate target. */
const leasing = (user: string, database: string): Privilege[] => [
  login(
    'administration',
    user,
    database,
    'the worker and the sink connector log in',
    'doctor: target.reachable',
  ),
  creating(user, database, LEASES, 'target.create'),
];

/** Lists the rights that the route needs, except the ownership of a relation. */
function routing(plan: ResolvedPlan, user: string): Privilege[] {
  const { creates, actsAs } = plan.route.needs;
  return [
    ...(creates
      ? [
          {
            part: 'administration' as const,
            sql: `GRANT CREATE ON SCHEMA ${plainIdent(creates.schema)} TO ${plainIdent(user)}`,
            subject: `schema ${creates.schema}`,
            why: creates.why,
            without: creates.without,
            has: hasOnSchema(user, creates.schema, 'CREATE'),
          },
        ]
      : []),
    ...(actsAs ? actingAs(actsAs, user, targetPostgres(plan).database) : []),
  ];
}

const changing = (user: string, facts: PrivilegeFacts | null): Privilege[] =>
  (facts?.writes ?? []).map((relation) => ({
    part: 'administration',
    sql: `GRANT SELECT, INSERT, UPDATE, DELETE ON ${plainName(relation)} TO ${plainIdent(user)}`,
    subject: relation,
    why: 'batch.pause, batch.resume or batch.retire changes it',
    without: 'doctor: privilege; in cut-over: batch-action',
    has: hasOnTable(user, relation, 'UPDATE'),
  }));

/**
 * Lists the privileges for a shared table. The sink writes to that table under a role other than
 * the worker's, so the worker's login needs membership in this role. A rollback computes the
 * batch's rows in a temporary table, so the login must be able to create one.
 */
const actingAs = (
  { role, why, without }: { readonly role: string; readonly why: string; readonly without: string },
  user: string,
  database: string,
): Privilege[] => [
  {
    part: 'administration',
    sql: `GRANT ${plainIdent(role)} TO ${plainIdent(user)}`,
    subject: `role ${role}`,
    why,
    without,
    has: member(user, role),
  },
  {
    part: 'administration',
    sql: `GRANT TEMPORARY ON DATABASE ${plainIdent(database)} TO ${plainIdent(user)}`,
    subject: `database ${database}`,
    why: 'a rollback runs the query of the batch into a temporary table',
    without: 'doctor: privilege; in roll-back: permission denied to create temporary tables',
    has: `has_database_privilege(${quoteLiteral(user)}, current_database(), 'TEMPORARY')`,
  },
];

/** Lists the rights of the worker's logins for comparing and watching. */
export function reading(
  plan: ResolvedPlan,
  facts: PrivilegeFacts | null,
  targetFacts: PrivilegeFacts | null,
): Privilege[] {
  const { batch, route, sink } = plan;
  const { tables, postgres } = plan.spec.source;
  const results = [
    ...(batch ? [batch.resultTable.text] : []),
    ...(batch?.runLog ? [batch.runLog.text] : []),
  ];
  const named = [
    ...route.needs.reads.map(({ text }) => text),
    ...(sink ? [sink.writes.stream.text] : []),
    ...(targetFacts?.writes ?? []),
  ];
  const { user } = targetPostgres(plan);
  if (!hasTarget(plan))
    return readingIn(user, [...tables, ...results, ...(facts?.reads ?? [])], named, batch !== null);
  return [
    ...readingIn(postgres.user, [...tables, ...(facts?.reads ?? [])], [], batch !== null),
    ...inTarget(
      plan,
      readingIn(user, [...results, ...(targetFacts?.reads ?? [])], named, batch !== null),
    ),
  ];
}

/**
 * Lists the rights in one database. The user must be able to read `relations`. For the relations in
 * `named`, this list needs only USAGE on their schemas.
 */
function readingIn(
  user: string,
  relations: readonly string[],
  named: readonly string[],
  hasBatch: boolean,
): Privilege[] {
  const read = [...new Set(relations)];
  const predefined = (
    name: string,
    why: string,
    without: string,
    optional: boolean,
  ): Privilege => ({
    part: 'reading',
    sql: `GRANT ${name} TO ${plainIdent(user)}`,
    subject: `role ${user}`,
    why,
    without,
    has: member(user, name),
    ...(optional ? { optional } : {}),
  });
  return [
    ...usage('reading', user, [...read, ...named]),
    ...read.map((relation) =>
      select(
        'reading',
        user,
        relation,
        'windows compare its rows',
        'doctor: table.select or privilege',
      ),
    ),
    predefined(
      'pg_read_all_stats',
      "shows how long other transactions have been writing, and which sessions still read the batch's table",
      'checks report such a session as unknown, and the phase complete blocks',
      !hasBatch,
    ),
    predefined(
      'pg_read_all_settings',
      "shows whether this server counts statements; Sluice searches these counts for readers of the batch's table",
      "Sluice does not search the statement statistics for readers of the batch's table",
      true,
    ),
  ];
}
