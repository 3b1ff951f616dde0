// The spec's shape (contract), strict everywhere. Values that the contract knows and this version cannot do yet are refused in `semantics.ts`.
import { z } from 'zod';
import { DURATION_PATTERN, SIZE_PATTERN, durationMs } from '../domain/values/duration.js';
import { parseTableName } from '../domain/migration/names.js';
import { sqlProblem, statementsProblem, urlProblem } from './credentials.js';

/** A text of this form; a number or another kind of value gets the same answer. */
const textLike = (pattern: RegExp, expected: string) => z.string(expected).regex(pattern, expected);
export const duration = textLike(DURATION_PATTERN, 'expected a duration like 30s, 5m, 2h or 7d');
const size = textLike(SIZE_PATTERN, 'expected a size like 512MiB or 10GiB');
const decimal = textLike(/^\d+(\.\d+)?$/, 'expected a decimal as a string, like "0.01"');
const instant = z.iso.datetime({
  offset: true,
  error: 'expected an ISO time with offset, like 2026-11-22T18:00:00Z',
});
const secretRef = z.union(
  [
    z.strictObject({
      env: z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable'),
    }),
    z.strictObject({ file: z.string().min(1) }),
  ],
  { error: 'expected a reference to a secret: { env: NAME } or { file: path }' },
);

export const tableName = z.string().superRefine((text, context) => {
  try {
    parseTableName(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
  }
});

export const identifier = z.string().min(1).max(63);
const unique = (list: readonly unknown[]): boolean => new Set(list).size === list.length;

const path = z.string().regex(/^\/[^\0\r\n]{1,1000}$/, 'expected the whole path of a file');
/** It becomes part of URLs: what would end the host's part there is refused. */
const host = z
  .string()
  .regex(
    /^[^\s/?#&@=\\'"]{1,255}$/,
    'expected a host name or an address, without scheme, user, password or path',
  );

export const postgres = z.strictObject({
  host,
  port: z.int().min(1).max(65535).default(5432),
  database: z.string().min(1),
  user: z.string().min(1),
  passwordFrom: secretRef.optional(),
  sslmode: z
    .enum(['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'])
    .default('prefer'),
  sslrootcert: path.optional(),
  sslcert: path.optional(),
  sslkey: path.optional(),
});

const source = z.strictObject({
  postgres,
  tables: z
    .array(tableName)
    .min(1, 'name at least one table')
    .refine(unique, 'a table is named twice'),
  limits: z
    .strictObject({
      maxBackends: z.int().min(1).max(32).default(2),
      rowsPerSecond: z.int().min(0).default(0),
      statementTimeout: duration.default('10m'),
    })
    .prefault({}),
  walBudget: z
    .strictObject({
      bytes: size.default('10GiB'),
      onExhaustion: z.enum(['drop-slot', 'block']).default('drop-slot'),
    })
    .prefault({}),
});

// The CLI inlines `file:` texts before parsing; a workflow input that still holds one is refused here.
/** Refuses a text that holds a credential; `problem` says why, or null. */
const withoutCredentials = (text: z.ZodString, problem: (text: string) => string | null) =>
  text.superRefine((value, context) => {
    const message = problem(value);
    if (message) context.addIssue({ code: 'custom', message });
  });
const sqlText = withoutCredentials(z.string().min(1).max(65_536), sqlProblem);
export const sql = z.strictObject(
  { sql: sqlText },
  { error: 'expected { sql: ... } (or { file: ... }, which the CLI inlines)' },
);
const httpUrl = z
  .url({ protocol: /^https?$/, error: 'expected an http(s) URL' })
  .superRefine((value, context) => {
    const message = urlProblem(value);
    if (message) context.addIssue({ code: 'custom', message });
  });
const action = z.union([sql, z.strictObject({ url: httpUrl })], {
  error: 'expected { sql: ... } or { url: ... }',
});
const topic = z.string().regex(/^[a-zA-Z0-9._-]{1,200}$/, 'expected a Kafka topic name');
const stage = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]{1,40}$/, 'expected [a-z0-9-]{1,40}'),
  query: sql,
  key: z.array(identifier).min(1),
  topic,
});

const batch = z.strictObject({
  result: z.strictObject({ table: tableName, key: z.array(identifier).min(1) }),
  query: sql,
  stages: z.array(stage).default([]),
  runs: z
    .union([
      z.strictObject({ table: tableName }),
      z.strictObject({ application: z.string().min(1).max(63) }),
    ])
    .optional(),
  pause: action.optional(),
  resume: action.optional(),
  retire: action.optional(),
});

const connector = z.strictObject({
  type: z.enum(['debezium-postgres', 'jdbc-source']),
  url: httpUrl,
  snapshot: z.enum(['initial', 'incremental', 'copy']).default('initial'),
  topicPrefix: topic.optional(),
  config: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String))
    .default({}),
  mode: z.enum(['bulk', 'incrementing', 'timestamp', 'timestamp+incrementing']).optional(),
  query: z
    .union([sql, sqlText.transform((text) => ({ sql: text }))], {
      error: 'expected { sql: ... } or { file: ... }',
    })
    .optional(),
  incrementingColumn: identifier.optional(),
  timestampColumns: z.array(identifier).min(1).refine(unique, 'a column is named twice').optional(),
  delay: duration.optional(),
  deletes: z.enum(['none', 'soft']).optional(),
});

