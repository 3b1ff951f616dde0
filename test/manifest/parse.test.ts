import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { debeziumPostgresConfig } from '../../src/connectors/debezium-postgres.js';
import { jdbcSinkConfig } from '../../src/connectors/jdbc-sink.js';
import { formatProblem, parseSpecObject, parseSpecText } from '../../src/manifest/parse.js';
import { buildPlan, planHash } from '../../src/manifest/build-plan.js';
import {
  BATCH_PARTS,
  SHARED_PARTS,
  SHARED_ROUTE,
  aPlan,
  aSpec,
  aSpecInput,
} from '../support/builders.js';

const parse = (text: string) => parseSpecText(text, 'm.yaml', () => 'SELECT 1');
const problemsOf = (text: string): string[] => {
  const parsed = parse(text);
  return parsed.ok ? [] : parsed.problems.map(formatProblem);
};
const yaml = (input = aSpecInput()): string => stringify(input);

describe('a spec', () => {
  it('gets its defaults', () => {
    const { spec } = aSpec();
    expect(spec.catchUp).toEqual({ barriers: 3, within: '30s', timeout: '6h' });
    expect(spec.cutover).toMatchObject({
      maxHold: '60s',
      fence: 'result',
      route: { type: 'none' },
    });
    expect(spec.source.walBudget).toEqual({ bytes: '10GiB', onExhaustion: 'drop-slot' });
  });
  it('is valid in the example, with its query inlined', () => {
    const file = 'examples/daily-revenue/migration.yaml';
    const parsed = parseSpecText(readFileSync(file, 'utf8'), file, (path) =>
      readFileSync(resolve(dirname(file), path), 'utf8'),
    );
    expect(parsed.ok && parsed.spec.spec.batch?.query.sql).toContain('AT TIME ZONE');
  });
  it('has the same plan hash with other labels and key order, and a new one after any other change', () => {
    const spec = aSpec();
    expect(planHash({ ...spec, metadata: { ...spec.metadata, labels: { team: 'x' } } })).toBe(
      planHash(spec),
    );
    expect(planHash(aSpec({ tables: ['public.other'] }))).not.toBe(planHash(spec));
  });
});

describe('a plan for a shared table', () => {
  const plan = buildPlan(aSpec({ spec: SHARED_PARTS }));
  it('creates a staging table for the stream and a trigger, and removes both', () => {
    const ours = plan.creates
      .filter((o) => o.kind === 'sink-table' || o.kind === 'trigger')
      .map(({ name, after }) => [name, after]);
    expect(ours).toEqual([
      ['sluice_bank.stream', 'removed at complete'],
      ['sluice_bank_owner on public.totals', 'removed at complete'],
    ]);
    expect(plan.connectors.at(-1)!.config).toMatchObject({
      'collection.name.format': 'sluice_bank.stream',
    });
  });
  it('pauses the sink before the commit, and says what the batch will experience', () => {
    const names = plan.cutover.map((step) => step.name);
    expect(names.slice(names.indexOf('final-window'))).toEqual([
      'final-window',
      'pause-sink',
      'commit',
      'route',
      'confirm',
    ]);
    expect(plan.notes.join()).toMatch(
      /the batch's writes to public.totals fail with an error.* role nightly loses its right to write/,
    );
  });
  it("gives the sink's session role and epoch after the commit", () => {
    const url = jdbcSinkConfig(aPlan({ spec: SHARED_PARTS }), { role: 'stream', since: '1.7' })[
      'connection.url'
    ]!;
    expect(new URL(url.slice('jdbc:'.length)).searchParams.get('options')).toBe(
      '-c role=stream -c sluice.owner=1.7',
    );
  });
});

describe('a batch whose runs are seen as sessions', () => {
  const batch = { ...BATCH_PARTS.batch, runs: { application: 'nightly' } };
  it('is accepted, and the plan says which runs are not seen', () => {
    expect(buildPlan(aSpec({ spec: { ...BATCH_PARTS, batch } })).notes.join()).toContain(
      'misses a run that begins and ends within the hold',
    );
  });
  it('has no cuts that closed keys could use', () => {
    const spec = { ...BATCH_PARTS, batch, validation: { closedKeys: 'day < $cut::date' } };
    expect(problemsOf(yaml(aSpecInput({ spec }))).join()).toContain('add batch.runs.table');
  });
});

