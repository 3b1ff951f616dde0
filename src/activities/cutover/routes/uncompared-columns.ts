// Finds columns that consumers read although no window compares them. Windows compare the columns
// that the batch's query returns, except those that the spec names in `validation.compare.ignore`.
// The spec declares these exceptions, so this code does not report them.
import type pg from 'pg';
import { describeQuery } from '../../../clients/postgres/catalog.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';

/**
 * Describes the columns of `read` that are neither compared nor declared as exceptions. Returns
 * null if there are none.
 */
export async function uncomparedProblem(
  source: pg.ClientBase,
  { batch, spec }: ResolvedPlan,
  read: readonly string[],
): Promise<{ detail: string; remedy: string } | null> {
  const computed = (await describeQuery(source, batch!.query.sql)).map(({ name }) => name);
  const { ignore } = spec.validation.compare;
  const open = read.filter(
    (name) =>
      !computed.includes(name) && !ignore.includes(name) && !ignore.includes(`result.${name}`),
  );
  if (open.length === 0) return null;
  return {
    detail: `consumers read ${open.join(', ')}, which batch.query does not compute, so no window compares it`,
    remedy: `make batch.query compute ${open.join(', ')}, or list ${open.map((name) => `result.${name}`).join(', ')} in validation.compare.ignore and tell the approvers`,
  };
}
