// The baseline records what the legacy database held before anything was captured.
import { createHash } from 'node:crypto';
import { readTable } from '../../clients/postgres/catalog.js';
import { readSource, transaction } from '../../clients/postgres/connection.js';
import { serverIdentity } from '../../clients/postgres/server-identity.js';
import { Problem } from '../../domain/failure.js';
import type { Lsn } from '../../domain/values/position.js';
import type { Deps } from '../runtime/deps.js';
import { insertLsn } from '../barrier/marker.js';
import { withPlan, type Planned } from '../runtime/with-plan.js';

export interface Baseline {
  readonly lsn: Lsn;
  readonly server: string;
  readonly tables: readonly {
    readonly table: string;
    readonly rows: number;
    readonly bytes: number;
    readonly fingerprint: string;
  }[];
}

export function createBaselineActivities({ secret }: Pick<Deps, 'secret'>) {
  return withPlan({
    /**
     * Reads each table's schema fingerprint, row count and size, and the WAL position, in one
     * snapshot.
     */
    async takeBaseline({ plan }: Planned): Promise<Baseline> {
      return readSource(plan, secret, (client) =>
        transaction(client, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', async () => {
          const lsn = await insertLsn(client);
          const tables: Baseline['tables'][number][] = [];
          for (const { text, sql } of plan.tables) {
            const catalog = await readTable(client, text);
            if (!catalog) throw new Problem('preflight-failed', `table ${text} is gone`);
            const count = await client.query<Record<string, string>>(
              `SELECT count(*) AS n FROM ${sql}`,
            );
            const shape = JSON.stringify([catalog.columns, catalog.key, catalog.replicaIdentity]);
            tables.push({
              table: text,
              rows: Number(count.rows[0]!['n']),
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
