// Defines the shape of the streaming side: connector, Kafka, pipeline and sink.
import { z } from 'zod';
import { control, strimzi } from './spec-control.js';
import { statementsProblem } from './forbidden-credentials.js';
import {
  duration,
  httpUrl,
  identifier,
  keyColumns,
  path,
  recordFormat,
  secretRef,
  sql,
  sqlText,
  tableName,
  topic,
  unique,
  withoutCredentials,
  withoutReference,
} from './spec-parts.js';

const broker = z.string().regex(/^[^:\s]+:\d+$/, 'expected host:port');

const tlsFiles = z.strictObject({
  ca: path
    .optional()
    .describe("The PEM file with the CA of the server's certificate; the system's CAs if absent."),
  cert: path.optional().describe('The PEM file with the client certificate, for mutual TLS.'),
  key: path
    .optional()
    .describe('The PEM file (PKCS #8) with the key of the client certificate. It is a secret.'),
});

const login = z.union(
  [
    z.strictObject({
      username: z
        .string()
        .regex(/^[^:]+$/, 'expected a user name without a colon')
        .describe('The user for basic authentication.'),
      passwordFrom: secretRef.describe("The place of that user's password."),
    }),
    z.strictObject({
      tokenFrom: secretRef.describe('The place of the token for bearer authentication.'),
    }),
  ],
  {
    error:
      'expected { username, passwordFrom } or { tokenFrom }, with a reference to a secret: { env: NAME } or { file: path }',
  },
);

export const connector = z.strictObject({
  type: z
    .enum(['debezium-postgres', 'jdbc-source'])
    .describe('How the tables are captured: debezium-postgres reads the log, jdbc-source polls.'),
  control,
  url: httpUrl
    .optional()
    .describe("The URL of Kafka Connect's REST API. Required unless control is strimzi."),
  strimzi: strimzi.optional().describe('For control: strimzi: the Kafka Connect cluster.'),
  tls: tlsFiles.optional().describe('Certificates for an https URL.'),
  auth: login.optional().describe("The login at Kafka Connect's REST API, if it requires one."),
  brokers: z
    .array(broker)
    .min(1)
    .optional()
    .describe(
      'The bootstrap servers as Kafka Connect reaches them; the same as kafka.brokers if absent.',
    ),
  snapshot: z
    .enum(['initial', 'incremental', 'copy'])
    .default('initial')
    .describe(
      'The initial load: by the connector in one transaction, by the connector in chunks, or a copy by Sluice.',
    ),
  topicPrefix: topic
    .optional()
    .describe("The prefix of the tables' topics; by default derived from the migration's name."),
  config: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String))
    .default({})
    .describe('Extra configuration of the connector, from a closed list of keys.'),
  mode: z
    .enum(['bulk', 'incrementing', 'timestamp', 'timestamp+incrementing'])
    .optional()
    .describe('For jdbc-source: how a poll finds new rows.'),
  query: z
    .union([sql, sqlText.transform((text) => ({ sql: text }))], {
      error: 'expected { sql: ... } or { file: ... }',
    })
    .optional()
    .describe('For jdbc-source: one SELECT that is polled instead of the tables.'),
  incrementingColumn: identifier
    .optional()
    .describe('For jdbc-source: the column whose values only grow.'),
  timestampColumns: z
    .array(identifier)
    .min(1)
    .refine(unique, 'a column is named twice')
    .optional()
    .describe(
      "For jdbc-source: timestamp columns. The first one that is not NULL is the time of the row's last change.",
    ),
  delay: duration
    .optional()
    .describe('For jdbc-source: the minimum age of a row before a poll reads it; 5s if absent.'),
  deletes: z
    .enum(['none', 'soft'])
    .optional()
    .describe(
      'For jdbc-source: your declaration that rows are never deleted (none), or only marked as deleted (soft).',
    ),
});

