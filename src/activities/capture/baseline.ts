// Takes the baseline, which records what the legacy database contained before the initial load. If
// the migration adopts a running capture, the baseline records what the database contained at the
// adoption.
import { createHash } from 'node:crypto';
import type pg from 'pg';
import { readTable, type TableCatalog } from '../../clients/postgres/catalog.js';
import { readSource, transaction } from '../../clients/postgres/connection.js';
import { serverIdentity } from '../../clients/postgres/server-identity.js';
import { Problem } from '../../domain/failure.js';
import type { Lsn } from '../../domain/values/position.js';
import type { Deps } from '../runtime/deps.js';
import { insertLsn } from '../../clients/postgres/wal-position.js';
import { withPlan, type Planned } from '../runtime/with-plan.js';

export interface Baseline {
  readonly lsn: Lsn;
  readonly server: string;
  readonly tables: readonly {
    readonly table: string;
    /** Null if the table is too large to be counted and the planner has no estimate of its rows. */
    readonly rows: number | null;
    /** True if the rows were not counted, because a count would read the whole table. */
    readonly isEstimate?: boolean;
    readonly bytes: number;
    readonly fingerprint: string;
  }[];
}

/**
 * Only tables up to this size are counted. A count reads the whole table, so it could take minutes
 * for a large one.
 */
const COUNTED_BYTES = 256 * 2 ** 20;

/** Counts the rows of a small table. For a large table, returns the planner's estimate, if any. */
export async function rowsOf(
  client: Pick<pg.ClientBase, 'query'>,
  { bytes, rowsEstimate }: Pick<TableCatalog, 'bytes' | 'rowsEstimate'>,
  sql: string,
): Promise<Pick<Baseline['tables'][number], 'rows' | 'isEstimate'>> {
  if (bytes > COUNTED_BYTES)
    return { rows: rowsEstimate > 0 ? rowsEstimate : null, isEstimate: true };
  const { rows } = await client.query<Record<string, string>>(`SELECT count(*) AS n FROM ${sql}`);
  return { rows: Number(rows[0]!['n']) };
}

export function createBaselineActivities({ secret }: Pick<Deps, 'secret'>) {
  return withPlan({
    /**
     * Reads the WAL position, the server's identity, and three facts of each table in one
     * transaction. The facts are a fingerprint of its definition, its number of rows, and its size.
     */
    async takeBaseline({ plan }: Planned): Promise<Baseline> {
      return readSource(plan, secret, (client) =>
        transaction(client, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', async () => {
          const lsn = await insertLsn(client);
          const tables: Baseline['tables'][number][] = [];
          for (const { text, sql } of plan.tables) {
            const catalog = await readTable(client, text);
            if (!catalog) throw new Problem('preflight-failed', `table ${text} is gone`);
            const shape = JSON.stringify([catalog.columns, catalog.key, catalog.replicaIdentity]);
            tables.push({
              table: text,
              ...(await rowsOf(client, catalog, sql)),
              bytes: catalog.bytes,
              fingerprint: createHash('sha256').update(shape).digest('hex').slice(0, 16),
            });
          }
          return { lsn, server: await serverIdentity(client), tables };
        }),
      );
    },
  });
}
