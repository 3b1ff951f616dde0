// Tests two parts of the list of privileges: the tables that a query or an action names in quotes,
// and a caution about owners that are superusers.
import { describe, expect, it } from 'vitest';
import { relationsOf } from '../../src/activities/checks/missing-privileges.js';
import type { PrivilegeFacts } from '../../src/domain/access/privilege.js';
import { privilegesFor } from '../../src/domain/access/privileges.js';
import { aPlan, BATCH_PARTS } from '../support/builders.js';

describe('the privileges of a migration', () => {
  it('include tables of queries and actions whose names need quotes', async () => {
    const { spec } = aPlan({ spec: BATCH_PARTS });
    const batch = {
      ...spec.batch!,
      query: { sql: 'SELECT id, balance FROM "Old Shop"."Accounts"' },
      pause: { sql: 'UPDATE "Batch Control" SET paused_until = $1' },
    };
    expect(await relationsOf({ spec: { ...spec, batch } }, 'source')).toMatchObject({
      reads: expect.arrayContaining(['"Old Shop"."Accounts"']) as string[],
      writes: ['public."Batch Control"'],
    });
  });

  it('warn about an owner that is a superuser, because its members get every right', () => {
    const grantOf = (superusers: string[]): string | undefined => {
      const facts: PrivilegeFacts = {
        owners: new Map([['public.accounts', 'boss']]),
        superusers: new Set(superusers),
        replicationRole: null,
        reads: [],
        writes: [],
      };
      return privilegesFor(aPlan(), facts, null).find(({ sql }) => sql === 'GRANT boss TO sluice')
        ?.why;
    };
    expect(grantOf(['boss'])).toContain('CAUTION: this owner is a superuser');
    expect(grantOf([])).toBe('only its owner may publish it');
  });
});