const kafka = z.strictObject({
  brokers: z.array(z.string().regex(/^[^:\s]+:\d+$/, 'expected host:port')).min(1),
  replication: z.int().min(1).max(10).default(1),
  partitions: z.int().min(1).max(200).default(1),
  tls: z.boolean().default(false),
  sasl: z
    .strictObject({
      mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
      username: z.string().min(1),
      passwordFrom: secretRef,
    })
    .optional(),
});

const statements = z.strictObject(
  { sql: withoutCredentials(z.string().min(1).max(65_536), statementsProblem) },
  { error: 'expected { sql: ... } or { file: ... }' },
);

const pipeline = z.strictObject({
  type: z.enum(['external', 'flink-sql', 'ksqldb']),
  groups: z
    .array(z.string().min(1))
    .min(1, 'name the consumer group(s): the drain proof needs them')
    .default([]),
  output: z.strictObject({ topic, key: z.array(identifier).min(1) }),
  gateway: httpUrl.optional(),
  url: httpUrl.optional(),
  statements: statements.optional(),
});

const validation = z.strictObject({
  engine: z.enum(['embedded', 'flink']).default('embedded'),
  gateway: httpUrl.optional(),
  every: duration
    .refine(
      (text) => !DURATION_PATTERN.test(text) || durationMs(text) >= 1000,
      'must be at least 1s',
    )
    .default('1h'),
  passesInARow: z.int().min(1).max(1000).default(5),
  coverage: z.array(z.enum(['weekday', 'weekend', 'month-end', 'dst-day'])).default([]),
  maxMismatchRate: decimal
    .refine(
      (text) => Number(text) > 0 && Number(text) < 1,
      'must lie between 0 and 1, like "0.0001"',
    )
    .optional(),
  compare: z
    .strictObject({
      ignore: z.array(z.string().min(1)).default([]),
      tolerances: z.record(z.string(), z.strictObject({ abs: decimal })).default({}),
    })
    .prefault({}),
  closedKeys: z.string().default(''),
  waivers: z
    .array(
      z.strictObject({
        check: z.string().optional(),
        class: z.string().optional(),
        reason: z.string().min(1),
        until: instant,
      }),
    )
    .default([]),
});

/** As Postgres has it, unquoted; what a connection's options could not carry is refused. */
const roleName = z
  .string()
  .regex(/^[^\s\\'"]{1,63}$/, 'expected the name of a role, without spaces, quotes or backslashes');

const route = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  z.strictObject({
    type: z.literal('postgres-view'),
    view: tableName,
    batch: tableName,
    stream: tableName,
  }),
  z.strictObject({
    type: z.literal('postgres-table'),
    table: tableName,
    batchRole: roleName,
    streamRole: roleName,
  }),
  z.strictObject({ type: z.literal('http'), url: httpUrl }),
]);

const cutover = z.strictObject({
  approval: z
    .strictObject({
      quorum: z.int().min(1).max(10).default(1),
      approvers: z.array(z.string().min(1)).default([]),
      notStarter: z.boolean().default(false),
      expires: duration.default('24h'),
      evidenceMaxAge: duration.default('24h'),
      notBefore: instant.nullable().default(null),
      notAfter: instant.nullable().default(null),
    })
    .prefault({}),
  maxHold: duration.default('60s'),
  fence: z.enum(['result', 'source']).default('result'),
  route: route.default({ type: 'none' }),
});

export const migrationSchema = z.strictObject({
  $schema: z.string().optional(),
  apiVersion: z.literal('sluice.dev/v1alpha1'),
  kind: z.literal('Migration'),
  metadata: z.strictObject({
    name: z.string().regex(/^[a-z0-9-]{1,40}$/, 'expected 1 to 40 of a-z, 0-9 and -'),
    labels: z.record(z.string(), z.string()).default({}),
  }),
  spec: z.strictObject({
    source,
    batch: batch.optional(),
    connector,
    kafka,
    pipeline: pipeline.optional(),
    sink: z.strictObject({ type: z.enum(['jdbc-sink']), table: tableName }).optional(),
    catchUp: z
      .strictObject({
        barriers: z.int().min(1).max(100).default(3),
        within: duration.default('30s'),
        timeout: duration.default('6h'),
      })
      .prefault({}),
    validation: validation.prefault({}),
    cutover: cutover.prefault({}),
    soak: z
      .strictObject({ for: duration.default('24h'), passes: z.int().min(0).max(1000).default(3) })
      .prefault({}),
    rollback: z
      .strictObject({ automaticOn: z.array(z.enum(['failed-window'])).default([]) })
      .prefault({}),
  }),
});

export type ParsedSpec = z.output<typeof migrationSchema>;
