// Lists the rights that a migration needs. Each has its statement, its reason, and what happens
// without it. `sluice init --sql` prints all of them, and `sluice doctor` names the missing ones.
import { parseTableName, plainIdent, plainName, quoteLiteral } from '../migration/names.js';
import { hasOnSchema, hasOnTable, mayReplicate, member } from './privilege-conditions.js';
import type { MigrationSpec } from '../migration/spec.js';
import type { ResolvedPlan } from '../plan/resolved-plan.js';

export type Part = 'capture' | 'administration' | 'reading' | 'sink';

export interface Privilege {
  readonly part: Part;
  /** One statement, without a semicolon. */
  readonly sql: string;
  /** The object of the right: a schema, a table or a role. */
  readonly subject: string;
  readonly why: string;
  /** The consequence of not having it. */
  readonly without: string;
  /** An SQL condition that is true if the role has the right. */
  readonly has: string;
  /**
   * The migration works without it. A check that lacks this right reports what it cannot see as
   * unknown.
   */
  readonly optional?: boolean;
}

/** Facts that only the database knows. */
export interface PrivilegeFacts {
  /**
   * The owner of each relation that the spec names. A relation that does not exist has no entry.
   */
  readonly owners: ReadonlyMap<string, string>;
  /**
   * The role of a managed service whose members may replicate. Null if this server grants
   * replication by the role's attribute.
   */
  readonly replicationRole: string | null;
  /** Relations that the batch's SQL reads or changes, as `schema.name`. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

export const captureUser = ({ spec }: MigrationSpec): string =>
  spec.connector.config['database.user'] ?? spec.source.postgres.user;

/** Returns the relations whose owners matter. */
export function ownedRelations({ tables, capture, fence, route }: ResolvedPlan): string[] {
  const published = capture.hasSlot || fence.kind === 'source' ? tables : [];
  const routed = route.needs.owned ? [route.needs.owned.relation] : [];
  return [...new Set([...published, ...routed].map(({ text }) => text))];
}

const select = (
  part: Part,
  role: string,
  relation: string,
  why: string,
  without: string,
): Privilege => ({
  part,
  sql: `GRANT SELECT ON ${plainName(relation)} TO ${plainIdent(role)}`,
  subject: relation,
  why,
  without,
  has: hasOnTable(role, relation, 'SELECT'),
});

function usage(part: Part, role: string, relations: readonly string[]): Privilege[] {
  return [...new Set(relations.map(schemaOf))].map((schema) => ({
    part,
    sql: `GRANT USAGE ON SCHEMA ${plainIdent(schema)} TO ${plainIdent(role)}`,
    subject: `schema ${schema}`,
    why: 'without it, no relation of the schema is accessible',
    without: `doctor: schema ${schema} is not accessible`,
    has: hasOnSchema(role, schema, 'USAGE'),
  }));
}

const schemaOf = (relation: string): string => parseTableName(relation).schema;

/**
 * Returns the rights of a plan, each statement once. Without facts, owners are placeholders that no
 * server accepts: `<owner of public.orders>`.
 */
export function privilegesFor(plan: ResolvedPlan, facts: PrivilegeFacts | null): Privilege[] {
  const all = [
    ...capturing(plan, facts),
    ...administering(plan, facts),
    ...reading(plan, facts),
    ...sinking(plan, facts),
  ];
  return all.filter((privilege, at) => all.findIndex(({ sql }) => sql === privilege.sql) === at);
}

function replication(
  part: Part,
  role: string,
  facts: PrivilegeFacts | null,
  why: string,
): Privilege {
  const managed = facts?.replicationRole ?? null;
  return {
    part,
    sql:
      managed === null
        ? `ALTER ROLE ${plainIdent(role)} REPLICATION`
        : `GRANT ${plainIdent(managed)} TO ${plainIdent(role)}`,
    subject: `role ${role}`,
    why,
    without: 'doctor: source.replication; in connect: permission denied to use replication slots',
    has: mayReplicate(role),
  };
}

/** Lists the rights of the connector's login. */
function capturing(plan: ResolvedPlan, facts: PrivilegeFacts | null): Privilege[] {
  const role = captureUser(plan);
  const { capture, database } = plan;
  const { tables } = plan.spec.source;
  const reads = capture.query
    ? [...tables, ...(facts?.reads ?? []).filter((name) => !tables.includes(name))]
    : tables;
  return [
    ...(capture.hasSlot
      ? [replication('capture', role, facts, 'the connector reads the log through its slot')]
      : []),
    {
      part: 'capture',
      sql: `GRANT CONNECT ON DATABASE ${plainIdent(database)} TO ${plainIdent(role)}`,
      subject: `database ${database}`,
      why: 'the connector logs in',
      without: 'connect: permission denied for database',
      has: `has_database_privilege(${quoteLiteral(role)}, current_database(), 'CONNECT')`,
    },
    ...usage('capture', role, reads),
    ...reads.map((table) =>
      select(
        'capture',
        role,
        table,
        'the initial load reads its rows',
        'snapshot-failed: permission denied for table',
      ),
    ),
  ];
}

/** Lists the rights of the worker's login for creating and switching objects. */
function administering(plan: ResolvedPlan, facts: PrivilegeFacts | null): Privilege[] {
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
 * Lists the rights for a shared table. The sink writes the table as another role, and a rollback
 * writes it for the batch.
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
function reading(plan: ResolvedPlan, facts: PrivilegeFacts | null): Privilege[] {
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
      'shows since when other transactions write, and who still reads the old output',
      'checks report such a session as unknown, and it keeps complete blocked',
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

/**
 * Lists the rights of the sink connector, which logs in as the worker does. It writes a table that
 * exists already or that Sluice creates.
 */
function sinking(plan: ResolvedPlan, facts: PrivilegeFacts | null): Privilege[] {
  if (!plan.sink || plan.route.sharesTable) return [];
  const { user } = plan.spec.source.postgres;
  const { text: table, schema } = plan.sink.writes.stream;
  if (facts?.owners.has(table))
    return [
      {
        part: 'sink',
        sql: `GRANT SELECT, INSERT, UPDATE, DELETE ON ${plainName(table)} TO ${plainIdent(user)}`,
        subject: table,
        why: 'the table exists; the sink upserts and deletes its rows, and windows read them',
        without: 'doctor: privilege; in catch-up: the sink fails',
        has: ['SELECT', 'INSERT', 'UPDATE', 'DELETE']
          .map((right) => hasOnTable(user, table, right))
          .join(' AND '),
      },
    ];
  return [
    {
      part: 'sink',
      sql: `GRANT CREATE ON SCHEMA ${plainIdent(schema)} TO ${plainIdent(user)}`,
      subject: `schema ${schema}`,
      why: 'the table that the sink writes is created there',
      without: 'doctor: privilege; in connect: permission denied for schema',
      has: hasOnSchema(user, schema, 'CREATE'),
    },
  ];
}
