// Tests that a waiver of one check does not hide another check that cannot run for the same reason.
import type pg from 'pg';
import { describe, expect, it } from 'vitest';
import { checkTable } from '../../src/activities/checks/table-checks.js';
import type { TableCatalog } from '../../src/clients/postgres/catalog.js';
import { applyWaivers, openChecks } from '../../src/domain/evidence/check.js';
import { aPlan } from '../support/builders.js';

const NOW = '2026-01-01T00:00:00Z';
const waiver = (check: string) => ({ check, reason: 'r', until: '2099-01-01T00:00:00Z' });
const table = {
  name: { schema: 'public', table: 't' },
  kind: 'r',
  persistence: 'p',
  leaves: [],
  heirs: [],
  columns: [{ name: 'id', type: 'int4', declared: 'integer', notNull: true, publishable: true }],
  key: ['id'],
  replicaIdentity: 'default',
  isOwner: true,
  canSelect: false,
} as unknown as TableCatalog;

/** A session of a role that may not read the table. */
const denied = {
  query: (sql: string) =>
    sql.startsWith('SELECT 1')
      ? Promise.reject(Object.assign(new Error('permission denied for table t'), { code: '42501' }))
      : Promise.resolve({ rows: [{ version: '170000' }] }),
} as unknown as pg.ClientBase;

describe('a waiver of table.select', () => {
  it('does not waive the check of row security, which is unknown without the privilege SELECT', async () => {
    const checks = await checkTable(denied, aPlan(), 'public.t', table);
    const open = openChecks(applyWaivers(checks, [waiver('table.select')], NOW));
    expect(open).toMatchObject([
      {
        name: 'table.row-security',
        status: 'unknown',
        detail: expect.stringContaining('permission denied for table t') as string,
        remedy: 'GRANT SELECT ON public.t TO sluice',
      },
    ]);
  });
});
