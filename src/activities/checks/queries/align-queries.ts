// Prepares all queries of a migration for a still point: a moment at which the pipeline has
// processed everything and nothing new arrives. If one query cannot be prepared, windows compare
// all queries in settled rounds, because a window uses one mode for all of its results.
import type pg from 'pg';
import { readKeyedTable } from '../../../clients/postgres/catalog.js';
import { isProvable } from '../../../compare/column-types.js';
import { isCarried, type CaptureFacts } from '../../../domain/capture/capture.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import { because, ok, type OrReason } from '../../../domain/values/or-reason.js';
import { alignQuery, type AlignedQuery } from './align-query.js';

interface NamedQuery {
  /** The name of a stage, or `result`. */
  readonly subject: string;
  readonly sql: string;
}

/**
 * Prepares the queries without running them, and returns them in the same order. If one of them
 * cannot be aligned, returns a reason that names it.
 */
export async function alignQueries(
  client: pg.ClientBase,
  { tables, capture }: Pick<ResolvedPlan, 'tables' | 'capture'>,
  queries: readonly NamedQuery[],
): Promise<OrReason<AlignedQuery[]>> {
  const prepared: AlignedQuery[] = [];
  for (const { subject, sql: text } of queries) {
    const aligned = await alignQuery(client, tables, text);
    if (!aligned.ok) return because(`the query of ${subject}: ${aligned.reason}`);
    for (const { sql, text: table } of tables) {
      const weak = aligned.value.tables.has(sql)
        ? await unprovableColumn(client, capture, table)
        : null;
      if (weak) return because(`the query of ${subject} reads ${table}, whose ${weak}`);
    }
    prepared.push(aligned.value);
  }
  return ok(prepared);
}

/**
 * Describes the first column whose values cannot be taken from records. Returns null if there is no
 * such column.
 */
async function unprovableColumn(
  client: pg.ClientBase,
  capture: CaptureFacts,
  table: string,
): Promise<string | null> {
  const { columns } = await readKeyedTable(client, table);
  const found = columns.find((column) => !isCarried(capture, column) || !isProvable(column.type));
  if (!found) return null;
  const why = isCarried(capture, found)
    ? `has the type ${found.type}, whose values cannot be proven`
    : 'is generated';
  return `column ${found.name} ${why}`;
}
