// Tests the objects that a plan creates, and what happens to them at `complete`.
import { describe, expect, it } from 'vitest';
import { KINDS, atComplete, plannedObjects } from '../../src/domain/objects/kinds.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { BATCH_PARTS, SHARED_PARTS, aSpec, type SpecInput } from '../support/builders.js';

type Parts = NonNullable<SpecInput['spec']>;
const planOf = (spec: Parts) => resolve({ spec: aSpec({ spec }), generation: 1 });
const made = (spec: Parts, kind: string): [string, string][] =>
  plannedObjects(planOf(spec))
    .filter((object) => object.kind === kind)
    .map(({ name, after }) => [name, after]);

const INCREMENTAL = {
  connector: {
    type: 'debezium-postgres',
    url: 'http://127.0.0.1:8083',
    snapshot: 'incremental',
  },
};
const DEPLOYED = {
  ...BATCH_PARTS,
  pipeline: {
    ...BATCH_PARTS.pipeline,
    type: 'ksqldb',
    url: 'http://127.0.0.1:8088',
    statements: { sql: 'CREATE TABLE totals AS SELECT day FROM t GROUP BY day EMIT CHANGES' },
  },
};

describe('the consumer groups of a plan', () => {
  it("include the sink's group, which is handed over", () =>
    expect(made(BATCH_PARTS, 'group')).toEqual([['connect-bank-sink', 'handed over']]));
  it('include the group of an incremental load, which is removed at complete', () =>
    expect(made(INCREMENTAL, 'group')).toEqual([['bank-signals', 'removed at complete']]));
  it('include the groups of a deployed pipeline, but not those of an external pipeline', () => {
    const { groups } = planOf(DEPLOYED).spec.pipeline!;
    expect(groups.length).toBeGreaterThan(0);
    expect(made(DEPLOYED, 'group').map(([name]) => name)).toEqual(['connect-bank-sink', ...groups]);
    expect(made(DEPLOYED, 'job')).toEqual([['TOTALS', 'handed over']]);
  });
});

describe('at complete', () => {
  it('the topics of the tables and of the heartbeat stay, and the topics for signals are removed', () => {
    const topics = made(INCREMENTAL, 'topic');
    const kept = topics.filter(([, after]) => after === 'handed over').map(([name]) => name);
    expect(kept).toEqual(['bank.public.accounts', 'bank.heartbeat.bank']);
    expect(topics.map(([name]) => name)).toContain('bank.signals');
  });
  it('the table of the sink stays, but a staging table is removed', () => {
    expect(made(BATCH_PARTS, 'sink-table')).toEqual([['public.totals_stream', 'handed over']]);
    expect(made(SHARED_PARTS, 'sink-table')).toEqual([
      ['sluice_bank.stream', 'removed at complete'],
    ]);
  });
  it.each(['lease', 'trigger'] as const)('a %s never stays', (kind) =>
    expect(atComplete(planOf(BATCH_PARTS), { kind, name: 'x', where: 'bank' })).toBe('remove'),
  );
});

it('each kind of object has its own undo activity', () => {
  const undos = Object.values(KINDS).map(({ undo }) => undo);
  expect(new Set(undos).size).toBe(undos.length);
});
