// Checks that row-level security hides no row of a table from the logins that read it.
import type pg from 'pg';
import { rowSecurityOf } from '../../clients/postgres/consumer-access.js';
import type { TableCatalog } from '../../clients/postgres/catalog.js';
import { captureUser } from '../../domain/access/privilege.js';
import { plainIdent, qualified } from '../../domain/migration/names.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import { hasState, SQLSTATE } from '../../domain/values/sqlstate.js';
import type { Answer } from '../runtime/make-finding.js';

/**
 * Checks that the worker's login sees every row. If the connector makes the initial load with a
 * login of its own, also checks that login. Debezium does not set `row_security = off`, so its load
 * would silently omit the hidden rows.
 */
export async function everyRowIsVisible(
  client: pg.ClientBase,
  plan: ResolvedPlan,
  table: TableCatalog,
  { readsOnly }: { readonly readsOnly: boolean },
): Promise<Answer> {
  const { user } = plan.spec.source.postgres;
  const loader = captureUser(plan);
  const { hasSlot, loading } = plan.capture;
  const isAsked = hasSlot && !loading.copies && !readsOnly && loader !== user;
  const ofWorker = await visibleToWorker(client, table, plainIdent(user));
  if (!isAsked || (await rowSecurityOf(client, table.name, loader)) === '') return ofWorker;
  const ofLoader = {
    detail: `row-level security applies to the connector's login ${loader}, so the initial load can omit rows`,
    remedy: `ALTER ROLE ${plainIdent(loader)} BYPASSRLS`,
  };
  if (typeof ofWorker === 'string') return ofLoader;
  return {
    detail: `${ofWorker.detail}; ${ofLoader.detail}`,
    remedy: `${ofWorker.remedy}; ${ofLoader.remedy}`,
  };
}

/**
 * Reads a row as the worker. Postgres reports a missing USAGE on the schema with the same SQLSTATE
 * as row security, but a missing USAGE needs a different remedy.
 */
async function visibleToWorker(
  client: pg.ClientBase,
  { name }: TableCatalog,
  user: string,
): Promise<Answer> {
  try {
    await client.query('SET row_security = off');
    await client.query(`SELECT 1 FROM ${qualified(name)} LIMIT 1`);
    return 'the role sees every row';
  } catch (error) {
    if (!hasState(error, SQLSTATE.insufficientPrivilege)) throw error;
    const { message } = error as Error;
    if (message.includes('row-level security'))
      return {
        detail: 'row-level security hides rows from the role',
        remedy: `ALTER ROLE ${user} BYPASSRLS`,
      };
    if (message.includes('for schema'))
      return {
        detail: `the role cannot use schema ${name.schema}`,
        remedy: `GRANT USAGE ON SCHEMA ${plainIdent(name.schema)} TO ${user}`,
      };
    throw error;
  }
}
