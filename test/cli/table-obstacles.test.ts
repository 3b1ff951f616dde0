// Tests that assess finds the tables whose capture doctor would refuse.
import { describe, expect, it } from 'vitest';
import { assess } from '../../src/assess/assessment.js';
import { known } from '../../src/assess/facts.js';
import { loadParser } from '../../src/assess/sql/analyse.js';
import { obstaclesOf } from '../../src/cli/support/measure-portfolio.js';
import type { Leaf, TableCatalog } from '../../src/clients/postgres/catalog.js';
import { AT, GOOD, measured, portfolio } from '../assess/good-process.js';

const leaf: Leaf = { name: 'a_1', kind: 'r', persistence: 'p', replicaIdentity: 'default' };
const found = (more: Partial<TableCatalog>): string =>
  obstaclesOf({
    kind: 'r',
    persistence: 'p',
    leaves: [],
    heirs: [],
    key: ['id'],
    isKeyDeferrable: false,
    replicaIdentity: 'default',
    ...more,
  } as unknown as TableCatalog).join('; ');

describe('assess', () => {
  it.each<[string, Partial<TableCatalog>, string]>([
    ['an unlogged table', { persistence: 'u' }, 'unlogged'],
    ['an unlogged partition', { leaves: [leaf, { ...leaf, persistence: 'u' }] }, 'unlogged'],
    ['a foreign partition', { leaves: [{ ...leaf, kind: 'f' }] }, 'foreign'],
    ['an inherited table', { heirs: ['child'] }, 'child inherit from it'],
    ['no replica identity', { replicaIdentity: 'nothing' }, 'replica identity is nothing'],
    [
      'a partition without a replica identity',
      { leaves: [{ ...leaf, replicaIdentity: 'nothing' }] },
      'nothing',
    ],
    ['an index as replica identity', { replicaIdentity: 'index' }, 'replica identity is index'],
    ['a key that is DEFERRABLE', { isKeyDeferrable: true }, 'DEFERRABLE'],
  ])('says why the changes of a table cannot be captured: %s', (_case, more, why) =>
    expect(found(more)).toContain(why),
  );

  it('finds no obstacle in a table that doctor accepts', () => {
    expect(found({})).toBe('');
    expect(found({ leaves: [leaf] })).toBe('');
    expect(found({ isKeyDeferrable: true, replicaIdentity: 'full' })).toBe('');
  });

  it('refuses a source with the encoding SQL_ASCII, as doctor does', async () => {
    await loadParser();
    const facts = measured();
    const source = facts.source.known ? facts.source.value : null;
    const of = (encoding: string) =>
      assess(portfolio(GOOD), { ...facts, source: known({ ...source!, encoding }) }, AT)
        .processes[0]!;
    expect(of('UTF8').work.map((w) => w.rule)).not.toContain('source-cannot-offer-cdc');
    expect(of('SQL_ASCII').work).toContainEqual(
      expect.objectContaining({
        rule: 'source-cannot-offer-cdc',
        what: expect.stringContaining('SQL_ASCII') as string,
      }),
    );
  });
});
