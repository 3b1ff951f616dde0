// Checks whether a table can be captured and compared completely. Each check only queries the
// database. If the query cannot run, the check is unknown.
import type pg from 'pg';
import {
  PUBLISHES_GENERATED,
  type ReplicaIdentity,
  type TableCatalog,
} from '../../clients/postgres/catalog.js';
import { isProvable } from '../../compare/column-types.js';
import { FURTHER_TYPES } from '../../compare/types/further-types.js';
import { WHY_GENERATED, whyUnproven } from '../../compare/types/unproven.js';
import { changelogTables } from '../../connectors/flink-changelogs.js';
import { isCarried } from '../../domain/capture/capture.js';
import type { Check } from '../../domain/evidence/check.js';
import { plainIdent, plainName, qualified } from '../../domain/migration/names.js';
import { SUPERUSER_OWNER } from '../../domain/access/privilege.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { capturedRoot } from './captured-root.js';
import { checkKey } from './keys.js';
import { checkChunks, checkCopy, type Rule } from './load-checks.js';
import { checkMessageSize } from './message-size.js';
import { everyRowIsVisible } from './row-visibility.js';
import { attempt, failed, passed } from '../runtime/make-finding.js';

/** A hint, not a failure, because windows still pass if no row with a TOASTed value is updated. */
const FAR_VALUES =
  '; the table has TOASTed values. Unless the replica identity is FULL, the WAL omits such a value from an update that does not change it. The row then counts as unknown if the type is text, JSON or numeric. It counts as different if the type is bytea, bit, PostGIS or most arrays, which arrive as NULL';

/**
 * Returns the unpublished generated columns in the replica identity of the table or of a partition.
 * Since PostgreSQL 18, a replica identity must contain only published columns. For an older server,
 * returns no columns.
 */
async function computedIdentity(
  client: pg.ClientBase,
  { capture }: ResolvedPlan,
  table: TableCatalog,
): Promise<string[]> {
  const identities = [table, ...table.leaves].map((part) => part.replicaIdentity);
  const named = table.columns.filter(
    (column) =>
      !isCarried(capture, column) &&
      (identities.includes('full') || table.key.includes(column.name)),
  );
  if (named.length === 0) return [];
  const { rows } = await client.query<{ version: string }>(
    `SELECT current_setting('server_version_num') AS version`,
  );
  return Number(rows[0]!.version) < PUBLISHES_GENERATED ? [] : named.map(({ name }) => name);
}

function checkPublishing(
  rule: Rule,
  plan: ResolvedPlan,
  table: TableCatalog,
  computed: readonly string[],
): void {
  const q = qualified(table.name);
  if (computed.length > 0)
    rule(
      'table.replica-identity',
      false,
      '',
      `the replica identity has generated columns (${computed.join(', ')}), which are not published: publishing this table would break the application's UPDATE and DELETE`,
      `use replica identity DEFAULT with a primary key that has no generated columns (ALTER TABLE ${q} REPLICA IDENTITY DEFAULT)`,
    );
  const mayBePublished = (identity: ReplicaIdentity): boolean =>
    identity === 'full' ||
    (identity === 'default' && table.key.length > 0 && !table.isKeyDeferrable);
  const weak = [{ name: q, replicaIdentity: table.replicaIdentity }, ...table.leaves].find(
    (part) => !mayBePublished(part.replicaIdentity),
  );
  const identity = weak?.replicaIdentity ?? table.replicaIdentity;
  const where = weak && weak.name !== q ? ` of partition ${weak.name}` : '';
  if (computed.length === 0 || weak)
    rule(
      'table.replica-identity',
      !weak,
      `replica identity ${identity}${identity === 'default' && table.holdsFarValues ? FAR_VALUES : ''}`,
      identity === 'index'
        ? `replica identity${where} uses an index that is not the primary key`
        : identity === 'default' && table.isKeyDeferrable
          ? `the primary key (${table.key.join(', ')}) of ${q} is DEFERRABLE and therefore cannot be a replica identity: publishing this table would break the application's UPDATE and DELETE`
          : `replica identity ${identity}${where} without a key: publishing this table would break the application's UPDATE and DELETE`,
      table.isKeyDeferrable
        ? `make the key NOT DEFERRABLE (drop it and add it again), or ALTER TABLE ${q} REPLICA IDENTITY FULL`
        : 'use replica identity DEFAULT with a primary key, or FULL',
    );
  rule(
    'table.owner',
    table.isOwner,
    'the role may publish it',
    `only the owner, ${table.owner}, may publish the table${table.isOwnerSuperuser ? ` (${SUPERUSER_OWNER})` : ''}`,
    `GRANT ${plainIdent(table.owner)} TO ${plainIdent(plan.spec.source.postgres.user)}`,
  );
}

/**
 * Debezium finds columns by their name in lower case. It fails at the first read of a table in
 * which two columns have the same name in lower case.
 */
function checkColumnNames(rule: Rule, { columns, name }: TableCatalog): void {
  const lower = columns.map((column) => column.name.toLowerCase());
  const twins = columns.filter(
    (_, at) => lower.indexOf(lower[at]!) !== lower.lastIndexOf(lower[at]!),
  );
  const names = twins.map((column) => column.name);
  rule(
    'table.column-names',
    names.length === 0,
    'no two columns differ only by case',
    `these columns differ only by case, and the connector refuses such a table: ${names.join(', ')}`,
    `rename one of them: ALTER TABLE ${qualified(name)} RENAME COLUMN ${plainIdent(names[0] ?? '')} TO …`,
  );
}

