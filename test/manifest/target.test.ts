// Tests specs with a target: the result is in a different database than the source.
import { describe, expect, it } from 'vitest';
import { jdbcSinkConfig } from '../../src/connectors/jdbc-sink.js';
import { privilegesFor } from '../../src/domain/access/privileges.js';
import { KINDS } from '../../src/domain/objects/kinds.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { aPlan, aSpecInput, BATCH_PARTS, SHARED_PARTS } from '../support/builders.js';

const TARGET = {
  postgres: {
    host: 'reports',
    port: 5433,
    database: 'reporting',
    user: 'reporter',
    passwordFrom: { env: 'SLUICE_SECRET_REPORTS' },
  },
};
const WHERE = 'reporting on reports:5433';
const problems = (spec: Record<string, unknown>): string[] => {
  const parsed = parseSpecObject(aSpecInput({ spec: { ...BATCH_PARTS, target: TARGET, ...spec } }));
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
};
const plan = aPlan({ spec: { ...BATCH_PARTS, target: TARGET } });

describe('a spec with a target database', () => {
  it('is accepted with a route by view, by http, and without a route', () => {
    expect(problems({})).toEqual([]);
    expect(problems({ cutover: { route: { type: 'http', url: 'http://route/' } } })).toEqual([]);
    expect(problems({ cutover: {}, sink: undefined })).toEqual([]);
  });

  it('is refused if a trigger of the source would read the lease row, or with a shared table', () => {
    const { cutover } = BATCH_PARTS;
    expect(problems({ cutover: { ...cutover, fence: 'source' } })).toEqual([
      expect.stringMatching(/^spec\.cutover\.fence: .*lease row.*; use fence: result/),
    ]);
    expect(problems(SHARED_PARTS)).toEqual([
      expect.stringMatching(/^spec\.cutover\.route\.type: .*use route\.type: postgres-view/),
    ]);
  });

  it('is refused without a batch, and if the target is the source', () => {
    const none = { batch: undefined, pipeline: undefined, sink: undefined, cutover: {} };
    expect(problems(none)).toEqual([expect.stringMatching(/^spec\.target: .*omit target/)]);
    const same = { host: '127.0.0.1', port: 5432, database: 'bank' };
    expect(problems({ target: { postgres: { ...TARGET.postgres, ...same } } })).toEqual([
      expect.stringMatching(/^spec\.target\.postgres\.database: .*omit target/),
    ]);
  });

  it('is refused with a literal password, and with a password file that Connect cannot read', () => {
    const { passwordFrom: _, ...login } = TARGET.postgres;
    const literal = { ...login, password: 'hunter2' };
    expect(problems({ target: { postgres: literal } }).join()).toMatch(/passwordFrom/);
    const file = { ...login, passwordFrom: { file: '/run/secret' } };
    expect(problems({ target: { postgres: file } })).toEqual([
      expect.stringMatching(/^spec\.target\.postgres\.passwordFrom\.file: .*names no key/),
    ]);
  });
});

describe('the plan of a spec with a target database', () => {
  it('puts lease row and sink table into the target, and slot and publication into the source', () => {
    const where = (kind: 'lease' | 'sink-table' | 'slot' | 'publication') =>
      KINDS[kind].planned(plan).map((object) => object.where);
    expect([where('lease'), where('sink-table')]).toEqual([[WHERE], [WHERE]]);
    expect([where('slot'), where('publication')]).toEqual([['bank'], ['bank']]);
  });

  it('says in which database the fence and the commit run', () => {
    const does = (name: string) => plan.steps.find((step) => step.name === name)!.does;
    expect(does('fence')).toBe(
      `lease row FENCED until now + maxHold in ${WHERE}; afterwards, a marker in the WAL of bank`,
    );
    expect(does('commit')).toContain(`one transaction in ${WHERE}: `);
  });

  it('lets the sink log in to the target', () => {
    expect(jdbcSinkConfig(plan)).toMatchObject({
      'connection.url': expect.stringContaining('//reports:5433/reporting?'),
      'connection.username': 'reporter',
      'connection.password': '${env:SLUICE_SECRET_REPORTS}',
    });
  });

  it('grants each privilege in the database that needs it, to the role of that database', () => {
    const list = privilegesFor(plan, null, null);
    const of = (place?: 'target') => list.filter((one) => one.in === place).map(({ sql }) => sql);
    expect(of('target').every((sql) => !sql.endsWith(' TO sluice'))).toBe(true);
    expect(of().every((sql) => !sql.endsWith(' TO reporter'))).toBe(true);
    expect(of('target')).toEqual(
      expect.arrayContaining([
        'GRANT CONNECT ON DATABASE reporting TO reporter',
        'GRANT CREATE ON DATABASE reporting TO reporter',
        'GRANT SELECT ON public.totals_batch TO reporter',
        'GRANT SELECT ON public.batch_runs TO reporter',
      ]),
    );
    expect(of()).toContain('GRANT SELECT ON public.accounts TO sluice');
    expect(of()).toContain('GRANT CONNECT ON DATABASE bank TO sluice');
    expect(of().join()).not.toMatch(/totals/);
  });
});
