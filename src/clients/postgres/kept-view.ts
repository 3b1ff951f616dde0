// Keeps the text that the consumers' view had before the commit of the cut-over. The text is in the
// schema of the lease row. The transaction of the commit stores it and switches the view, so that
// neither happens without the other.
import type pg from 'pg';
import { quoteIdent, quoteLiteral } from '../../domain/migration/names.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';

export interface KeptView {
  /** The view's `pg_get_viewdef` before the switch, with an empty search_path. */
  readonly before: string;
  /**
   * The view's `pg_get_viewdef` after the switch. If the view's current text differs from this
   * text, a person has edited the view since the switch.
   */
  readonly after: string;
}

const tableOf = (schema: string): string => `${quoteIdent(schema)}.kept_view`;

export async function keepView(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  { before, after }: KeptView,
): Promise<void> {
  const table = tableOf(plan.names.leaseSchema);
  await client.query(
    `CREATE TABLE IF NOT EXISTS ${table} (migration text PRIMARY KEY, before text NOT NULL, after text NOT NULL)`,
  );
  await client.query(
    `INSERT INTO ${table} VALUES ($1, $2, $3) ON CONFLICT (migration) DO UPDATE SET before = excluded.before, after = excluded.after`,
    [plan.metadata.name, before, after],
  );
}

/** Returns the kept texts, or null if the commit kept no texts. */
export async function keptView(
  client: pg.ClientBase,
  plan: ResolvedPlan,
): Promise<KeptView | null> {
  const table = await existing(client, plan);
  if (!table) return null;
  return (
    (
      await client.query<KeptView & Record<string, string>>(
        `SELECT before, after FROM ${table} WHERE migration = $1`,
        [plan.metadata.name],
      )
    ).rows[0] ?? null
  );
}

export async function forgetView(client: pg.ClientBase, plan: ResolvedPlan): Promise<void> {
  const table = await existing(client, plan);
  if (table) await client.query(`DELETE FROM ${table} WHERE migration = $1`, [plan.metadata.name]);
}

async function existing(client: pg.ClientBase, plan: ResolvedPlan): Promise<string | null> {
  const table = tableOf(plan.names.leaseSchema);
  const { rows } = await client.query<{ found: string | null }>(
    `SELECT to_regclass(${quoteLiteral(table)})::text AS found`,
  );
  return rows[0]?.found ? table : null;
}

/** Returns SQL that drops the table before the lease row's schema is removed. */
export const dropKeptViewSql = (schema: string): string =>
  `DROP TABLE IF EXISTS ${tableOf(schema)}`;
