// Tests specs whose names, times or limits contradict each other, or would not work in another
// system. Sluice must refuse such a spec before it creates anything.
import { describe, expect, it } from 'vitest';
import {
  debeziumPostgresConfig,
  handedOverConfig,
  messagePrefix,
} from '../../src/connectors/debezium-postgres.js';
import { COMPARE_PREFIX, WITNESS_PREFIX } from '../../src/domain/migration/names.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { BATCH_PARTS, aPlan, aSpec, aSpecInput } from '../support/builders.js';
import { problemsOf, yaml } from '../support/spec-problems.js';

const problems = (more: object): string =>
  problemsOf(yaml(aSpecInput({ spec: { ...BATCH_PARTS, ...more } }))).join('\n');
const stage = (name: string, topic: string) => ({
  name,
  topic,
  key: ['day'],
  query: { sql: 'SELECT 1 AS day' },
});
const staged = (...stages: object[]) => ({ batch: { ...BATCH_PARTS.batch, stages } });
const output = (topic: string) => ({
  pipeline: { ...BATCH_PARTS.pipeline, output: { topic, key: ['day'] } },
});
const source = (more: object) => ({
  source: {
    postgres: { host: 'h', database: 'bank', user: 'sluice', ...more },
    tables: ['public.t'],
  },
});
const approval = (more: object) => ({ cutover: { ...BATCH_PARTS.cutover, approval: more } });

describe('a spec', () => {
  it('is accepted if its parts share no names', () => expect(problems({})).toBe(''));
  it('is refused for the name `none`, because handed-over connectors keep the marker prefix sluice-none', () => {
    const published = handedOverConfig(aPlan())['message.prefix.include.list']!;
    expect(messagePrefix(aSpec({ name: 'bank' }))).toBe('sluice-bank');
    const name = published.replace('sluice-', '');
    expect(problemsOf(yaml(aSpecInput({ name }))).join()).toContain(
      `metadata.name: a migration cannot be called ${name}`,
    );
  });
  it.each([
    ['witness', WITNESS_PREFIX],
    ['compare', COMPARE_PREFIX],
  ])('called %s has a connector that publishes no message with the prefix %s', (name, prefix) => {
    const published = debeziumPostgresConfig(resolve({ spec: aSpec({ name }), generation: 1 }));
    const pattern = new RegExp(`^(${published['message.prefix.include.list']!})$`);
    expect(`sluice-${name}`).toMatch(pattern);
    expect(prefix).not.toMatch(pattern);
  });
  it('is refused for a name whose slot could have the name of the slot of a witness', () => {
    expect(problemsOf(yaml(aSpecInput({ name: 'witness-7012' }))).join()).toContain(
      'metadata.name: a migration cannot be called witness-<number>',
    );
    expect(problemsOf(yaml(aSpecInput({ name: 'witness' })))).toEqual([]);
  });
  it.each(['a b', 'ä', 'a#b&c=d;:[]', '"A"'])(
    'is accepted if Debezium can connect to a database of this name: %s',
    (database) => expect(problems(source({ database }))).toBe(''),
  );
  it.each<[string, object, string]>([
    ['two stages with one topic', staged(stage('a', 'x'), stage('b', 'x')), 'share topic x'],
    [
      'a result in the topic of a table',
      { ...source({}), ...output('bank.public.t') },
      'the result and public.t would share topic bank.public.t; give each its own topic',
    ],
    [
      'a result in the topic of the markers',
      output('bank.message'),
      'the result and the connector would share topic bank.message',
    ],
    [
      "a sink that writes to the batch's result table",
      {
        sink: { type: 'jdbc-sink', table: '"public"."totals_batch"' },
        cutover: { route: { type: 'none' } },
      },
      'sink.table: is batch.result.table',
    ],
    [
      'a sink that writes to a captured table',
      {
        sink: { type: 'jdbc-sink', table: 'public.accounts' },
        cutover: { route: { type: 'none' } },
      },
      'is one of source.tables',
    ],
    [
      'a change window that ends before it begins',
      approval({ notBefore: '2026-11-22T18:00:00Z', notAfter: '2026-11-22T19:00:00+02:00' }),
      'approval.notAfter: must be later than notBefore',
    ],
    ['an approval that expires at once', approval({ expires: '0s' }), 'must be between 1s'],
    [
      'a key that names a column twice',
      { batch: { ...BATCH_PARTS.batch, result: { table: 'public.totals', key: ['day', 'day'] } } },
      'a column is named twice',
    ],
    [
      'statements without a time limit',
      { source: { ...aSpecSource(), limits: { statementTimeout: '0s' } } },
      'must be between 1s and 24d',
    ],
    [
      'a statement that Postgres would run only in part',
      { batch: { ...BATCH_PARTS.batch, retire: { sql: 'DELETE FROM t\0 WHERE id = 1' } } },
      'batch.retire.sql: must not contain NUL',
    ],
    ['a host that Debezium refuses', source({ host: '::1' }), 'Debezium refuses the host "::1"'],
    ...['a?b', 'a+b', 'a%41', 'a/b', 'ä%'].map((database): [string, object, string] => [
      `a database that Debezium would not find: ${database}`,
      source({ database }),
      `Debezium cannot connect to the database "${database}"`,
    ]),
    ...['host', 'database', 'user'].map((key): [string, object, string] => [
      `a ${key} that Kafka Connect would replace with a secret`,
      source({ [key]: '${env:PGPASSWORD}' }),
      `source.postgres.${key}: must not contain \${`,
    ]),
  ])('is refused with %s', (_what, more, message) => expect(problems(more)).toContain(message));
});

function aSpecSource(): object {
  return (aSpecInput()['spec'] as { source: object }).source;
}
