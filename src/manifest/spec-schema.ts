// Defines the spec's shape (contract), strict everywhere. `semantics.ts` refuses values of the
// contract that this version does not support yet.
import { z } from 'zod';
import { DURATION_PATTERN, durationMs } from '../domain/values/duration.js';
import { statementsProblem } from './credentials.js';
import {
  duration,
  size,
  decimal,
  instant,
  secretRef,
  tableName,
  identifier,
  unique,
  postgres,
  withoutCredentials,
  sqlText,
  sql,
  httpUrl,
  action,
  topic,
  roleName,
} from './spec-parts.js';

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
      'must be between 0 and 1, like "0.0001"',
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
