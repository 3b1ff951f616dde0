// Who still reads the batch's old output, as far as the database itself knows: views and materialised views over it, beside the one that was switched.
import { withSource } from '../clients/source.js';
import type { MigrationRef } from '../domain/ledger.js';
import { parseTableName, qualified, quoteLiteral } from '../domain/names.js';
import type { Deps } from './deps.js';

export function createConsumerActivities({ secret }: Pick<Deps, 'secret'>) {
  return {
    /** `view public.report`, sorted; empty without a batch. Queries of applications leave no trace to be found here. */
    async readersOfBatch({ spec }: MigrationRef): Promise<string[]> {
      const { batch, cutover } = spec.spec;
      if (!batch || cutover.route.type === 'postgres-table') return []; // a shared table has readers, as it should
      const table = quoteLiteral(qualified(parseTableName(batch.result.table)));
      const switched =
        cutover.route.type === 'postgres-view' ? ` AND c.oid IS DISTINCT FROM to_regclass(${quoteLiteral(qualified(parseTableName(cutover.route.view)))})` : '';
      const { rows } = await withSource(spec, secret, (client) =>
        client.query<Record<string, string>>(
          `SELECT DISTINCT CASE c.relkind WHEN 'm' THEN 'materialised view ' WHEN 'v' THEN 'view ' ELSE 'rule of ' END || c.oid::regclass AS reader
             FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid JOIN pg_class c ON c.oid = r.ev_class
            WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass(${table}) AND c.oid <> d.refobjid${switched} ORDER BY 1`,
        ),
      );
      return rows.map((row) => row['reader']!);
    },
  };
}