/** Returns a reason if the write-ahead log lacks rows of the table, otherwise null. */
function unloggedPart({ kind, persistence, leaves }: TableCatalog): string | null {
  if (!['r', 'p'].includes(kind) || persistence !== 'p') return 'not an ordinary, logged table';
  const foreign = leaves.find((leaf) => leaf.kind !== 'r' || leaf.persistence !== 'p');
  return foreign ? `partition ${foreign.name} is not an ordinary, logged table` : null;
}

/** `root` is the table of the spec of which this table is a partition, or null. */
function checkKind(
  rule: Rule,
  table: TableCatalog,
  root: string | null,
  carriesHeirs: boolean,
): void {
  if (root !== null)
    return rule(
      'table.kind',
      false,
      '',
      `a partition of ${root}, which the spec also names: its changes are published only under that name`,
      `remove the partition from spec.source.tables, or remove ${root} and name its partitions`,
    );
  const unlogged = unloggedPart(table);
  rule(
    'table.kind',
    unlogged === null && (carriesHeirs || table.heirs.length === 0),
    table.kind === 'p'
      ? `a partitioned table, ${table.leaves.length} partitions`
      : 'an ordinary table',
    unlogged ??
      `${table.heirs.join(', ')} inherit from it: a query of the table also returns their rows, but the WAL records them under the names of these tables`,
    'name ordinary or partitioned tables',
  );
}

/** Checks a table. If `readsOnly` is true, skips the checks that only a new capture needs. */
export async function checkTable(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  text: string,
  table: TableCatalog,
  { readsOnly = false } = {},
): Promise<Check[]> {
  const checks: Check[] = [];
  const { carriesHeirs, hasSlot, loading } = plan.capture;
  const rule: Rule = (name, ok, good, bad, remedy) =>
    void checks.push(ok ? passed(name, text, good) : failed(name, text, bad, remedy));
  const q = qualified(table.name);
  const root = hasSlot && !readsOnly ? await capturedRoot(client, plan, table.name) : null;
  checkKind(rule, table, root, carriesHeirs);
  rule(
    'table.key',
    table.key.length > 0,
    `primary key (${table.key.join(', ')})`,
    'no primary key',
    `ALTER TABLE ${q} ADD PRIMARY KEY (…)`,
  );
  checks.push(...checkKey(plan, text, table));
  if (hasSlot && !readsOnly) {
    checkColumnNames(rule, table);
    checkPublishing(rule, plan, table, await computedIdentity(client, plan, table));
  }
  if (!readsOnly && changelogTables(plan).includes(text)) {
    const remedy = `ALTER TABLE ${q} REPLICA IDENTITY FULL, or read \`after\` with upsert-kafka`;
    const bad = `the pipeline reads it as debezium-json, and replica identity ${table.replicaIdentity} omits the old version of a row. The job would fail at the first update, and restart forever`;
    rule(
      'table.before-image',
      [table, ...table.leaves].every((part) => part.replicaIdentity === 'full'),
      'every change contains the old version of the row',
      bad,
      remedy,
    );
  }
  const user = plainIdent(plan.spec.source.postgres.user);
  const toRead = `GRANT SELECT ON ${plainName(text)} TO ${user}`;
  rule('table.select', table.canSelect, 'the role can read it', 'the role cannot read it', toRead);
  // This check also runs if the role may not read the table. Otherwise, a waiver of table.select
  // would also skip the check of hidden rows.
  const look = () => everyRowIsVisible(client, plan, table, { readsOnly });
  checks.push(
    await (table.canSelect
      ? attempt('table.row-security', look, text)
      : attempt('table.row-security', look, text, toRead)),
  );
  checkTypes(rule, plan, text, table);
  if (readsOnly) return checks;
  if (table.canSelect) checks.push(await checkMessageSize(client, plan.capture, text, table));
  if (loading.copies) checkCopy(rule, plan, table);
  if (loading.isSignalled) checkChunks(rule, table);
  return checks;
}

/** Checks that every compared column is captured, and that its values can be proven equal. */
function checkTypes(rule: Rule, plan: ResolvedPlan, text: string, table: TableCatalog): void {
  const ignored = new Set(plan.spec.validation.compare.ignore);
  const compared = table.columns.filter(
    ({ name }) => !ignored.has(name) && !ignored.has(`${text}.${name}`),
  );
  const isWeak = (c: (typeof compared)[number]): boolean =>
    !isCarried(plan.capture, c) || !isProvable(c.type);
  const weak = compared.filter(isWeak);
  // Some connectors omit or change values of rare types. A failed finding also lists the columns of
  // rare types that can be compared, so that people do not exclude them.
  const rare = compared.filter((c) => !isWeak(c) && c.type in FURTHER_TYPES);
  const safe = rare.map(({ name, declared }) => `${name} (${declared})`).join(', ');
  const published = compared.filter((c) => c.generated && !isWeak(c)).map(({ name }) => name);
  rule(
    'table.types',
    weak.length === 0,
    `each of the ${table.columns.length} columns can be compared, or the spec leaves it out${published.length > 0 ? `; among them are the generated columns ${published.join(', ')}` : ''}`,
    `these columns cannot be proven equal: ${weak.map(({ name, ...c }) => `${name} (${isCarried(plan.capture, c) ? `${c.declared}: ${whyUnproven(c.type)}` : WHY_GENERATED})`).join(', ')}${safe ? `; these columns of rare types can be compared: ${safe}` : ''}`,
    'add the columns that cannot be proven to validation.compare.ignore, and tell the approvers',
  );
}
