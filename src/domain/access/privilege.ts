// Describes one right of a role, and builds the rights that several lists of this folder contain.
import { parseTableName, plainIdent, plainName, quoteLiteral } from '../migration/names.js';
import { hasOnSchema, hasOnTable, mayReplicate } from './privilege-conditions.js';
import { hasTarget } from '../migration/databases.js';
import type { MigrationSpec } from '../migration/spec.js';

export type Part = 'capture' | 'administration' | 'reading' | 'sink';

export interface Privilege {
  readonly part: Part;
  /** Set if the right is granted in a target that is not the source. */
  readonly in?: 'target';
  /** The SQL statement that grants the right, without a semicolon. */
  readonly sql: string;
  /** The object of the right: a database, a schema, a table, a view or a role. */
  readonly subject: string;
  readonly why: string;
  /** What fails without the right. It is usually a check. It can also be a phase and its error. */
  readonly without: string;
  /** An SQL condition that is true if the role has the right. */
  readonly has: string;
  /** A check whose success proves the right, even if the catalog does not show the right. */
  readonly provenBy?: 'source.replication';
  /**
   * True if the migration works without this right. `without` says what Sluice cannot see then.
   */
  readonly optional?: boolean;
}

/** Marks rights as rights in the target database, if the target is not the source. */
export const inTarget = (spec: MigrationSpec, list: readonly Privilege[]): readonly Privilege[] =>
  hasTarget(spec) ? list.map((privilege) => ({ ...privilege, in: 'target' })) : list;

/** Facts that only the database itself knows, so they must be read from it. */
export interface PrivilegeFacts {
  /**
   * The owner of each relation that the spec names. A relation that does not exist has no entry.
   */
  readonly owners: ReadonlyMap<string, string>;
  /** Those owners that are superusers. A member of such a role can get every right. */
  readonly superusers: ReadonlySet<string>;
  /**
   * The role whose members may replicate on a managed service. Null if this server uses the
   * attribute REPLICATION instead.
   */
  readonly replicationRole: string | null;
  /**
   * Relations that the spec's queries and batch actions (such as `batch.pause`) read, as
   * `schema.name`.
   */
  readonly reads: readonly string[];
  /** Relations that the spec's batch actions change, as `schema.name`. */
  readonly writes: readonly string[];
}

/** Warns about an owner whose members get more rights than Sluice needs. */
export const SUPERUSER_OWNER =
  'CAUTION: this owner is a superuser, so its members can get every right; rather give the relation to another owner';

export const caution = (facts: PrivilegeFacts | null, owner: string | undefined): string =>
  owner !== undefined && facts?.superusers.has(owner) ? `; ${SUPERUSER_OWNER}` : '';

export const captureUser = ({ spec }: MigrationSpec): string =>
  spec.connector.config['database.user'] ?? spec.source.postgres.user;

/** Returns the right to connect to a database. Roles have it, unless it was revoked from PUBLIC. */
export const login = (
  part: Part,
  role: string,
  database: string,
  why: string,
  without: string,
): Privilege => ({
  part,
  sql: `GRANT CONNECT ON DATABASE ${plainIdent(database)} TO ${plainIdent(role)}`,
  subject: `database ${database}`,
  why,
  without,
  has: `has_database_privilege(${quoteLiteral(role)}, current_database(), 'CONNECT')`,
});

export const select = (
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

export function usage(part: Part, role: string, relations: readonly string[]): Privilege[] {
  return [...new Set(relations.map(schemaOf))].map((schema) => ({
    part,
    sql: `GRANT USAGE ON SCHEMA ${plainIdent(schema)} TO ${plainIdent(role)}`,
    subject: `schema ${schema}`,
    why: 'without this privilege, no relation of the schema is accessible',
    without: `doctor: schema ${schema} is not accessible`,
    has: hasOnSchema(role, schema, 'USAGE'),
  }));
}

const schemaOf = (relation: string): string => parseTableName(relation).schema;

export function replication(
  part: Part,
  role: string,
  worker: string,
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
    ...(role === worker ? { provenBy: 'source.replication' } : {}), // this check uses the worker's login
  };
}
