// Tests the check `table.column-names`, which refuses columns that differ only by case.
import { describe, expect, it } from 'vitest';
import { checkTable } from '../../src/activities/checks/table-checks.js';
import type { TableCatalog } from '../../src/clients/postgres/catalog.js';
import { openChecks } from '../../src/domain/evidence/check.js';
import { aPlan } from '../support/builders.js';

/**
 * Returns the findings of this check about a table with these columns. The check needs no database
 * session. Other checks of the table fail without one, so their findings are left out.
 */
async function findings(columns: readonly string[], readsOnly = false): Promise<string[]> {
  const table = {
    name: { schema: 'public', table: 't' },
    kind: 'r',
    persistence: 'p',
    leaves: [],
    heirs: [],
    columns: columns.map((name) => ({ name, type: 'text', declared: 'text', notNull: true })),
    key: [columns[0]!],
    replicaIdentity: 'default',
    isOwner: true,
    canSelect: false,
  } as unknown as TableCatalog;
  const checks = await checkTable(null as never, aPlan(), 'public.t', table, { readsOnly });
  return openChecks(checks)
    .filter(({ name }) => name === 'table.column-names')
    .map(({ detail, remedy }) => `${detail}; ${remedy}`);
}

describe('the check of column names', () => {
  it('fails if columns differ only by case, because the connector refuses such a table', async () => {
    expect(await findings(['id', 'Note', 'NOTE', 'é', 'É', 'x'])).toEqual([
      'these columns differ only by case, and the connector refuses such a table: Note, NOTE, é, É; rename one of them: ALTER TABLE "public"."t" RENAME COLUMN "Note" TO …',
    ]);
  });
  it('passes if the names differ by more than case, or if the capture runs already', async () => {
    expect(await findings(['id', 'Note', 'note_', ' note'])).toEqual([]);
    expect(await findings(['id', 'Note', 'note'], true)).toEqual([]);
  });
});
