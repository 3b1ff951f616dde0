// Checks a table that batch and stream share: its owner, columns, keys and triggers, and the two
// roles that write to the table. Also checks the session in which the sink will write to the table.
// The checks only read.
import type pg from 'pg';
import { describeQuery, readTable, type TableCatalog } from '../../../clients/postgres/catalog.js';
import type { ResolveSecret } from '../../../clients/postgres/connection.js';
import { readTarget } from '../../../clients/postgres/target-connection.js';
import { parentProblem, shapeProblem } from '../../../clients/postgres/shared-table-shape.js';
import { followers } from '../../../clients/postgres/shared-table-rows.js';
import { targetPostgres } from '../../../domain/migration/databases.js';
import { plainIdent, qualified, quoteIdent } from '../../../domain/migration/names.js';
import { sessionOptions, tableOwner } from '../../../domain/routes/table-owner.js';
import type { SharedTablePlan } from '../../../domain/routes/route.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import type { BatchSpec, MigrationSpec } from '../../../domain/migration/spec.js';
import { guardProblem } from '../trigger-checks.js';
import type { Answer } from '../../runtime/make-finding.js';
import { uncomparedProblem } from './uncompared-columns.js';

export async function checkSharedTable(
  client: pg.ClientBase,
  spec: ResolvedPlan,
  secret: ResolveSecret,
  route: SharedTablePlan,
): Promise<Answer> {
  const table = await readTable(client, route.table.text);
  if (!table || (table.kind !== 'r' && table.kind !== 'p'))
    return { detail: 'the table does not exist', remedy: 'correct cutover.route.table' };
  const batch = spec.batch!;
  return (
    accessProblem(spec, table) ??
    (await shapeProblem(client, route.table, batch.result.key)) ??
    (await parentProblem(client, route.table)) ??
    (await columnProblem(client, batch.query, route.table.sql)) ??
    (await uncomparedProblem(client, spec, writtenBy(table))) ??
    (await foreignKeyProblem(client, route, batch)) ??
    (await guardProblem(client, spec, 'owner')) ??
    (await roleProblem(client, spec, route)) ??
    (await sessionProblem(spec, secret, route, table)) ??
    `${route.streamRole} can become the only writer of the table`
  );
}

/** Returns the columns whose values a writer chooses. Postgres computes the others from them. */
const writtenBy = ({ columns }: TableCatalog): string[] =>
  columns.filter(({ generated }) => !generated).map(({ name }) => name);

/** Checks that Sluice's role may create triggers. Refuses a table with row security. */
function accessProblem(spec: MigrationSpec, table: TableCatalog): Answer | null {
  if (!table.isOwner)
    return {
      detail: `only the owner, ${table.owner}, may create a trigger on the table`,
      remedy: `GRANT ${plainIdent(table.owner)} TO ${plainIdent(targetPostgres(spec).user)}`,
    };
  if (table.rowSecurity)
    return {
      detail: 'the table has row security, which decides which rows each role sees',
      remedy: 'use route.type: postgres-view',
    };
  return null;
}

/** Checks that the stream can write the query's columns, and that no other column needs a value. */
async function columnProblem(
  client: pg.ClientBase,
  { sql }: { readonly sql: string },
  name: string,
): Promise<Answer | null> {
  const written = (await describeQuery(client, sql)).map((c) => c.name);
  const { rows } = await client.query<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND
       CASE WHEN attname = ANY ($2) THEN attgenerated <> '' OR attidentity = 'a' ELSE attnotnull AND NOT atthasdef AND attidentity = '' END ORDER BY attnum`,
    [name, written],
  );
  if (rows.length === 0) return null;
  return {
    detail: `the stream could not write these columns: ${rows.map((row) => row.name).join(', ')} (generated, or NOT NULL without a default)`,
    remedy:
      'make batch.query compute every column that needs a value, and no column that the table computes itself',
  };
}

/** Checks that no foreign key changes another table when the commit changes rows of the table. */
async function foreignKeyProblem(
  client: pg.ClientBase,
  route: SharedTablePlan,
  { result: { key }, query }: BatchSpec,
): Promise<Answer | null> {
  const all = (await describeQuery(client, query.sql)).map(({ name }) => name);
  const written = { key, all };
  const onDelete = await followers(client, route, written, 'delete');
  if (onDelete.length > 0)
    return {
      detail: `a foreign key of ${onDelete.join(', ')} follows the deletes of the table (ON DELETE CASCADE, SET NULL or SET DEFAULT), and the commit removes rows that the stream lacks`,
      remedy: 'change the foreign key to ON DELETE NO ACTION, or use route.type: postgres-view',
    };
  const onUpdate = await followers(client, route, written, 'update');
  return onUpdate.length === 0
    ? null
    : {
        detail: `a foreign key of ${onUpdate.join(', ')} follows the updates of the table (ON UPDATE CASCADE, SET NULL or SET DEFAULT), and the commit updates rows that differ from the stream's`,
        remedy: 'change the foreign key to ON UPDATE NO ACTION, or use route.type: postgres-view',
      };
}

