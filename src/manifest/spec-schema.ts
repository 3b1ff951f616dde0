// Defines the spec's shape, which is part of the contract. An unknown key is an error everywhere.
// `semantics.ts` refuses contradictions, and values that have this shape but are not supported yet.
// Every key has a description, which editors and the reference page show.
import { z } from 'zod';
import type { ConnectorSpec, PipelineSpec, RouteSpec } from '../domain/migration/spec.js';
import { DURATION_PATTERN, durationMs } from '../domain/values/duration.js';
import { decimal, duration, durationBetween, httpUrl, instant, labels } from './spec-parts.js';
import { cutover } from './spec-cutover.js';
import { batch, source, target } from './spec-source.js';
import { existing } from './spec-existing.js';
import { connector, engineSasl, kafka, pipeline, sink } from './spec-streaming.js';

const compare = z.strictObject({
  ignore: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Columns that are not compared, each as `column`, or as `subject.column` with the name of a table, of a stage, or `result`. Columns of a key are always compared.',
    ),
  tolerances: z
    .record(
      z.string(),
      z.strictObject({
        abs: decimal.describe('The largest absolute difference that counts as equal, as text.'),
      }),
    )
    .default({})
    .describe(
      'For each column, as `column` or `subject.column`: how much its numbers may differ. Other types, and columns of a key, have no tolerance.',
    ),
});

const waiver = z.strictObject({
  check: z.string().optional().describe('The name of the preflight check that may fail.'),
  class: z
    .string()
    .optional()
    .describe('The class of differences that is accepted; only `batch-was-wrong` is possible.'),
  reason: z.string().min(1).describe('The reason, which the report shows.'),
  until: instant.describe('The time at which the waiver ends, in ISO form with an offset.'),
});

const stillPoint = z.strictObject({
  maxPause: duration
    .refine(
      (text) =>
        !DURATION_PATTERN.test(text) || (durationMs(text) >= 1000 && durationMs(text) <= 60_000),
      'must be between 1s and 60s',
    )
    .default('10s')
    .describe('The longest pause of the source connector, from 1s to 60s.'),
  inSoak: z
    .boolean()
    .default(false)
    .describe('If true, the connector may also be paused after the commit.'),
});

const validation = z.strictObject({
  engine: z
    .enum(['embedded', 'flink'])
    .default('embedded')
    .describe('The engine that compares tables with topics: the worker, or a Flink cluster.'),
  gateway: httpUrl
    .optional()
    .describe("For engine flink: the URL of its SQL Gateway; the pipeline's gateway if absent."),
  sasl: engineSasl
    .optional()
    .describe("For engine flink: Flink's own login at the brokers; kafka.sasl if absent."),
  every: duration
    .refine(
      (text) => !DURATION_PATTERN.test(text) || durationMs(text) >= 1000,
      'must be at least 1s',
    )
    .default('1h')
    .describe('The time from one window to the next.'),
  passesInARow: z
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .describe('The number of windows that must pass in a row before an approval.'),
  coverage: z
    .array(z.enum(['weekday', 'weekend', 'month-end', 'dst-day']))
    .default([])
    .describe('The kinds of days on which windows must have passed before an approval.'),
  maxMismatchRate: decimal
    .refine(
      (text) => Number(text) > 0 && Number(text) < 1,
      'must be between 0 and 1, like "0.0001"',
    )
    .optional()
    .describe(
      'The passed windows must show, with 95 % confidence, that at most this share of the keys is wrong.',
    ),
  compare: compare
    .prefault({})
    .describe('Columns that are not compared, or are compared with a tolerance.'),
  closedKeys: z
    .string()
    .default('')
    .describe(
      "An SQL condition over the result's key that is true for the rows that no later run will change. `$cut` stands for the run's `cut_at`.",
    ),
  waivers: z
    .array(waiver)
    .default([])
    .describe('Exceptions for one check or one class of differences, each with a reason.'),
  results: z
    .enum(['exact', 'settled'])
    .default('exact')
    .describe(
      'How results are compared: exact at a still point of the pipeline, or in rounds until settled.',
    ),
  stillPoint: stillPoint
    .prefault({})
    .describe(
      'When and for how long Sluice may pause the source connector to reach a still point.',
    ),
  laterWindows: z
    .enum(['scan', 'witness'])
    .optional()
    .describe(
      'How windows after the first find what the source changed. With `scan` (the default), they scan the tables. With `witness`, the worker keeps a temporary replication slot that names the rows.',
    ),
});

