// Tests the error messages for three kinds of mistakes: a key is missing or misplaced, a setting
// has no effect or can never work, or Postgres would change a name.
import { describe, expect, it } from 'vitest';
import { BATCH_PARTS, aSpecInput } from '../support/builders.js';
import { problemsOf, yaml } from '../support/spec-problems.js';

const problems = (more: object): string =>
  problemsOf(yaml(aSpecInput({ spec: { ...BATCH_PARTS, ...more } }))).join('\n');
const waived = (waiver: object): object => ({
  validation: { waivers: [{ reason: 'known', until: '2100-01-01T00:00:00Z', ...waiver }] },
});
const source = (aSpecInput()['spec'] as { source: object }).source;

describe('a key that is missing or misplaced', () => {
  it.each<[string, object, string]>([
    [
      'the brokers, which are required',
      { connector: { type: 'debezium-postgres', url: 'http://c:1' }, kafka: {} },
      'spec.kafka.brokers: is required, with a value of the type array',
    ],
    [
      'a key of another kind of route',
      { cutover: { route: { type: 'none', view: 'public.v' } } },
      'route.view: the key "view" does not belong here, but to another part of the spec',
    ],
    [
      'the database of the sink',
      { sink: { type: 'jdbc-sink', table: 'public.s', database: 'reports' } },
      'unknown key "database"; use spec.target',
    ],
    [
      'a key that asks for a witness',
      { validation: { witness: true } },
      'unknown key "witness"; use validation.laterWindows: witness',
    ],
  ])('is reported with its remedy: %s', (_which, more, message) =>
    expect(problems(more)).toContain(message),
  );
});

describe('a setting that would have no effect or could never work', () => {
  it.each<[string, object, string]>([
    [
      'a waiver of a check that does not exist',
      waived({ check: 'table.ownr' }),
      'waivers.0.check: "table.ownr" is not a check',
    ],
    [
      'a waiver of a check that protects rows',
      waived({ check: 'table.replica-identity' }),
      'waivers.0.check: table.replica-identity can never be waived',
    ],
    ...['table.exists', 'source.reachable', 'target.reachable'].map(
      (check): [string, object, string] => [
        `a waiver of ${check}, without which other checks cannot run`,
        waived({ check }),
        `waivers.0.check: ${check} can never be waived`,
      ],
    ),
    [
      'a person who is named twice',
      { cutover: { ...BATCH_PARTS.cutover, approval: { quorum: 2, approvers: ['ann', 'ann'] } } },
      'approvers: a person is named twice',
    ],
    [
      'a budget of no WAL',
      { source: { ...source, walBudget: { bytes: '0GiB' } } },
      'walBudget.bytes: must be more than 0',
    ],
    [
      'one table in two spellings',
      { source: { ...source, tables: ['public.t', '"public".t'] } },
      'source.tables: a table is named twice',
    ],
    [
      'an output topic whose name Kafka refuses',
      { pipeline: { ...BATCH_PARTS.pipeline, output: { topic: '..', key: ['day'] } } },
      'pipeline.output.topic: ".." is not a valid topic name',
    ],
  ])('is refused: %s', (_which, more, message) => expect(problems(more)).toContain(message));
  it('is accepted if it equals the default, like `adopt: false`', () =>
    expect(problems({ adopt: false })).toBe(''));
});

describe('a name that Postgres would truncate', () => {
  const long = 'x'.repeat(64);
  const umlauts = `"ä${'x'.repeat(62)}"`;
  it.each([
    ["the sink's table", 'sink', { sink: { type: 'jdbc-sink', table: `public.${long}` } }],
    [
      'the view',
      'view',
      { cutover: { route: { ...BATCH_PARTS.cutover.route, view: `public.${umlauts}` } } },
    ],
    ['the schema of a source table', 'tables', { source: { ...source, tables: [`${long}.t`] } }],
  ])('is refused: %s', (_which, place, more) => {
    const [problem] = problems(more)
      .split('\n')
      .filter((line) => line.includes('63 bytes'));
    expect(problem).toContain(place);
  });
});

describe('an application_name of the batch that Postgres would change', () => {
  it.each([['nächtlich'], ['a\tb'], ['x'.repeat(64)]])(
    'is refused, because no session would ever have it: %s',
    (application) =>
      expect(problems({ batch: { ...BATCH_PARTS.batch, runs: { application } } })).toContain(
        'expected 1 to 63 printable ASCII characters',
      ),
  );
});
