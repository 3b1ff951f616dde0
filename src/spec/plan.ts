// The plan: what a migration will make, do and leave behind, as data. Its hash binds evidence and approvals to exactly this plan.
import { createHash } from 'node:crypto';
import { debeziumPostgresConfig } from '../connectors/debezium-postgres.js';
import { jdbcSinkConfig } from '../connectors/jdbc-sink.js';
import { canonicalJson } from '../domain/canonical-json.js';
import { cutoverNotes, cutoverSteps, type CutoverStep } from '../domain/cutover-plan.js';
import { capturesOf, jobNames, logTopics, namesOf, sourceConnectors } from '../domain/names.js';
import { pollingOf } from '../domain/polling.js';
import { sharedTableOf, sinkTable } from '../domain/shared-table.js';
import { hostUrl, type MigrationSpec } from '../domain/spec.js';
import { subjectsOf, type Mode } from '../domain/subjects.js';
import { fenceTriggers } from '../domain/triggers.js';

export interface PlannedObject {
  readonly kind: string;
  readonly name: string;
  readonly where: string;
  readonly after: 'handed over' | 'removed at complete';
}

export interface Plan {
  readonly apiVersion: 'sluice.dev/v1alpha1';
  readonly kind: 'Plan';
  readonly name: string;
  readonly hash: string;
  readonly generation: number;
  readonly creates: readonly PlannedObject[];
  readonly connectors: readonly { readonly name: string; readonly config: Readonly<Record<string, string>> }[];
  readonly comparisons: readonly { readonly subject: string; readonly mode: Mode }[];
  readonly cutover: readonly CutoverStep[];
  /** What whoever approves must know: guarantees that this spec weakens. */
  readonly notes: readonly string[];
}

/** Hash of what evidence depends on: the whole spec but its labels, in canonical JSON. */
export function planHash(spec: MigrationSpec): string {
  const { metadata, ...rest } = spec;
  return createHash('sha256')
    .update(canonicalJson({ ...rest, name: metadata.name }))
    .digest('hex')
    .slice(0, 16);
}

export function buildPlan(spec: MigrationSpec, generation = 1): Plan {
  const names = namesOf(spec, generation);
  const { source, sink, pipeline, batch, kafka } = spec.spec;
  const cluster = kafka.brokers.join(',');
  const database = source.postgres.database;
  const captures = capturesOf(spec, generation);
  const polling = pollingOf(spec);
  const creates: PlannedObject[] = [
    { kind: 'lease', name: names.leaseSchema, where: batch ? database : 'ledger', after: 'removed at complete' },
    ...(polling ? [] : [{ kind: 'publication', name: names.publication, where: database, after: 'handed over' as const }]),
    ...captures.map((capture) => ({ kind: 'topic', name: capture.topic, where: cluster, after: 'handed over' as const })),
    ...logTopics(spec, generation).map((name) => {
      const after = name === names.heartbeatTopic ? ('handed over' as const) : ('removed at complete' as const);
      return { kind: 'topic', name, where: cluster, after };
    }),
    ...(spec.spec.validation.engine === 'flink' ? [{ kind: 'topic', name: names.windowTopic, where: cluster, after: 'removed at complete' as const }] : []),
    ...(pipeline ? [{ kind: 'topic', name: pipeline.output.topic, where: cluster, after: 'handed over' as const }] : []),
    ...fenceTriggers(spec).map((trigger) => ({ ...trigger, after: 'removed at complete' as const })),
    ...(sink ? [plannedSink(spec)] : []),
    ...(polling ? [] : [{ kind: 'slot', name: names.slot, where: database, after: 'handed over' as const }]),
    ...sourceConnectors(spec, generation).map((name) => ({ kind: 'connector', name, where: spec.spec.connector.url, after: 'handed over' as const })),
    ...jobNames(spec, generation).flatMap((name) => [{ kind: 'job', name, where: hostUrl(pipeline!), after: 'handed over' as const }]),
    ...(sink ? [{ kind: 'connector', name: names.sinkConnector, where: spec.spec.connector.url, after: 'handed over' as const }] : []),
  ];
  return {
    apiVersion: 'sluice.dev/v1alpha1',
    kind: 'Plan',
    name: spec.metadata.name,
    hash: planHash(spec),
    generation,
    creates,
    connectors: [
      ...(polling ? [] : [{ name: names.connector, config: debeziumPostgresConfig(spec, generation) }]), // those that poll name the columns of their tables: `doctor` asks the database for them
      ...(sink ? [{ name: names.sinkConnector, config: jdbcSinkConfig(spec, generation) }] : []),
    ],
    comparisons: subjectsOf(spec),
    cutover: cutoverSteps(spec),
    notes: cutoverNotes(spec),
  };
}

/** The stream's own table; where it shares one with the batch, the one of ours that it writes until the commit. */
function plannedSink(spec: MigrationSpec): PlannedObject {
  const where = spec.spec.source.postgres.database;
  return { kind: 'sink', name: sinkTable(spec, 'batch'), where, after: sharedTableOf(spec) ? 'removed at complete' : 'handed over' };
}