describe('a wrong spec', () => {
  it('is refused for unknown keys, with the line and the likely key', () => {
    const text = yaml().replace('database: bank', 'databse: bank');
    expect(problemsOf(text).join('\n')).toMatch(
      /m\.yaml:\d+:\d+ spec\.source\.postgres\.databse: unknown key "databse"; did you mean "database"\?/,
    );
  });
  it('is refused with every problem, not only the first one', () => {
    const input = aSpecInput({
      spec: { catchUp: { barriers: 0, within: 'soon' }, validation: { every: '10ms' } },
    });
    expect(problemsOf(yaml(input)).length).toBeGreaterThanOrEqual(3);
  });
  it.each([
    [
      'a literal password',
      (t: string) => t.replace('user: sluice', 'user: sluice\n      password: secret'),
      'a literal password is not allowed',
    ],
    [
      'a duplicate key',
      (t: string) => t.replace('kind: Migration', 'kind: Migration\nkind: Migration'),
      'Map keys must be unique',
    ],
    [
      'an alias',
      (t: string) => t.replace('name: bank', 'name: &a bank\n  labels: { team: *a }'),
      'anchors and aliases are not allowed',
    ],
    [
      'a name with capitals',
      (t: string) => t.replace('name: bank', 'name: Bank'),
      'expected 1 to 40 of a-z, 0-9 and -',
    ],
    [
      'a table without schema',
      (t: string) => t.replace('public.accounts', 'accounts'),
      'is not schema.name',
    ],
    ['text that is not YAML', () => 'a: [', 'm.yaml:1:'],
    ['300 KB', () => `x: "${'y'.repeat(300 * 1024)}"`, 'bytes, and at most 262144 are allowed'],
  ])('is refused with place, cause and remedy: %s', (_case, spoil, message) =>
    expect(problemsOf(spoil(yaml())).join('\n')).toContain(message),
  );
  it('is refused for a missing query file, together with all other problems', () => {
    const input = aSpecInput({
      spec: {
        ...BATCH_PARTS,
        batch: { ...BATCH_PARTS.batch, query: { file: 'gone.sql' } },
        soak: { for: 2 },
        surplus: 1,
      },
    });
    const parsed = parseSpecText(yaml(input), 'm.yaml', () => {
      throw new Error('ENOENT');
    });
    const problems = parsed.ok ? [] : parsed.problems.map(formatProblem);
    expect(problems).toEqual([
      expect.stringMatching(/spec\.batch\.query\.file: cannot read gone\.sql: ENOENT/),
      expect.stringMatching(/spec\.soak\.for: expected a duration like 30s, 5m, 2h or 7d/),
      expect.stringMatching(/unknown key "surplus"/),
    ]);
  });
  it('is refused for connector keys outside the allowlist', () => {
    const input = aSpecInput({
      spec: {
        connector: {
          type: 'debezium-postgres',
          url: 'http://c:1',
          config: { transforms: 'x', 'database.password': 'secret', 'max.batch.size': '1' },
        },
      },
    });
    const problems = problemsOf(yaml(input)).join('\n');
    expect(problems).toContain('"transforms" is not a key that a spec may set');
    expect(problems).toContain('a literal password is not allowed; use a placeholder');
    expect(problems).not.toContain('max.batch.size": ');
  });
  it('is refused for two tables whose topics would have the same name', () => {
    expect(
      problemsOf(yaml(aSpecInput({ tables: ['public."a b"', 'public.a_b'] }))).join(),
    ).toContain('would share topic bank.public.a_b');
  });
  it.each<[string, object, string]>([
    [
      'no batch',
      { batch: undefined, pipeline: undefined, sink: undefined },
      'a route by table needs spec.batch and spec.sink',
    ],
    [
      'a batch that writes another table',
      { batch: { ...BATCH_PARTS.batch, result: { table: 'public.other', key: ['day'] } } },
      "must be the batch's result table, public.other",
    ],
    [
      'a sink that writes another table',
      { sink: { type: 'jdbc-sink', table: 'public.other' } },
      "must be the route's table, public.totals",
    ],
    [
      'one role for both',
      { cutover: { route: { ...SHARED_ROUTE, streamRole: 'nightly' } } },
      'must not be batchRole',
    ],
    [
      "Sluice's own role as the stream's",
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
      'after the commit the stream writes that table',
    ],
    [
      'a table that the pipeline reads',
      {
        source: {
          postgres: { host: 'h', database: 'bank', user: 'sluice' },
          tables: ['public.totals'],
        },
      },
      'the pipeline must not write a table that it reads',
    ],
  ])('a route by table with %s', (_case, more, message) => {
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
    ['no time for its mode', { mode: 'timestamp' }, 'mode timestamp needs timestampColumns'],
    [
      'a query without a key',
      { mode: 'bulk', query: 'SELECT 1' },
      'name the integer column that identifies its rows',
    ],
    [
      'a delay that is too long for the barriers',
      { mode: 'incrementing', incrementingColumn: 'id', delay: '1m' },
      'no barrier can be faster',
    ],
    [
      'a key of Debezium',
      { mode: 'bulk', config: { 'max.queue.size': '1' } },
      'is not a key that a spec may set',
    ],
    [
      'a class that is not a JDBC source',
      { mode: 'bulk', config: { 'connector.class': 'evil.Connector' } },
      'not one of dev.sluice',
    ],
  ])('a jdbc-source with %s', (_case, more, message) => {
    const input = aSpecInput({
      spec: { connector: { type: 'jdbc-source', url: 'http://c:1', ...more } },
    });
    expect(problemsOf(yaml(input)).join('\n')).toContain(message);
  });
  it.each<[string, string, object, string]>([
    [
      'no primary key',
      "CREATE TABLE a (id INT) WITH ('topic' = '${topic:public.accounts}', 'format' = 'debezium-json'); INSERT INTO o SELECT 1",
      {},
      'without PRIMARY KEY',
    ],
    [
      'duplicates that count',
      "CREATE TABLE a (id INT, PRIMARY KEY (id) NOT ENFORCED) WITH ('topic' = '${topic:public.accounts}', 'value.format' = 'debezium-json'); INSERT INTO o SELECT 1",
      {},
      'cdc-events-duplicate',
    ],
    [
      'a source that provides no before',
      "CREATE TABLE a (id INT, PRIMARY KEY (id) NOT ENFORCED) WITH ('topic' = '${topic:public.accounts}', 'format' = 'debezium-json'); INSERT INTO o SELECT 1",
      { connector: { type: 'jdbc-source', url: 'http://c:1', mode: 'bulk' } },
      'a jdbc-source provides no before',
    ],
  ])('a changelog in Flink SQL with %s', (_case, sql, more, message) => {
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
  ])('a pipeline with %s', (_case, more, message) => {
    expect(
      problemsOf(
        yaml(
          aSpecInput({ spec: { ...BATCH_PARTS, pipeline: { ...BATCH_PARTS.pipeline, ...more } } }),
        ),
      ).join('\n'),
    ).toContain(message);
  });
  it('is refused for keys of a jdbc-source on a connector that reads the log', () => {
    const input = aSpecInput({
      spec: { connector: { type: 'debezium-postgres', url: 'http://c:1', deletes: 'none' } },
    });
    expect(problemsOf(yaml(input)).join()).toContain('belongs to connector type jdbc-source');
  });
  it('is refused for a batch without a pipeline, and for a view that is not the sink', () => {
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
      topic: 't',
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
  it('is refused as a workflow input that still names a file', () => {
    const parsed = parseSpecObject(
      aSpecInput({
        spec: { ...BATCH_PARTS, batch: { ...BATCH_PARTS.batch, query: { file: 'q.sql' } } },
      }),
    );
    expect(parsed.ok).toBe(false);
  });
  it.each([[null], [[]], ['text'], [42], [{ apiVersion: 'v1' }]])(
    'is refused as an invalid workflow input: %j',
    (input) => expect(parseSpecObject(input).ok).toBe(false),
  );
});

describe('a plan', () => {
  it('lists what is created, and a secret only as a placeholder', () => {
    const plan = buildPlan(aSpec({ spec: BATCH_PARTS }));
    expect(plan.creates.map((o) => o.kind)).toEqual(
      expect.arrayContaining(['lease', 'publication', 'topic', 'slot', 'connector', 'sink-table']),
    );
    expect(plan.connectors[0]!.config['database.password']).toBe('${env:PGPASSWORD}');
    expect(plan.connectors).toHaveLength(2);
  });
  it('escapes table names in the connector filter', () => {
    const plan = aPlan({ tables: ['public."a.b,c"'] });
    expect(debeziumPostgresConfig(plan)['table.include.list']).toBe('(?-i)public\\.a\\.b\\,c');
  });
});
