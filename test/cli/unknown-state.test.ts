// Tests that commands do not treat an unknown fact as good. Also tests that `assess` overwrites no
// file.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import type pg from 'pg';
import { describe, expect, it } from 'vitest';
import { writePoints } from '../../src/cli/assess.js';
import { checkTemporal } from '../../src/cli/doctor.js';
import { countersOf } from '../../src/cli/support/measure-portfolio.js';
import { readStatusWith } from '../../src/cli/support/migration-source.js';
import type { Ledger } from '../../src/clients/ledger/ledger.js';
import type { Leaf } from '../../src/clients/postgres/catalog.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** A client of a Temporal server that answers each question about a workflow with an error. */
const refusing = (name: string, message: string): Client =>
  ({
    withDeadline: (_deadline: number, ask: () => Promise<unknown>) => ask(),
    workflow: {
      getHandle: () => ({
        describe: () => Promise.reject(Object.assign(new Error(message), { name })),
        query: () => Promise.reject(new Error(message)),
      }),
    },
  }) as unknown as Client;
const temporal = (name: string, message: string) =>
  checkTemporal('shop', (use) => use(refusing(name, message)));

describe('the check of Temporal', () => {
  it('fails if the namespace does not exist, although Temporal itself answers', async () =>
    expect(await temporal('NamespaceNotFoundError', "Namespace not found: 'typo'")).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining("Namespace not found: 'typo'") as string,
      remedy: expect.stringContaining('TEMPORAL_NAMESPACE') as string,
    }));
  it('passes if the namespace has no workflow of this migration yet', async () =>
    expect(await temporal('WorkflowNotFoundError', 'not found')).toMatchObject({
      status: 'passed',
    }));
});

describe('a migration that the ledger does not know', () => {
  const ledger = { migrations: () => Promise.resolve([]) } as unknown as Ledger;
  it('may be a new run if Temporal does not answer, so the command ends with exit code 4', async () =>
    expect(
      readStatusWith('shop', null, ledger, 'Temporal at x:1 does not answer'),
    ).rejects.toMatchObject({
      exitCode: 4,
      message: 'the ledger does not know migration shop, and Temporal at x:1 does not answer',
    }));
  it('is reported as not found if Temporal does not know it either', async () =>
    expect(
      readStatusWith('shop', refusing('WorkflowNotFoundError', ''), ledger),
    ).rejects.toMatchObject({ exitCode: 1, code: 'not-found' }));
});

describe('the changes of a partitioned table', () => {
  const name = { schema: 'public', table: 'parted', text: 'public.parted', sql: '' };
  const leaves = [{ name: 'public.parted_1' }, { name: 'public.parted_2' }] as Leaf[];
  const counted = async (parts: number) => {
    const asked: unknown[] = [];
    const row = { parts, inserted: '200', updated: '0', deleted: '50', live: '150' };
    const query = (_sql: string, values: unknown[]) => {
      asked.push(...values);
      return Promise.resolve({ rows: [row] });
    };
    const found = await countersOf({ query } as unknown as pg.ClientBase, {
      name,
      kind: 'p',
      leaves,
    });
    return { asked, found };
  };
  it('are the changes of its partitions, because Postgres counts none for the table itself', async () =>
    expect(await counted(2)).toEqual({
      asked: [['public.parted_1', 'public.parted_2']],
      found: { total: { inserted: 200, updated: 0, deleted: 50 }, live: 150 },
    }));
  it('are unknown if Postgres does not count the changes of one partition', async () =>
    expect((await counted(1)).found).toBeNull());
});

describe('the starting points of a pipeline', () => {
  it('are not written if one of the files exists', () => {
    const folder = temporaryFolder('sluice-points-');
    writeFileSync(join(folder, 'b.sql'), 'mine');
    const points = ['a.sql', 'b.sql'].map((file) => ({ file, text: 'SELECT', open: [] }));
    expect(() => writePoints(points, folder)).toThrow('b.sql already exists; nothing was written');
    expect(readdirSync(folder)).toEqual(['b.sql']);
  });
});
