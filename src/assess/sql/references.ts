// Finds the places where a query names a relation, and replaces them with sub-queries. Everything
// else stays as it was written.
import { parseSync } from 'libpg-query';
import { quoteIdent } from '../../domain/migration/names.js';
import { field, list, textOf, walk } from './ast.js';

/** One place in a query's text where a relation is named. */
export interface Reference {
  /** The offset of the name in the query, in bytes. */
  readonly start: number;
  /** The name as it is written. */
  readonly written: string;
  /** Null if the query names no schema, so that the search path decides. */
  readonly schema: string | null;
  readonly name: string;
  readonly hasAlias: boolean;
}

const IDENT = String.raw`(?:"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*)`;
const WRITTEN = new RegExp(String.raw`^${IDENT}(?:\s*\.\s*${IDENT})?`, 'iu');

/**
 * Lists the places where the query names relations, except its own CTEs. Throws an Error with the
 * reason if a sub-query could not safely replace a relation. The parser MUST be loaded.
 */
export function referencesOf(query: string): Reference[] {
  const bytes = Buffer.from(query, 'utf8');
  const tree = parseSync(query);
  if (list(tree, 'stmts').length !== 1) throw new Error('it is not one statement');
  const ctes = new Set<string>();
  walk(tree, ({ kind, node }) => {
    if (kind === 'CommonTableExpr') ctes.add(textOf(node['ctename']));
    if (field(node['withClause'], 'recursive') === true) throw new Error('it is recursive');
    if (kind === 'RangeTableSample') throw new Error('it reads a random sample (TABLESAMPLE)');
    if (kind === 'LockingClause') throw new Error('it locks rows (FOR UPDATE)');
  });
  const found: Reference[] = [];
  walk(tree, ({ kind, node }) => {
    if (kind !== 'RangeVar') return;
    const schema = typeof node['schemaname'] === 'string' ? node['schemaname'] : null;
    const name = textOf(node['relname']);
    if (schema === null && ctes.has(name)) return;
    if (node['inh'] !== true) throw new Error(`it reads ONLY ${name}`);
    const start = Number(node['location'] ?? 0);
    const written = WRITTEN.exec(bytes.subarray(start).toString('utf8'))?.[0];
    if (written === undefined || !says(written, schema, name))
      throw new Error(`it names ${name} in a way that cannot be replaced`);
    const hasAlias = field(node['alias'], 'aliasname') !== undefined;
    found.push({ start, written, schema, name, hasAlias });
  });
  return found;
}

/**
 * Returns whether the text spells exactly this name. Returns false for a name with Unicode escapes,
 * and for a name that begins with a database.
 */
function says(written: string, schema: string | null, name: string): boolean {
  const parts = written.match(new RegExp(IDENT, 'gu')) ?? [];
  const plain = parts.map((part) =>
    part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part.toLowerCase(),
  );
  return plain.join('\0') === (schema === null ? [name] : [schema, name]).join('\0');
}

/**
 * Lists the names of CTEs in the query. A CTE may have the name of a table. The name can then mean
 * the CTE in one place and the table in another, so such a query is not aligned.
 */
export function cteNames(query: string): string[] {
  const names = new Set<string>();
  walk(parseSync(query), ({ kind, node }) => {
    if (kind === 'CommonTableExpr') names.add(textOf(node['ctename']));
  });
  return [...names];
}

/**
 * Replaces references with sub-queries. Each sub-query gets the name by which the rest of the text
 * refers to its rows. If `selectOf` returns null, the place stays as it is.
 */
export function replaceReferences(
  query: string,
  references: readonly Reference[],
  selectOf: (reference: Reference) => string | null,
): string {
  let bytes = Buffer.from(query, 'utf8');
  for (const reference of [...references].sort((a, b) => b.start - a.start)) {
    const select = selectOf(reference);
    if (select === null) continue;
    const { start, written, hasAlias, name } = reference;
    const rows = `(${select}\n)${hasAlias ? '' : ` AS ${quoteIdent(name)}`}`;
    bytes = Buffer.concat([
      bytes.subarray(0, start),
      Buffer.from(rows),
      bytes.subarray(start + Buffer.byteLength(written)),
    ]);
  }
  return bytes.toString('utf8');
}
