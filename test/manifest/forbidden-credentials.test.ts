// Tests that a credential in the text of a spec is refused. Otherwise, history, ledger, plan and
// report would show it. The error names the place of the credential and does not repeat it.
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { formatProblem, parseSpecObject, parseSpecText } from '../../src/manifest/parse.js';
import { BATCH_PARTS, aSpecInput } from '../support/builders.js';

const SECRET = 's3cret-value';
const REFERENCE = '${env:SLUICE_SECRET_PIPELINE}';
const problemsOf = (more: Record<string, unknown>): string[] => {
  const parsed = parseSpecText(
    stringify(aSpecInput({ spec: { ...BATCH_PARTS, ...more } })),
    'm.yaml',
    () => '',
  );
  return parsed.ok ? [] : parsed.problems.map(formatProblem);
};
const connector = (url: string) => ({ connector: { type: 'debezium-postgres', url } });
const pipeline = (more: object) => ({ pipeline: { ...BATCH_PARTS.pipeline, ...more } });
const flink = (sql: string) =>
  pipeline({ type: 'flink-sql', gateway: 'http://f:1', statements: { sql } });

const refused: readonly [string, Record<string, unknown>, string, RegExp][] = [
  [
    'user and password in connector.url',
    connector(`http://u:${SECRET}@c:8083`),
    'spec.connector.url',
    /URL with credentials/,
  ],
  [
    'a user name without a password in connector.url',
    connector(`https://${SECRET}@c:8083`),
    'spec.connector.url',
    /URL with credentials/,
  ],
  [
    'a token in the query',
    connector(`http://c:8083/?token=${SECRET}`),
    'spec.connector.url',
    /"token"/,
  ],
  [
    'the parameter accessToken in the query',
    connector(`http://c:8083/?x=1&accessToken=${SECRET}`),
    'spec.connector.url',
    /"accessToken"/,
  ],
  [
    'the parameter api_key',
    connector(`http://c:8083/?api_key=${SECRET}`),
    'spec.connector.url',
    /"api_key"/,
  ],
  ['the parameter key', connector(`http://c:8083/?key=${SECRET}`), 'spec.connector.url', /"key"/],
  [
    'a token in the fragment',
    connector(`http://c:8083/#access_token=${SECRET}`),
    'spec.connector.url',
    /"access_token"/,
  ],
  [
    'an encoded user name',
    connector(`http://u%40:${SECRET}@c:8083`),
    'spec.connector.url',
    /URL with credentials/,
  ],
  [
    "credentials in the URL of the pipeline's gateway",
    pipeline({
      type: 'flink-sql',
      gateway: `http://u:${SECRET}@f:1`,
      statements: { sql: 'INSERT INTO a SELECT 1' },
    }),
    'spec.pipeline.gateway',
    /credentials/,
  ],
  [
    'credentials in the URL of ksqlDB',
    pipeline({
      type: 'ksqldb',
      url: `http://u:${SECRET}@k:1`,
      statements: { sql: 'CREATE TABLE a AS SELECT 1' },
    }),
    'spec.pipeline.url',
    /credentials/,
  ],
  [
    "credentials in the URL of the engine's gateway",
    { validation: { engine: 'flink', gateway: `http://u:${SECRET}@f:1` } },
    'spec.validation.gateway',
    /credentials/,
  ],
  [
    'credentials in the URL of the route',
    { cutover: { route: { type: 'http', url: `http://u:${SECRET}@r:1` } } },
    'spec.cutover.route.url',
    /credentials/,
  ],
  [
    'a secret in the URL of batch.pause',
    { batch: { ...BATCH_PARTS.batch, pause: { url: `http://s:1/?secret=${SECRET}` } } },
    'spec.batch.pause',
    /"secret"/,
  ],
  [
    'a password in an option of a Flink table',
    flink(`CREATE TABLE a (x INT) WITH ('password' = '${SECRET}'); INSERT INTO a SELECT 1`),
    'spec.pipeline.statements',
    /"password"/,
  ],
  [
    'a literal in a JAAS configuration',
    flink(`CREATE TABLE a (x INT) WITH ('properties.sasl.jaas.config' = 'x ${SECRET}')`),
    'spec.pipeline.statements',
    /jaas/,
  ],
  [
    'a password next to a reference in a JAAS configuration',
    flink(
      `CREATE TABLE a (x INT) WITH ('properties.sasl.jaas.config' = 'a.B required username="${REFERENCE}" password="${SECRET}";')`,
    ),
    'spec.pipeline.statements',
    /jaas/,
  ],
  [
    'text after the options of a JAAS configuration',
    flink(
      `CREATE TABLE a (x INT) WITH ('properties.sasl.jaas.config' = 'a.B required password="${REFERENCE}" ${SECRET};')`,
    ),
    'spec.pipeline.statements',
    /jaas/,
  ],
  [
    'a reference in an option that no Kafka client resolves',
    flink(`CREATE TABLE a (x INT) WITH ('password' = '${REFERENCE}')`),
    'spec.pipeline.statements',
    /as a literal/,
  ],
  [
    'a trust store’s password',
    flink(`SET 'properties.ssl.truststore.password'='${SECRET}'`),
    'spec.pipeline.statements',
    /truststore/,
  ],
  [
    'a URL in a statement',
    flink(`CREATE TABLE a (x INT) WITH ('url' = 'jdbc:postgresql://u:${SECRET}@h/d')`),
    'spec.pipeline.statements',
    /connection string/,
  ],
  [
    'a secret in a statement of ksqlDB',
    pipeline({
      type: 'ksqldb',
      url: 'http://k:1',
      statements: { sql: `SET 'sasl.oauth.client.secret'='${SECRET}'` },
    }),
    'spec.pipeline.statements',
    /secret/,
  ],
  [
    'a password in a connection string for dblink',
    {
      batch: {
        ...BATCH_PARTS.batch,
        pause: { sql: `SELECT dblink_exec('host=h password=${SECRET}', 'x')` },
      },
    },
    'spec.batch.pause',
    /connection string/,
  ],
  [
    'a password in a connection string of the query',
    {
      batch: { ...BATCH_PARTS.batch, query: { sql: `SELECT 'postgres://u:${SECRET}@h/d' AS day` } },
    },
    'spec.batch.query',
    /connection string/,
  ],
];

