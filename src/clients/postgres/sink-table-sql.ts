// Creates the sink's table. It has the columns that the batch's query computes, with the types,
// collations and NOT NULLs of the result table.
import { describeQuery } from './catalog.js';
import { copyReadRights } from './consumer-access.js';
import { columnTypes } from './consumer-view.js';
import type { Databases } from './target-connection.js';
import { Problem } from '../../domain/failure.js';
import { parseTableName, qualified, quoteIdent } from '../../domain/migration/names.js';
import type { BatchSpec } from '../../domain/migration/spec.js';

/**
 * Creates the sink's table in the caller's transaction on the target. The batch's query is parsed
 * on the source, which returns its columns. The sink's table gets the SELECT privileges of the
 * result table. Throws Problem `preflight-failed` if the result table lacks one of the columns.
 */
export async function createSinkTable(
  { source, target }: Databases,
  batch: BatchSpec,
  name: string,
): Promise<void> {
  const result = parseTableName(batch.result.table);
  const types = new Map((await columnTypes(target, result)).map((column) => [column.name, column]));
  const columns = (await describeQuery(source, batch.query.sql)).map(({ name: column }) => {
    const like = types.get(column);
    if (!like)
      throw new Problem(
        'preflight-failed',
        `the result table ${batch.result.table} has no column ${column} of the query`,
      );
    const collation = like.collation === '' ? '' : ` COLLATE ${like.collation}`;
    return `${quoteIdent(column)} ${like.type}${collation}${like.notNull ? ' NOT NULL' : ''}`;
  });
  const table = parseTableName(name);
  const key = batch.result.key.map(quoteIdent).join(', ');
  await target.query(
    `CREATE TABLE ${qualified(table)} (${columns.join(', ')}, PRIMARY KEY (${key}))`,
  );
  await copyReadRights(target, result, table);
}