async function roleProblem(
  client: pg.ClientBase,
  { spec }: MigrationSpec,
  { batchRole, streamRole }: SharedTablePlan,
): Promise<Answer | null> {
  const { user } = targetPostgres({ spec });
  const { rows } = await client.query<Record<string, string>>(
    `SELECT rolname AS role, rolsuper::text AS super, pg_has_role(rolname, 'MEMBER')::text AS ours FROM pg_roles WHERE rolname = ANY ($1)`,
    [[batchRole, streamRole]],
  );
  const role = (name: string) => rows.find((row) => row['role'] === name);
  const missing = [batchRole, streamRole].filter((name) => !role(name));
  if (missing.length > 0)
    return {
      detail: `these roles do not exist: ${missing.join(', ')}`,
      remedy: 'correct cutover.route, or create the role',
    };
  if (role(batchRole)!['super'] === 'true')
    return {
      detail: `${batchRole} is a superuser, so its privileges to write to the table cannot be revoked`,
      remedy: 'run the batch with a separate role',
    };
  if (role(streamRole)!['ours'] !== 'true')
    return {
      detail: `${user} cannot act as ${streamRole}, the role with which the sink writes`,
      remedy: `GRANT ${quoteIdent(streamRole)} TO ${quoteIdent(user)}`,
    };
  return null;
}

/**
 * Opens a session as the sink will. A connection pooler may drop the options of the session, or the
 * role may lack a privilege. Returns null if the session works.
 */
async function sessionProblem(
  spec: MigrationSpec,
  secret: ResolveSecret,
  route: SharedTablePlan,
  table: TableCatalog,
): Promise<Answer | null> {
  const { streamRole } = route;
  const ask = (session: pg.Client) =>
    session.query<{ role: string; lacks: string | null }>(
      `SELECT current_user::text AS role, (SELECT array_to_json(array_agg(p))::text FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p
          WHERE NOT has_schema_privilege(n.oid, 'USAGE') OR NOT has_table_privilege(c.oid, p)) AS lacks
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`,
      [table.name.schema, table.name.table],
    );
  let answer: { role: string; lacks: string | null };
  try {
    answer = (
      await readTarget(spec, secret, ask, {
        startup: sessionOptions(tableOwner(route.streamRole, 0, 0)),
      })
    ).rows[0]!;
  } catch (error) {
    return {
      detail: `Sluice cannot open a session as ${streamRole}: ${(error as Error).message}`,
      remedy:
        'connect to the database itself, not to a pooler that drops the options of a connection',
    };
  }
  if (answer.role !== streamRole)
    return {
      detail: `a session that was opened as ${streamRole} runs as ${answer.role}`,
      remedy: 'connect to the database itself, not to a pooler',
    };
  if (answer.lacks === null) return null;
  const lacks = JSON.parse(answer.lacks) as string[];
  const [schema, role] = [quoteIdent(table.name.schema), quoteIdent(streamRole)];
  return {
    detail: `${streamRole} lacks ${lacks.join(', ')} on the table`,
    remedy: `GRANT USAGE ON SCHEMA ${schema} TO ${role}; GRANT SELECT, INSERT, UPDATE, DELETE ON ${qualified(table.name)} TO ${role}`,
  };
}