const metadata = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, 'expected 1 to 40 of a-z, 0-9 and -')
    .describe('The name of the migration; its workflow is `migration-<name>`.'),
  labels,
});

const catchUp = z.strictObject({
  barriers: z
    .int()
    .min(1)
    .max(100)
    .default(3)
    .describe(
      'How many barriers in a row must arrive in time. A barrier is the proof that all changes up to a position have passed connector, pipeline and sink.',
    ),
  within: durationBetween('1ms', '24d')
    .default('30s')
    .describe('The time in which a barrier must arrive.'),
  timeout: durationBetween('1ms', '3650d')
    .default('6h')
    .describe('The time for which the run tries to catch up before it blocks.'),
});

const soak = z.strictObject({
  for: duration.default('24h').describe('The time for which both sides are compared.'),
  passes: z
    .int()
    .min(0)
    .max(1000)
    .default(3)
    .describe('The number of windows that must pass in a row before the soak ends.'),
});

const rollback = z.strictObject({
  automaticOn: z
    .array(z.enum(['failed-window']))
    .default([])
    .describe('The events of the soak after which Sluice rolls back without a person.'),
});

const spec = z.strictObject({
  source: source.describe('The legacy database and the tables that are captured.'),
  target: target
    .optional()
    .describe(
      "The Postgres database of the result, if it is not the source database. It holds the batch's result and run log, the sink's table, the view and the lease row. The batch's actions run there.",
    ),
  batch: batch
    .optional()
    .describe('The batch process that is replaced. Without it, only tables are migrated.'),
  connector: connector.describe('The source connector.'),
  existing: existing
    .optional()
    .describe(
      'Topics, slot, publication and connector that already exist. `sluice compare` compares the tables with these topics, and `adopt` adopts all of these objects.',
    ),
  adopt: z
    .boolean()
    .optional()
    .describe(
      'If true, the migration adopts the objects of `existing` and creates no capture of its own. It never changes or removes them.',
    ),
  kafka: kafka.describe('The Kafka cluster and the topics that Sluice creates.'),
  pipeline: pipeline.optional().describe('The streaming computation that replaces the batch.'),
  sink: sink
    .optional()
    .describe(
      'The connector that writes the output into a table of the source or the target database.',
    ),
  catchUp: catchUp.prefault({}).describe('When the stream counts as caught up.'),
  validation: validation.prefault({}).describe('How both sides are compared.'),
  cutover: cutover.prefault({}).describe('How the consumers are switched.'),
  soak: soak.prefault({}).describe('The time after the cut-over in which a rollback is easy.'),
  rollback: rollback.prefault({}).describe('When Sluice rolls back by itself.'),
});

export const migrationSchema = z.strictObject({
  $schema: z.string().optional().describe('The JSON Schema, for editors; Sluice ignores it.'),
  apiVersion: z.literal('sluice.dev/v1alpha1').describe('The version of the format.'),
  kind: z.literal('Migration').describe('The kind of document.'),
  metadata: metadata.describe('The name and the labels of the migration.'),
  spec: spec.describe('The migration itself.'),
});

export type ParsedSpec = z.output<typeof migrationSchema>;

type Covers<Known extends Accepted, Accepted> = [Known, Accepted];
type Written = ParsedSpec['spec'];
/** The compiler refuses this type if the schema lacks a mode that `MigrationSpec` knows. */
export type EveryModeCanBeWritten = [
  Covers<RouteSpec['type'], NonNullable<Written['cutover']>['route']['type']>,
  Covers<ConnectorSpec['type'], Written['connector']['type']>,
  Covers<PipelineSpec['type'], NonNullable<Written['pipeline']>['type']>,
];
