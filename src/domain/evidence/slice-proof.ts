// Plain JSON shapes of `sluice prove`, which proves a pipeline on a slice of the data: its input,
// progress and result. Also derives the spec of a proof, and the variables for its pipeline.
import type { MigrationRef } from './ledger-rows.js';
import type { MigrationSpec } from '../migration/spec.js';
import type { Verdict } from './verdict.js';
import type { Counts } from './counts.js';
import type { Difference } from './window.js';

export interface ProofInput {
  /** The spec of a migration, not yet checked. */
  readonly spec: unknown;
  /** An SQL condition over columns of the tables and of the result's key. */
  readonly slice: string;
  /** The stage of `batch.stages` that is proven. Null means that the result is proven. */
  readonly stage: string | null;
  /**
   * How many of the latest batch runs are also compared, by their stored results. Of each result,
   * only the closed keys are compared, because no later run changes their rows.
   */
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

/** Environment variables with the brokers, topics and group that the pipeline uses in a proof. */
export type PipelineEnvironment = Readonly<Record<string, string>>;

export interface SlicedTable {
  readonly table: string;
  readonly rows: number;
  /** The number of rows of the whole table, counted in the same snapshot. */
  readonly of: number;
}

export interface Replayed {
  readonly lsn: string;
  readonly tables: readonly SlicedTable[];
  readonly records: number;
  readonly bytes: number;
  readonly ms: number;
  /** The rows that the batch's query returns on the slice. */
  readonly expected: number;
}

/**
 * The comparison of one earlier run of the batch with the pipeline. It covers the rows that the run
 * stored for closed keys.
 */
export interface RehearsedRun extends Verdict {
  readonly run: string;
  readonly cut: string;
  readonly counts: Counts;
  /** The number of mismatches in which the run's stored row contradicts the batch's query. */
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
   * Empty in the workflow, because differences contain values of rows. `sluice prove` reads the
   * differences from the ledger.
   */
  readonly differences: readonly Difference[];
  /** Oldest first. Empty if no runs were requested. */
  readonly rehearsed: readonly RehearsedRun[];
  /**
   * The time in ms from the end of the replay (of the slice's rows into topics) until the pipeline
   * had read everything. Null if the pipeline never read everything.
   */
  readonly pipelineMs: number | null;
  /**
   * The predicted cost of migrating everything, computed from the rates of this proof. Null if
   * nothing was measured.
   */
  readonly predicted: {
    readonly records: number;
    readonly loadMs: number;
    readonly catchUpMs: number;
  } | null;
  readonly leftovers: readonly string[];
}

/** A proof as `sluice prove` shows it. */
export interface ShownProof extends ProofResult {
  /** Sentences about columns that the spec leaves out of the comparison. */
  readonly leftOut: readonly string[];
}

export const proofId = (name: string, number: number): string => `proof-${name}-${number}`;

/** The topic that holds the rows that the batch's query returned on the slice. */
export const expectedTopic = (id: string): string => `${id}.expected`;

/**
 * Returns the spec with the proof's own names for topics, group and output. It has no sink, and at
 * most one stage.
 */
export function proofSpec(
  migration: MigrationSpec,
  id: string,
  stage: string | null,
): MigrationSpec {
  const { batch, pipeline, sink: _sink, ...rest } = migration.spec;
  return {
    ...migration,
    metadata: { ...migration.metadata, name: id },
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