/** Accepts a text that can be put between quotes in the configuration of a connector. */
const quoted = (what: string) =>
  z.string().regex(/^(?:(?!\$\{)[^"\\\r\n])+$/, `expected ${what} without ", \\ and \${`);

const token = z.union(
  [
    z.strictObject({
      url: withoutReference(httpUrl).describe('The URL of the token endpoint.'),
      clientId: quoted('an id').describe("The worker's id at the issuer."),
      clientSecretFrom: secretRef.describe('The place of the secret of that client.'),
      scope: quoted('a scope').optional().describe('The scope to ask for.'),
      ca: path
        .optional()
        .describe("The PEM file with the CA of the endpoint; the system's CAs if absent."),
    }),
    z.strictObject({
      command: path.describe(
        'The program on the worker that prints a token. It runs without arguments, and the operator must allow it.',
      ),
    }),
  ],
  {
    error:
      'expected { url, clientId, clientSecretFrom } with an http(s) URL, or { command: /path }',
  },
);

const tokenSasl = z.strictObject({
  mechanism: z.literal('oauthbearer').describe('The SASL mechanism of the brokers.'),
  token: token.describe('The issuer of the tokens.'),
});

const passwordLogin = (who: string) =>
  z.strictObject({
    mechanism: z
      .enum(['plain', 'scram-sha-256', 'scram-sha-512'])
      .describe('The SASL mechanism of the brokers.'),
    username: quoted('a user name').describe(`The user with which ${who} logs in to Kafka.`),
    passwordFrom: secretRef.describe("The place of that user's password."),
  });

const passwordSasl = passwordLogin('the worker');

/** The login of Flink's tables. */
export const engineSasl = passwordLogin('Flink');

const sasl = z.discriminatedUnion('mechanism', [passwordSasl, tokenSasl], {
  error: 'expected the mechanism plain, scram-sha-256, scram-sha-512 or oauthbearer',
});

const registry = z.strictObject({
  url: httpUrl.describe(
    'The URL of the Confluent API of the registry. For Apicurio, it ends with `/apis/ccompat/v7`.',
  ),
  auth: login.optional().describe('The login at the registry, if it requires one.'),
  ca: path
    .optional()
    .describe("The PEM file with the CA of the server's certificate; the system's CAs if absent."),
  converter: z
    .enum(['confluent', 'apicurio'])
    .default('confluent')
    .describe('The vendor of the converter that is installed at Kafka Connect.'),
});

export const kafka = z.strictObject({
  brokers: z.array(broker).min(1).describe('The bootstrap servers, each as `host:port`.'),
  replication: z
    .int()
    .min(1)
    .max(10)
    .default(1)
    .describe('The number of replicas of each topic that Sluice creates. Use 3 in production.'),
  partitions: z
    .int()
    .min(1)
    .max(200)
    .default(1)
    .describe('The number of partitions of each topic that Sluice creates.'),
  tls: z
    .union([z.boolean(), tlsFiles], { error: 'expected true, false or { ca, cert, key }' })
    .default(false)
    .describe("TLS with the brokers: true for the system's CAs, or the files to use."),
  sasl: sasl.optional().describe('The login at the brokers, if they require one.'),
  format: z
    .enum(['json', 'avro'], {
      error:
        "expected json or avro; the tables' topics cannot be in json-schema or protobuf, because no converter of Kafka Connect was tested with them",
    })
    .optional()
    .describe("The format of the tables' topics; json if absent. avro needs a registry."),
  registry: registry
    .optional()
    .describe(
      'For topics in a format other than json: the schema registry, which the worker and Kafka Connect use.',
    ),
});

const statements = z.strictObject(
  {
    sql: withoutCredentials(z.string().min(1).max(65_536), statementsProblem).describe(
      'The statements themselves, of at most 65,536 characters.',
    ),
  },
  { error: 'expected { sql: ... } or { file: ... }' },
);

export const pipeline = z.strictObject({
  type: z
    .enum(['external', 'flink-sql', 'ksqldb'])
    .describe('Who deploys the pipeline: you (external), or Sluice through Flink or ksqlDB.'),
  groups: z
    .array(z.string().min(1))
    .min(1, 'name the consumer group(s), because the drain proof needs them')
    .default([])
    .describe('The consumer groups of the pipeline, whose offsets prove that it has drained.'),
  output: z
    .strictObject({
      topic: topic.describe('The topic into which the pipeline writes its result.'),
      key: keyColumns.describe('The columns of the record key; the same as batch.result.key.'),
      format: recordFormat
        .optional()
        .describe('The format of the records; json if absent. The others need a registry.'),
    })
    .describe('The result of the pipeline.'),
  gateway: httpUrl.optional().describe("For flink-sql: the URL of Flink's SQL Gateway."),
  url: httpUrl.optional().describe("For ksqldb: the URL of ksqlDB's REST API."),
  statements: statements
    .optional()
    .describe('For flink-sql and ksqldb: the statements that Sluice deploys.'),
});

export const sink = z.strictObject({
  type: z.enum(['jdbc-sink']).describe("The kind of sink: Debezium's JDBC sink connector."),
  table: tableName.describe('The table into which the sink writes, in the target if there is one.'),
});
