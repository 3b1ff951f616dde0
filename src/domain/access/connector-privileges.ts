// Lists the privileges that the connectors' logins need to capture the source and to write to the
// sink's table.
import { plainIdent, plainName } from '../migration/names.js';
import { hasOnSchema, hasOnTable } from './privilege-conditions.js';
import { targetPostgres } from '../migration/databases.js';
import type { ResolvedPlan } from '../plan/resolved-plan.js';
import {
  type Privilege,
  type PrivilegeFacts,
  captureUser,
  inTarget,
  login,
  select,
  usage,
  replication,
} from './privilege.js';

/** Lists the privileges that the source connector's login needs. */
export function capturing(plan: ResolvedPlan, facts: PrivilegeFacts | null): Privilege[] {
  const { capture, database } = plan;
  if (capture.isAdopted) return []; // the adopted connector has a login of its own
  const role = captureUser(plan);
  const { tables, postgres } = plan.spec.source;
  const reads = capture.query
    ? [...tables, ...(facts?.reads ?? []).filter((name) => !tables.includes(name))]
    : tables;
  return [
    ...(capture.hasSlot
      ? [
          replication(
            'capture',
            role,
            postgres.user,
            facts,
            'the connector reads the WAL through its slot',
          ),
        ]
      : []),
    login(
      'capture',
      role,
      database,
      'the connector logs in',
      'connect: permission denied for database',
    ),
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

/**
 * Lists the privileges that the sink connector needs. It uses the worker's login in the target, and
 * writes to a table that already exists or that Sluice creates. With a shared table, the list is
 * empty. Before the commit, the sink writes to a table in Sluice's own schema. Afterwards, it
 * writes under the spec's `streamRole`, whose privileges the check `route.table` verifies.
 */
export function sinking(plan: ResolvedPlan, facts: PrivilegeFacts | null): readonly Privilege[] {
  if (!plan.sink || plan.route.sharesTable) return [];
  const { user } = targetPostgres(plan);
  const { text: table, schema } = plan.sink.writes.stream;
  if (facts?.owners.has(table))
    return inTarget(plan, [
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
    ]);
  return inTarget(plan, [
    {
      part: 'sink',
      sql: `GRANT CREATE ON SCHEMA ${plainIdent(schema)} TO ${plainIdent(user)}`,
      subject: `schema ${schema}`,
      why: 'the table that the sink writes to is created there',
      without: 'doctor: privilege; in connect: permission denied for schema',
      has: hasOnSchema(user, schema, 'CREATE'),
    },
  ]);
}
