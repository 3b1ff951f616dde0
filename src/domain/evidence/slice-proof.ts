// Plain JSON shapes of a proof on a small part of the data: its input, its progress and its result.
import type { MigrationRef } from './ledger-rows.js';
import type { MigrationSpec } from '../migration/spec.js';
import type { Verdict } from './verdict.js';
import type { Counts, Difference } from './window.js';

export interface ProofInput {
  /** The spec of a migration, unchecked. */
  readonly spec: unknown;
  /** SQL over columns of the tables and of the result's key. */
  readonly slice: string;
  /** Only this stage of `batch.stages`; null = the result. */
  readonly stage: string | null;
  /** Also compare what the last so many runs stored for the keys that they closed; 0 = not. */
  readonly runs: number;
  readonly by: string;
  /** The time limit of the pipeline, in ms. */
  readonly patienceMs: number;
}

export const PROOF_STATES = [
  'open',
  'replay',
  'pipeline',
  'compare',
  'stop-pipeline',
  'clean-up',
  'done',
] as const;
export type ProofState = (typeof PROOF_STATES)[number];

/** Environment variables that limit a pipeline to the slice. */
export type PipelineEnvironment = Readonly<Record<string, string>>;

export interface SlicedTable {
  readonly table: string;
  readonly rows: number;
  /** Rows of the whole table, by count in the same snapshot. */
  readonly of: number;
}

export interface Replayed {
  readonly lsn: string;
  readonly tables: readonly SlicedTable[];
  readonly records: number;
  readonly bytes: number;
  readonly ms: number;
  /** Rows that the batch's query gives on the slice. */
  readonly expected: number;
}

/**
 * One run of the batch, rehearsed: what it stored for the keys that it closed, against the
 * pipeline.
 */
export interface RehearsedRun extends Verdict {
  readonly run: string;
  readonly cut: string;
  readonly counts: Counts;
  /** The number of mismatches in which the batch contradicts its own query. */
  readonly batchWasWrong: number;
}

export interface ProofResult {
  readonly apiVersion: 'sluice.dev/v1alpha1';
  readonly kind: 'Proof';
  readonly id: string;
  readonly name: string;
  readonly slice: string;
  readonly stage: string | null;
  readonly at: string;
  readonly by: string;
  readonly verdict: Verdict['verdict'];
  readonly reason: string;
  readonly replayed: Replayed | null;
  readonly counts: Counts | null;
  /**
   * Empty in the workflow: they hold values of rows and stand in the ledger, from where the command
   * line reads them.
   */
  readonly differences: readonly Difference[];
  /** Oldest first; empty when none was asked for. */
  readonly rehearsed: readonly RehearsedRun[];
  /**
   * The time from the end of the replay until the pipeline had read everything, in ms; null when it
   * never did.
   */
  readonly pipelineMs: number | null;
  /**
   * The predicted cost of migrating everything, by the rates of this proof; null when nothing was
   * measured.
   */
  readonly predicted: {
    readonly records: number;
    readonly loadMs: number;
    readonly catchUpMs: number;
  } | null;
  readonly leftovers: readonly string[];
}

export const proofId = (name: string, number: number): string => `proof-${name}-${number}`;

/** Topic that holds what the batch's query gave on the slice. */
export const expectedTopic = (id: string): string => `${id}.expected`;

/**
 * The spec with every name moved into the proof's own: topics, group, output. No sink, and one
 * stage at most.
 */
export function proofSpec(spec: MigrationSpec, id: string, stage: string | null): MigrationSpec {
  const { batch, pipeline, sink: _sink, ...rest } = spec.spec;
  return {
    ...spec,
    metadata: { ...spec.metadata, name: id },
    spec: {
      ...rest,
      connector: { ...rest.connector, topicPrefix: id },
      batch: batch && {
        ...batch,
        stages: batch.stages
          .filter((s) => s.name === stage)
          .map((s) => ({ ...s, topic: `${id}.${s.name}` })),
      },
      pipeline: pipeline && {
        ...pipeline,
        groups: [id],
        output: { ...pipeline.output, topic: `${id}.output` },
      },
    },
  };
}

export function pipelineEnvironment({
  spec,
  name,
}: Pick<MigrationRef, 'spec' | 'name'>): PipelineEnvironment {
  const { kafka, pipeline, batch } = spec.spec;
  const stage = batch?.stages[0];
  return {
    KAFKA_BROKERS: kafka.brokers.join(','),
    TOPIC_PREFIX: name,
    OUTPUT_TOPIC: pipeline!.output.topic,
    APPLICATION_ID: name,
    ...(stage ? { STAGE_TOPIC: stage.topic } : {}),
  };
}
