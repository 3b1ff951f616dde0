// Tests the rules of a spec that apply only to certain routes, connectors, pipelines or stages.
import { describe, expect, it } from 'vitest';
import { BATCH_PARTS, SHARED_PARTS, SHARED_ROUTE, aSpecInput } from '../support/builders.js';
import { problemsOf, yaml } from '../support/spec-problems.js';

describe('a spec', () => {
  it.each<[string, object, string]>([
    [
      'no batch',
      { batch: undefined, pipeline: undefined, sink: undefined },
      'a route by table needs spec.batch and spec.sink',
    ],
    [
      'a batch that writes to a different table',
      { batch: { ...BATCH_PARTS.batch, result: { table: 'public.other', key: ['day'] } } },
      "must be the batch's result table, public.other",
    ],
    [
      'a sink that writes to a different table',
      { sink: { type: 'jdbc-sink', table: 'public.other' } },
      "must be the route's table, public.totals",
    ],
    [
      'one role for batch and stream',
      { cutover: { route: { ...SHARED_ROUTE, streamRole: 'nightly' } } },
      'must not be batchRole',
    ],
    [
      "Sluice's own role as the stream's role",
      { cutover: { route: { ...SHARED_ROUTE, streamRole: 'sluice' } } },
      'must not be the role that Sluice connects as',
    ],
    [
      'a role name that no session option can contain',
      { cutover: { route: { ...SHARED_ROUTE, streamRole: 'a b' } } },
      'without spaces, quotes or backslashes',
    ],
    [
      'closed keys',
      { validation: { closedKeys: 'day < $cut::date' } },
      'after the commit the stream writes to that table',
    ],
    [
      'a table that the pipeline reads',
      {
        source: {
          postgres: { host: 'h', database: 'bank', user: 'sluice' },
          tables: ['public.totals'],
        },
      },
      'the pipeline must not write to a table that it reads',
    ],
    [
      'a table that the pipeline reads, in another spelling',
      {
        source: {
          postgres: { host: 'h', database: 'bank', user: 'sluice' },
          tables: ['"public"."totals"'],
        },
      },
      'the pipeline must not write to a table that it reads',
    ],
  ])('is refused for a shared table (`postgres-table`) with %s', (_case, more, message) => {
    expect(
      problemsOf(yaml(aSpecInput({ spec: { ...SHARED_PARTS, ...more } }))).join('\n'),
    ).toContain(message);
  });
  it.each<[string, object, string]>([
    ['no mode', {}, 'needs its mode'],
    [
      'no column for its mode',
      { mode: 'incrementing' },
      'mode incrementing needs incrementingColumn',
    ],
    [
      'no timestamp column for its mode',
      { mode: 'timestamp' },
      'mode timestamp needs timestampColumns',
    ],
    [
      'a query without a key',
      { mode: 'bulk', query: 'SELECT 1' },
      'set incrementingColumn to the integer column that identifies its rows',
    ],
    [
      'a delay that is too long for the barriers',
      { mode: 'incrementing', incrementingColumn: 'id', delay: '1m' },
      'not every barrier can be faster',
    ],
    [
      'a configuration key of Debezium',
      { mode: 'bulk', config: { 'max.queue.size': '1' } },
      'is not a key that a spec may set',
    ],
    [
      'a class that is not a JDBC source',
      { mode: 'bulk', config: { 'connector.class': 'evil.Connector' } },
      'not one of dev.sluice',
    ],
  ])('is refused for a jdbc-source with %s', (_case, more, message) => {
    const input = aSpecInput({
      spec: { connector: { type: 'jdbc-source', url: 'http://c:1', ...more } },
    });
    expect(problemsOf(yaml(input)).join('\n')).toContain(message);
  });
  it('is refused for a jdbc-source whose delay is not shorter than the time that a window waits', () => {
    const polled = { type: 'jdbc-source', url: 'http://c:1', mode: 'timestamp' };
    const connector = { ...polled, timestampColumns: ['at'], delay: '60s' };
    const input = aSpecInput({ spec: { connector, catchUp: { within: '5m' } } });
    expect(problemsOf(yaml(input)).join('\n')).toContain('60s must be shorter than 60s');
  });
  const polling = (mode: string, pause: string, more: object = {}, within = '5m') => {
    const config = { 'poll.interval.ms': pause };
    const connector = { type: 'jdbc-source', url: 'http://c:1', mode, config, ...more };
    return problemsOf(yaml(aSpecInput({ spec: { connector, catchUp: { within } } }))).join('\n');
  };
  const ids = { incrementingColumn: 'id' };
  it.each<[string, string, object]>([
    ['bulk', '60000', {}],
    ['timestamp', '55000', { timestampColumns: ['at'] }],
    ['timestamp', '500', { timestampColumns: ['at'], delay: '59500ms' }],
    ['incrementing', '27500', ids],
  ])('is refused if a window would not wait long enough for a poll: %s', (mode, pause, more) =>
    expect(polling(mode, pause, more)).toMatch(
      new RegExp(`with ${pause} ms, .* 1 min 0 s after .* waits at most 60s`),
    ),
  );
  it.each<[string, string, object]>([
    ['bulk', '59999', {}],
    ['timestamp', '54999', { timestampColumns: ['at'] }],
    ['incrementing', '27499', ids],
  ])('is accepted if a window would wait long enough for a poll: %s', (mode, pause, more) =>
    expect(polling(mode, pause, more)).toBe(''),
  );
  it('is refused if catchUp.within is not longer than the longest wait for a poll', () =>
    expect(polling('bulk', '30000', {}, '30s')).toContain(
      'catchUp.within: 30s must be longer than 30.0 s',
    ));
  it.each<[string, string, object, string]>([
    [
      'no primary key',
      "CREATE TABLE a (id INT) WITH ('topic' = '${topic:public.accounts}', 'format' = 'debezium-json'); INSERT INTO o SELECT 1",
      {},
      'without PRIMARY KEY',
    ],
    [
      'no setting that removes duplicate events',
      "CREATE TABLE a (id INT, PRIMARY KEY (id) NOT ENFORCED) WITH ('topic' = '${topic:public.accounts}', 'value.format' = 'debezium-json'); INSERT INTO o SELECT 1",
      {},
      'cdc-events-duplicate',
    ],
    [
      'a source whose records lack the row before the change',
      "CREATE TABLE a (id INT, PRIMARY KEY (id) NOT ENFORCED) WITH ('topic' = '${topic:public.accounts}', 'format' = 'debezium-json'); INSERT INTO o SELECT 1",
      { connector: { type: 'jdbc-source', url: 'http://c:1', mode: 'bulk' } },
      'a jdbc-source provides no row before',
    ],
  ])('is refused for a changelog in Flink SQL with %s', (_case, sql, more, message) => {
    const pipeline = {
      ...BATCH_PARTS.pipeline,
      type: 'flink-sql',
      gateway: 'http://g:1',
      statements: { sql },
    };
    expect(
      problemsOf(yaml(aSpecInput({ spec: { ...BATCH_PARTS, pipeline, ...more } }))).join('\n'),
    ).toContain(message);
  });
  it.each<[string, object, string]>([
    [
      'no statements',
      { type: 'ksqldb', url: 'http://k:1' },
      'a pipeline of type ksqldb needs its statements',
    ],
    [
      'no server',
      { type: 'ksqldb', statements: { sql: 'CREATE TABLE a AS SELECT 1 FROM b' } },
      'needs its url',
    ],
    [
      'a gateway',
      {
        type: 'ksqldb',
        url: 'http://k:1',
        gateway: 'http://g:1',
        statements: { sql: 'CREATE TABLE a AS SELECT 1 FROM b' },
      },
      'does not belong to pipeline type ksqldb',
    ],
    ['no group', { type: 'external', groups: undefined }, 'name the consumer group(s)'],
  ])('is refused for a pipeline with %s', (_case, more, message) => {
    expect(
      problemsOf(
        yaml(
          aSpecInput({ spec: { ...BATCH_PARTS, pipeline: { ...BATCH_PARTS.pipeline, ...more } } }),
        ),
      ).join('\n'),
    ).toContain(message);
  });
  it('is refused if a connector that reads the WAL has a key of jdbc-source, such as `deletes`', () => {
    const input = aSpecInput({
      spec: { connector: { type: 'debezium-postgres', url: 'http://c:1', deletes: 'none' } },
    });
    expect(problemsOf(yaml(input)).join()).toContain('belongs to connector type jdbc-source');
  });
  it("is refused for a batch without a pipeline, and for a view whose stream table is not the sink's", () => {
    expect(problemsOf(yaml(aSpecInput({ spec: { batch: BATCH_PARTS.batch } }))).join()).toContain(
      'a batch needs a pipeline',
    );
    const other = {
      ...BATCH_PARTS,
      cutover: { route: { ...BATCH_PARTS.cutover.route, stream: 'public.other' } },
    };
    expect(problemsOf(yaml(aSpecInput({ spec: other }))).join()).toContain(
      "must be the sink's table",
    );
  });
  it('is refused for two stages with one name, and for a stage with the name result', () => {
    const stage = (name: string) => ({
      name,
      query: { sql: 'SELECT 1 AS a' },
      key: ['a'],
      topic: `topic-of-${name}`,
    });
    const stages = (...names: string[]) =>
      problemsOf(
        yaml(
          aSpecInput({
            spec: { ...BATCH_PARTS, batch: { ...BATCH_PARTS.batch, stages: names.map(stage) } },
          }),
        ),
      );
    expect(stages('totals', 'per-day')).toEqual([]);
    expect(stages('totals', 'totals').join()).toContain(
      '"totals" is already the name of another subject',
    );
    expect(stages('result').join()).toContain('"result" is already the name of another subject');
  });
});