describe('a credential in a spec', () => {
  it.each(refused)('is refused with its place: %s', (_what, more, path, message) => {
    const problems = problemsOf(more);
    expect(
      problems.find((p) => p.includes(path) && message.test(p)),
      problems.join('\n'),
    ).toMatch(/^m\.yaml:\d+:\d+ /);
    expect(problems.join('\n')).not.toContain(SECRET);
  });

  it.each(refused)(
    'is refused even if the spec is an object, as in the input of a workflow: %s',
    (_what, more) => {
      const parsed = parseSpecObject(aSpecInput({ spec: { ...BATCH_PARTS, ...more } }));
      expect(parsed.ok).toBe(false);
      expect(JSON.stringify(parsed)).not.toContain(SECRET);
    },
  );
});

describe('text that only looks like a credential', () => {
  it.each<[string, Record<string, unknown>]>([
    ['a path with an at sign', connector('http://c:8083/teams/@payments')],
    ['an ordinary query', connector('http://c:8083/?author=ann&keyspace=x')],
    [
      'a setting that names where a credential comes from',
      flink(
        "CREATE TABLE a (x INT) WITH ('avro-confluent.basic-auth.credentials-source' = 'USER_INFO'); INSERT INTO a SELECT 1",
      ),
    ],
    [
      "a reference that Kafka's client resolves",
      flink(
        `CREATE TABLE a (x INT) WITH ('properties.sasl.jaas.config' = 'a.ScramLoginModule required username="p" password="${REFERENCE}";', 'properties.ssl.keystore.key' = '${REFERENCE}'); INSERT INTO a SELECT 1`,
      ),
    ],
    [
      'the option that names the fields of a key',
      flink(
        "CREATE TABLE a (x INT) WITH ('key.fields' = 'x', 'connector' = 'upsert-kafka'); INSERT INTO a SELECT 1",
      ),
    ],
    [
      'a query that contains an at sign and the word password',
      {
        batch: {
          ...BATCH_PARTS.batch,
          query: {
            sql: "SELECT day, sum(n) FROM t WHERE mail LIKE '%@x.org' AND log LIKE '%password=%' GROUP BY 1",
          },
        },
      },
    ],
  ])('is accepted: %s', (_what, more) =>
    expect(problemsOf(more).filter((p) => /credential|literal/.test(p))).toEqual([]),
  );
});
