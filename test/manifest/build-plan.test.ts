// Tests what `sluice plan` shows, and the configurations of the connectors in a plan.
import { describe, expect, it } from 'vitest';
import { debeziumPostgresConfig } from '../../src/connectors/debezium-postgres.js';
import { jdbcSinkConfig } from '../../src/connectors/jdbc-sink.js';
import { buildPlan } from '../../src/manifest/build-plan.js';
import { BATCH_PARTS, SHARED_PARTS, aPlan, aSpec, aSpecInput } from '../support/builders.js';
import { problemsOf, yaml } from '../support/spec-problems.js';

describe('a plan', () => {
  it('lists the objects that Sluice will create, and shows a secret only as a placeholder', () => {
    const plan = buildPlan(aSpec({ spec: BATCH_PARTS }));
    expect(plan.creates.map((o) => o.kind)).toEqual(
      expect.arrayContaining(['lease', 'publication', 'topic', 'slot', 'connector', 'sink-table']),
    );
    expect(plan.connectors[0]!.config['database.password']).toBe('${env:PGPASSWORD}');
    expect(plan.connectors).toHaveLength(2);
  });
  it("escapes the names of tables in the connector's filter of tables", () => {
    const plan = aPlan({ tables: ['public."a.b,c"'] });
    expect(debeziumPostgresConfig(plan)['table.include.list']).toBe('(?-i)public\\.a\\.b\\,c');
  });
});

describe('a plan for a shared table', () => {
  const plan = buildPlan(aSpec({ spec: SHARED_PARTS }));
  it('creates a staging table for the stream and a trigger, and removes both at `complete`', () => {
    const ours = plan.creates
      .filter((o) => o.kind === 'sink-table' || o.kind === 'trigger')
      .map(({ name, after }) => [name, after]);
    expect(ours).toEqual([
      ['sluice_bank.stream', 'removed at complete'],
      ['sluice_bank_owner on public.totals', 'removed at complete'],
    ]);
    expect(plan.connectors.at(-1)!.config).toMatchObject({
      'collection.name.format': '"sluice\\_bank".stream',
    });
  });
  it('pauses the sink before the commit, and says what happens to the batch', () => {
    const names = plan.cutover.map((step) => step.name);
    expect(names.slice(names.indexOf('final-window'))).toEqual([
      'final-window',
      'pause-sink',
      'commit',
      'route',
      'confirm',
    ]);
    expect(plan.notes.join()).toMatch(
      /the batch's writes to public.totals fail with an error.* role nightly loses its privileges to write to the table/,
    );
  });
  it("sets in the sink's session the stream's role, and the iteration and epoch of the commit", () => {
    const url = jdbcSinkConfig(aPlan({ spec: SHARED_PARTS }), { role: 'stream', since: '1.7' })[
      'connection.url'
    ]!;
    expect(new URL(url.slice('jdbc:'.length)).searchParams.get('options')).toBe(
      '-c role=stream -c sluice.owner=1.7',
    );
  });
});

describe('a batch whose runs are seen as database sessions', () => {
  const batch = { ...BATCH_PARTS.batch, runs: { application: 'nightly' } };
  it('is accepted, and the plan says which runs Sluice does not see', () => {
    expect(buildPlan(aSpec({ spec: { ...BATCH_PARTS, batch } })).notes.join()).toContain(
      'misses a run that begins and ends within the hold',
    );
  });
  it('has no run log, so closed keys are refused', () => {
    const spec = { ...BATCH_PARTS, batch, validation: { closedKeys: 'day < $cut::date' } };
    expect(problemsOf(yaml(aSpecInput({ spec }))).join()).toContain('add batch.runs.table');
  });
});
