// Lists the rights that the worker's login needs to create and switch objects, and to compare and
// watch.
import { plainIdent, plainName, quoteLiteral } from '../migration/names.js';
import { hasOnSchema, hasOnTable, member } from './privilege-conditions.js';
import type { ResolvedPlan } from '../plan/resolved-plan.js';
import { type Privilege, type PrivilegeFacts, select, usage, replication } from './privilege.js';

/** Returns the relations whose owners the list of rights has to name. */
export function ownedRelations({ tables, capture, fence, route }: ResolvedPlan): string[] {
  const published = capture.hasSlot || fence.kind === 'source' ? tables : [];
  const routed = route.needs.owned ? [route.needs.owned.relation] : [];
  return [...new Set([...published, ...routed].map(({ text }) => text))];
}

/** Lists the rights of the worker's login for creating and switching objects. */
export function administering(plan: ResolvedPlan, facts: PrivilegeFacts | null): Privilege[] {
  const { batch, database, fence, route } = plan;
  const { user } = plan.spec.source.postgres;
  const role = plainIdent(user);
  const { hasSlot } = plan.capture;
  const guarded = fence.guards.map(({ table }) => table.text);
  const { actsAs, creates, owned } = route.needs;
  const owner = (relation: string): Privilege => {
    const name = facts?.owners.get(relation);
    const uses = relation === owned?.relation.text ? owned.uses : 'only its owner may publish it';
    return {
      part: 'administration',
      sql: `GRANT ${name === undefined ? `<owner of ${relation}>` : plainIdent(name)} TO ${role}`,
      subject: relation,
      why: guarded.includes(relation) ? `${uses}, or put a trigger on it` : uses,
      without: 'doctor: table.owner, route.view or route.table; in snapshot: must be owner',
      has: name === undefined ? 'false' : member(user, name),
    };
  };
  const schemaRight = (schema: string, why: string, without: string): Privilege => ({
    part: 'administration',
    sql: `GRANT CREATE ON SCHEMA ${plainIdent(schema)} TO ${role}`,
    subject: `schema ${schema}`,
    why,
    without,
    has: hasOnSchema(user, schema, 'CREATE'),
  });
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
    ...(hasSlot || batch
      ? [
          {
            part: 'administration' as const,
            sql: `GRANT CREATE ON DATABASE ${plainIdent(database)} TO ${role}`,
            subject: `database ${database}`,
            why: hasSlot
              ? 'a publication of exactly these tables, and a schema for the lease row'
              : 'a separate schema contains the lease row',
            without: 'doctor: source.create; in snapshot: permission denied for database',
            has: `has_database_privilege(${quoteLiteral(user)}, current_database(), 'CREATE')`,
          },
        ]
      : []),
    ...ownedRelations(plan).map(owner),
    ...(creates ? [schemaRight(creates.schema, creates.why, creates.without)] : []),
    ...(actsAs ? actingAs(actsAs, user, database) : []),
    ...(facts?.writes ?? []).map((relation) => ({
      part: 'administration' as const,
      sql: `GRANT SELECT, INSERT, UPDATE, DELETE ON ${plainName(relation)} TO ${role}`,
      subject: relation,
      why: 'batch.pause, batch.resume or batch.retire changes it',
      without: 'doctor: privilege; in cut-over: batch-action',
      has: hasOnTable(user, relation, 'UPDATE'),
    })),
  ];
}

/**
 * Lists the rights for a shared table. The sink writes that table as another role, and a rollback
 * computes the batch's rows in a temporary table.
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

/** Lists the rights of the worker's login for comparing and watching. */
export function reading(plan: ResolvedPlan, facts: PrivilegeFacts | null): Privilege[] {
  const { batch, route, sink } = plan;
  const { postgres, tables } = plan.spec.source;
  const { user } = postgres;
  const read = [
    ...new Set([
      ...tables,
      ...(batch ? [batch.resultTable.text] : []),
      ...(batch?.runLog ? [batch.runLog.text] : []),
      ...(facts?.reads ?? []),
    ]),
  ];
  const named = [
    ...read,
    ...route.needs.reads.map(({ text }) => text),
    ...(sink ? [sink.writes.stream.text] : []),
    ...(facts?.writes ?? []),
  ];
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
    ...usage('reading', user, named),
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
      'shows how long other transactions have been writing, and which sessions still read the old output',
      'checks report such a session as unknown, and the phase complete blocks',
      !batch,
    ),
    predefined(
      'pg_read_all_settings',
      'shows whether this server counts statements, and so readers of the old output',
      'Sluice does not search the statement statistics for readers of the old output',
      true,
    ),
  ];
}
