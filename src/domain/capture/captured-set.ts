// Describes the captured set: the tables, rows, columns and operations that the publication
// publishes, and the tables' definitions. The set must cover everything that windows compare.
import { partitionsFact, storageFact, type Facts, type FactValue } from '../evidence/epoch.js';
import { parseTableName, qualified, quoteIdent } from '../migration/names.js';

export const OPERATIONS = ['insert', 'update', 'delete', 'truncate'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** The part of one table that a publication publishes. */
export interface PublishedTable {
  /** The spec's name for the table. If the spec does not name it, its qualified name. */
  readonly name: string;
  /** The condition of the publication's row filter. Null means every row. */
  readonly rowFilter: string | null;
  /** Columns that the table stores but the publication does not publish. */
  readonly leftOut: readonly string[];
}

export interface Publication {
  readonly name: string;
  /** A text that each change of the publication changes, even a change that undoes another one. */
  readonly version: string;
  readonly operations: readonly Operation[];
  /** True if rows of partitions are published under the name of the partitioned table. */
  readonly viaRoot: boolean;
  readonly tables: readonly PublishedTable[];
}

/** A partition of a table, or the table itself. */
export interface Relation {
  readonly name: string;
  readonly oid: string;
  readonly kind: string;
  readonly persistence: string;
  /** `default`, `full`, `nothing` or `index NAME`. */
  readonly replicaIdentity: string;
  /** The file that holds the rows, or `0` if there is none. */
  readonly file: string;
}

/** The properties of a table, as texts that a message about a change can show. */
export interface CapturedTable extends Relation {
  /** Partitions at every depth, including intermediate ones. */
  readonly partitions: readonly Relation[];
  readonly heirs: readonly string[]; // the tables that inherit from this table (INHERITS)
  readonly columns: readonly string[];
  /** The enum labels, composite attributes and domains that the columns use, at every depth. */
  readonly types: readonly string[];
  /** The definition of the primary key's index, or null if there is no primary key. */
  readonly key: string | null;
  readonly rowSecurity: readonly string[];
}

/** A problem of the capture. Windows prove nothing about rows that change while it lasts. */
export interface CaptureProblem {
  readonly code: 'capture-changed' | 'connector-drift' | 'connector-gone';
  readonly detail: string;
  readonly remedy: string;
}

const RELATION_KIND: Readonly<Record<string, string>> = {
  r: 'table',
  p: 'partitioned table',
  f: 'foreign table',
  v: 'view',
  m: 'materialized view',
};
const PERSISTENCE: Readonly<Record<string, string>> = { p: '', u: 'unlogged ', t: 'temporary ' };
const kindOf = ({ kind, persistence }: Relation): string =>
  `${PERSISTENCE[persistence] ?? persistence}${RELATION_KIND[kind] ?? kind}`;

/** Returns the facts of one table. A table that does not exist has one fact. */
export function tableFacts(table: string, captured: CapturedTable | null): Facts {
  if (captured === null) return { [`table ${table}`]: 'missing' };
  const { oid, partitions } = captured;
  const relations = [captured, ...partitions];
  return {
    [`table ${table}`]: `${kindOf(captured)}, oid ${oid}`,
    [`columns of ${table}`]: captured.columns,
    [`types of ${table}`]: captured.types,
    [`key of ${table}`]: captured.key ?? 'none',
    [`replica identity of ${table}`]: relations
      .filter((r, at) => at === 0 || r.replicaIdentity !== captured.replicaIdentity)
      .map(identityEntry),
    [`row security of ${table}`]: captured.rowSecurity,
    [`heirs of ${table}`]: captured.heirs,
    [partitionsFact(table)]: partitions.map((p) => `${p.name} (${kindOf(p)}, oid ${p.oid})`),
    [storageFact(table)]: relations
      .filter(({ file }) => file !== '0')
      .map(({ name, file }) => `${name} in file ${file}`),
  };
}

const identityEntry = ({ name, replicaIdentity }: Relation): string =>
  `${replicaIdentity} (${name})`;

export function publicationFacts(name: string, publication: Publication | null): Facts {
  if (publication === null) return { [`publication ${name}`]: 'missing' };
  return {
    [`publication ${name}`]: `version ${publication.version}`,
    [`publication ${name} carries`]: carried(publication),
  };
}

function carried({ operations, tables, viaRoot }: Publication): FactValue {
  const entries = tables.flatMap(({ name, rowFilter, leftOut }) => [
    ...operations.map((operation) => `${operation}s of ${name}`),
    rowFilter === null ? `every row of ${name}` : `of ${name} only rows where ${rowFilter}`,
    ...(leftOut.length === 0
      ? [`every column of ${name}`]
      : [`${name} without ${leftOut.join(', ')}`]),
  ]);
  return [...entries, ...(viaRoot ? ["partitions under the partitioned table's name"] : [])];
}

/**
 * Returns the problem of the captured set, or null if everything that windows compare is captured.
 * `planned` has the names of the spec's tables, in the order of `tables`. An entry of `tables` is
 * null if that table does not exist.
 */
export function captureProblem(
  planned: readonly string[],
  tables: readonly (CapturedTable | null)[],
  publication: Publication | null,
  publicationName: string,
): CaptureProblem | null {
  const found = tables.flatMap((table, at) =>
    table === null ? [gone(planned[at]!)] : weaknessesOf(table),
  );
  const problems = [
    ...publicationProblems(planned, tables, publication, publicationName),
    ...found,
  ];
  if (problems.length === 0) return null;
  return {
    code: 'capture-changed',
    detail: problems.map((p) => p.detail).join('; '),
    remedy: `${[...new Set(problems.map((p) => p.remedy))].join('; ')}. The migration then continues by itself, or at once with: sluice retry`,
  };
}

const sqlNames = (tables: readonly string[]): string =>
  tables.map((table) => qualified(parseTableName(table))).join(', ');
type Weakness = Pick<CaptureProblem, 'detail' | 'remedy'>;

const gone = (table: string): Weakness => ({
  detail: `table ${table} is gone`,
  remedy: `restore table ${table}, or run sluice rollback and start again`,
});

function publicationProblems(
  planned: readonly string[],
  tables: readonly (CapturedTable | null)[],
  publication: Publication | null,
  name: string,
): Weakness[] {
  const quoted = quoteIdent(name);
  if (publication === null) {
    return [
      {
        detail: `publication ${name} no longer exists, so no change of any table reaches its topic`,
        remedy: `CREATE PUBLICATION ${quoted} FOR TABLE ${sqlNames(planned)} WITH (publish_via_partition_root = true)`,
      },
    ];
  }
  const problems: Weakness[] = [];
  const missing = OPERATIONS.filter((operation) => !publication.operations.includes(operation));
  if (missing.length > 0) {
    const what = missing.map((operation) => `${operation}s`).join(', ');
    const remedy = `ALTER PUBLICATION ${quoted} SET (publish = '${OPERATIONS.join(', ')}')`;
    problems.push({
      detail: `publication ${name} no longer carries ${what} of ${planned.join(', ')}`,
      remedy,
    });
  }
  if (!publication.viaRoot && tables.some((table) => table?.kind === 'p')) {
    const remedy = `ALTER PUBLICATION ${quoted} SET (publish_via_partition_root = true)`;
    problems.push({
      detail: `publication ${name} carries rows of partitions under the partitions' names`,
      remedy,
    });
  }
  return [...problems, ...planned.flatMap((table) => narrowed(table, planned, publication))];
}

/** Returns the problem if the publication leaves out a part of one table. */
function narrowed(
  table: string,
  planned: readonly string[],
  { name, tables }: Publication,
): Weakness[] {
  const published = tables.find((entry) => entry.name === table);
  const quoted = quoteIdent(name);
  if (!published) {
    const strangers = tables
      .filter((entry) => !planned.includes(entry.name))
      .map((entry) => entry.name);
    const hint =
      strangers.length > 0
        ? `; it carries ${strangers.join(', ')}, which the plan does not name, so a table may have been renamed`
        : '';
    return [
      {
        detail: `publication ${name} does not carry ${table}: either the table was removed from the publication, or another table has this name now${hint}`,
        remedy:
          `rename the captured table back, or ALTER PUBLICATION ${quoted} ADD TABLE ${sqlNames([table])} ` +
          '(windows then fail for rows that the topic lacks; to load these rows, run sluice rollback and start again)',
      },
    ];
  }
  const parts = [
    ...(published.rowFilter === null ? [] : [`only rows where ${published.rowFilter}`]),
    ...(published.leftOut.length === 0 ? [] : [`no column ${published.leftOut.join(', ')}`]),
  ];
  if (parts.length === 0) return [];
  const remedy = `ALTER PUBLICATION ${quoted} SET TABLE ${sqlNames(planned)}`;
  const detail = `publication ${name} carries only a part of ${table}: ${parts.join(' and ')}`;
  return [{ detail, remedy }];
}

/** Returns the reasons why the log does not carry every change of a table or its partitions. */
function weaknessesOf(table: CapturedTable): Weakness[] {
  const problems: Weakness[] = [];
  for (const part of [table, ...table.partitions]) {
    if (!['r', 'p'].includes(part.kind) || part.persistence !== 'p') {
      const remedy = `detach ${part.name}, or replace it with an ordinary, logged table`;
      problems.push({
        detail: `rows of the ${kindOf(part)} ${part.name} never reach the log`,
        remedy,
      });
    }
    if (
      part.replicaIdentity !== 'full' &&
      !(part.replicaIdentity === 'default' && table.key !== null)
    ) {
      const detail = `replica identity of ${part.name} is ${part.replicaIdentity}, so updates and deletes do not contain the primary key`;
      problems.push({ detail, remedy: `ALTER TABLE ${part.name} REPLICA IDENTITY DEFAULT` });
    }
  }
  if (table.key === null)
    problems.push({
      detail: `${table.name} no longer has a primary key`,
      remedy: `ALTER TABLE ${table.name} ADD PRIMARY KEY (…)`,
    });
  if (table.heirs.length > 0) {
    const detail = `${table.heirs.join(', ')} inherit from ${table.name}: a query of ${table.name} also reads their rows, but the log has these rows under the inheriting tables`;
    problems.push({ detail, remedy: `ALTER TABLE ${table.heirs[0]} NO INHERIT ${table.name}` });
  }
  return problems;
}
