// Defines a batch process that should be migrated, and its measured facts.
import { known, type Measured, type TableFacts } from '../../src/assess/facts.js';
import { parsePortfolio, type Portfolio } from '../../src/assess/portfolio.js';

export const AT = '2026-01-01T00:00:00Z';
export const portfolio = (...processes: object[]): Portfolio => {
  const parsed = parsePortfolio(
    JSON.stringify({
      apiVersion: 'sluice.dev/v1alpha1',
      kind: 'Portfolio',
      metadata: { name: 'p' },
      spec: { processes },
    }),
    'p.yaml',
    () => '',
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
};
/** A process that should be migrated. */
export const GOOD = {
  name: 'revenue',
  owner: 'payments',
  schedule: '@daily',
  runTime: '1h',
  query: { sql: 'SELECT store, sum(amount) AS total FROM pay GROUP BY store' },
  result: { table: 'public.result', key: ['store'] },
  runs: { table: 'public.runs' },
  consumers: [{ name: 'dashboard', reads: 'continuous', through: 'view' }],
  freshness: { wanted: '1m', value: 'high' },
  criticality: 'high',
  sideEffects: [],
  onCall: 'around-the-clock',
  cdc: 'allowed',
};
/** The measured facts of the table that the process reads. */
export const PAY: TableFacts = {
  table: 'public.pay',
  kind: 'r',
  rows: 1000,
  bytes: 80_000,
  key: ['id'],
  replicaIdentity: 'default',
  mayRead: true,
  obstacles: [],
  unprovable: [],
  columns: [
    { name: 'id', type: 'int8', declared: 'bigint' },
    { name: 'store', type: 'int4', declared: 'integer' },
    { name: 'amount', type: 'numeric', declared: 'numeric' },
  ],
  total: { inserted: 1000, updated: 10, deleted: 0 },
  perDay: { inserted: 100, updated: 10, deleted: 0 },
};
/**
 * Returns the measured facts of the process's source, table and runs. `table` replaces facts of the
 * table.
 */
export const measured = (table: Partial<TableFacts> = {}): Measured => ({
  source: known({
    version: '17.1',
    walLevel: 'logical',
    slotsFree: 5,
    mayReplicate: true,
    isPrimary: true,
    encoding: 'UTF8',
  }),
  tables: new Map([['public.pay', known({ ...PAY, ...table })]]),
  runs: new Map([
    ['public.runs', known({ count: 30, medianMs: 3_600_000, lastFinishedAt: AT, unfinished: 0 })],
  ]),
});
