// Tests what doctor says about the sizes of rows if a scan of a table takes too long.
import type pg from 'pg';
import { expect, it } from 'vitest';
import { checkMessageSize } from '../../src/activities/checks/message-size.js';
import type { TableCatalog } from '../../src/clients/postgres/catalog.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { aSpec } from '../support/builders.js';

const name = { schema: 'public', table: 'long' };
const columns = [{ name: 'doc', type: 'jsonb', generated: false, publishable: true }];
const table = { name, columns, holdsFarValues: true, replicaIdentity: 'default' };

/** Answers only the scans of the samples in `inTime`, each with its number of rows. */
async function said(inTime: Readonly<Record<string, string>>) {
  const query = (text: string) => {
    if (!text.includes('AS largest')) return Promise.resolve({ rows: [] });
    const seen = inTime[/SYSTEM \((.*?)\)/.exec(text)?.[1] ?? 'all'];
    return seen === undefined
      ? Promise.reject(Object.assign(new Error('canceling statement'), { code: '57014' }))
      : Promise.resolve({ rows: [{ seen, n: '0', largest: '9' }] });
  };
  const { capture } = resolve({ spec: aSpec(), generation: 1 });
  const client = { query } as unknown as pg.ClientBase;
  return checkMessageSize(client, capture, 'public.long', table as unknown as TableCatalog);
}

it.each([
  ['the whole table', { all: '0' }, /bytes$/],
  ['a sample', { '0.1': '7' }, /in a sample of 0.1 %/],
  ['a smaller sample, if the first one takes too long', { '0.001': '7' }, /sample of 0.001 %/],
  ['a larger sample, if the first one has no row', { '0.1': '0', '1': '7' }, /of 1 %/],
  ['a sample of 10 %, if smaller ones have no row', { '0.1': '0', '1': '0', '10': '7' }, /of 10 %/],
  ['a larger one than the smallest, if that has no row', { '0.001': '0', '0.01': '7' }, /0.01 %/],
])('no row is too large according to %s', async (_what, inTime, detail) => {
  expect(await said(inTime)).toMatchObject({
    status: 'passed',
    detail: expect.stringMatching(detail) as string,
  });
});

it.each([
  ['no scan ends in time', {}],
  ['no sample has a row', { '0.1': '0', '1': '0', '10': '0' }],
])('the sizes are unknown, and the check can be waived, if %s', async (_what, inTime) => {
  expect(await said(inTime)).toMatchObject({
    status: 'unknown',
    remedy: expect.stringContaining('waive table.message-size') as string,
  });
});
