// Tests the resolved plan: everything that follows from a spec and a generation.
import { describe, expect, it } from 'vitest';
import { plannedObjects } from '../../src/domain/objects/kinds.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { BATCH_PARTS, SHARED_PARTS, aSpec, type SpecInput } from '../support/builders.js';

const planOf = (input: SpecInput = {}, generation = 1) =>
  resolve({ spec: aSpec(input), generation });
const objectsOf = (input: SpecInput, generation = 1): string[] =>
  plannedObjects(planOf(input, generation)).map(({ kind, name }) => `${kind} ${name}`);
const polling = {
  type: 'jdbc-source',
  url: 'http://127.0.0.1:8083',
  mode: 'bulk',
  deletes: 'none',
};

describe('resolve', () => {
  it('returns equal plans for equal inputs, and JSON preserves the whole plan', () => {
    const plan = planOf({ spec: SHARED_PARTS }, 2);
    expect(planOf({ spec: SHARED_PARTS }, 2)).toEqual(plan);
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });

  it('returns the parsed names of tables, and also their texts as the spec writes them', () => {
    const { tables, batch, sink } = planOf({ tables: ['"Odd Schema"."Odd"'], spec: BATCH_PARTS });
    expect(tables).toEqual([
      { schema: 'Odd Schema', table: 'Odd', text: '"Odd Schema"."Odd"', sql: '"Odd Schema"."Odd"' },
    ]);
    expect(batch?.resultTable.sql).toBe('"public"."totals_batch"');
    expect(batch?.runLog?.text).toBe('public.batch_runs');
    expect(sink?.writes.stream.text).toBe('public.totals_stream');
  });

  it('gives a later generation new names, but keeps the lease', () => {
    const [first, second] = [planOf({ spec: BATCH_PARTS }), planOf({ spec: BATCH_PARTS }, 2)];
    expect(second.names.slot).toBe('sluice_bank_g2');
    expect(second.sink).toMatchObject({ connector: 'bank-sink-g2', group: 'connect-bank-sink-g2' });
    expect(second.names.leaseSchema).toBe(first.names.leaseSchema);
  });

  it.each(['initial', 'incremental', 'copy'])(
    'captures from the WAL if the initial load is %s',
    (snapshot) => {
      const plan = planOf({
        spec: { connector: { type: 'debezium-postgres', url: 'http://127.0.0.1:8083', snapshot } },
      });
      expect(plan.capture).toMatchObject({ kind: 'log', load: snapshot });
      expect(plan.logTopics.includes('bank.signals')).toBe(snapshot === 'incremental');
    },
  );

  it('plans no slot and no publication, but a topic and a connector for each table, if tables are polled', () => {
    const plan = planOf({ tables: ['public.a', 'public.b'], spec: { connector: polling } });
    expect(plan.capture).toMatchObject({
      kind: 'polling',
      load: 'none',
      polling: { mode: 'bulk' },
    });
    expect(plan.sourceConnectors).toEqual(['bank-public-a', 'bank-public-b']);
    expect(plannedObjects(plan).map(({ kind }) => kind)).toEqual([
      'lease',
      'topic',
      'topic',
      'connector',
      'connector',
    ]);
    expect(plan.subjects.every(({ mode }) => mode === 'settled')).toBe(true);
  });

  it.each([
    [{ type: 'none' }, { kind: 'none' }],
    [
      { type: 'http', url: 'http://127.0.0.1:1' },
      { kind: 'http', url: 'http://127.0.0.1:1' },
    ],
    [
      BATCH_PARTS.cutover.route,
      { kind: 'view', view: { text: 'public.totals' }, stream: { table: 'totals_stream' } },
    ],
  ])('names the route %j', (route, expected) => {
    expect(planOf({ spec: { ...BATCH_PARTS, cutover: { route } } }).route).toMatchObject(expected);
  });

  it('lets the sink write to a staging table until the commit if the route is a shared table', () => {
    const { route, sink, fence } = planOf({ spec: SHARED_PARTS });
    expect(route).toMatchObject({
      kind: 'table',
      table: { text: 'public.totals' },
      staging: { text: 'sluice_bank.stream' },
    });
    expect(sink?.writes).toMatchObject({
      batch: { text: 'sluice_bank.stream' },
      stream: { text: 'public.totals' },
    });
    expect(fence.guards.map(({ role, table }) => `${role} ${table.text}`)).toEqual([
      'owner public.totals',
    ]);
    expect(objectsOf({ spec: SHARED_PARTS })).toContain('sink-table sluice_bank.stream');
  });

  it('guards every source table if the source is fenced', () => {
    const { fence, steps } = planOf({
      tables: ['public.a', 'public.b'],
      spec: { ...BATCH_PARTS, cutover: { ...BATCH_PARTS.cutover, fence: 'source' } },
    });
    expect(fence.kind).toBe('source');
    expect(fence.guards.map(({ trigger }) => trigger.name)).toEqual([
      'sluice_bank_fence on public.a',
      'sluice_bank_fence on public.b',
    ]);
    expect(steps.map(({ name }) => name)).toContain('fence');
  });

  it('names the kind of host, and the jobs of a pipeline that Sluice deploys', () => {
    const statements = {
      sql: 'CREATE TABLE totals AS SELECT day FROM t GROUP BY day EMIT CHANGES',
    };
    const ksqldb = {
      ...BATCH_PARTS.pipeline,
      type: 'ksqldb',
      url: 'http://127.0.0.1:8088',
      statements,
    };
    expect(planOf().host).toMatchObject({ kind: 'none', url: null, jobs: [] });
    expect(planOf({ spec: BATCH_PARTS }).host.kind).toBe('external');
    expect(planOf({ spec: { ...BATCH_PARTS, pipeline: ksqldb } }).host).toMatchObject({
      kind: 'ksqldb',
      url: 'http://127.0.0.1:8088',
      jobs: ['TOTALS'],
    });
  });

  it('lists the objects that a generation creates, kind by kind', () => {
    expect(objectsOf({ spec: BATCH_PARTS }, 2)).toEqual([
      'lease sluice_bank',
      'publication sluice_bank_g2',
      'slot sluice_bank_g2',
      'topic bank.g2.public.accounts',
      'topic bank.g2.heartbeat.bank.g2',
      'topic bank.g2.message',
      'topic bank.g2.notifications',
      'topic totals',
      'sink-table public.totals_stream',
      'group connect-bank-sink-g2',
      'connector bank-g2',
      'connector bank-sink-g2',
    ]);
  });
});
