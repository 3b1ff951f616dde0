// The spec that the operator wrote, with defaults filled in. After the start, only an edit changes
// it (domain/decisions/spec-changes.ts). These types mirror `src/manifest/spec-schema.ts`, which
// parses the spec.

import type { Login, KafkaSpec, PasswordLogin, TlsFiles } from './cluster-access.js';
import type { ControlSpec } from './connect-control.js';
import type { ExistingSpec } from './compare-only-spec.js';
import type { PostgresAddress, TargetSpec } from './databases.js';
import type { RecordFormat } from './topic-format.js';

export type { KafkaSpec, SecretRef } from './cluster-access.js';
export type { PostgresAddress } from './databases.js';

export interface SourceSpec {
  readonly postgres: PostgresAddress;
  /** `schema.name`. Other names than `[a-z_][a-z0-9_$]*` are double-quoted inside the string. */
  readonly tables: readonly string[];
  readonly limits: {
    readonly maxBackends: number;
    readonly rowsPerSecond: number;
    /**
     * The number of windows that may read this server at a time, over all migrations of the ledger.
     * Final windows do not count. Four if absent.
     */
    readonly windows?: number | undefined;
    readonly statementTimeout: string;
  };
  readonly walBudget: { readonly bytes: string; readonly onExhaustion: 'drop-slot' | 'block' };
}

/** A statement on the target, or a POST to the scheduler. */
export type BatchAction = { readonly sql: string } | { readonly url: string };

export interface StageSpec {
  readonly name: string;
  readonly query: { readonly sql: string };
  readonly key: readonly string[];
  readonly topic: string;
  /** JSON if absent. */
  readonly format?: RecordFormat | undefined;
}

export interface BatchSpec {
  readonly result: { readonly table: string; readonly key: readonly string[] };
  readonly query: { readonly sql: string };
  /**
   * Intermediate results of the pipeline, in its order. Each stage is compared separately, so that
   * a difference names the first wrong stage.
   */
  readonly stages: readonly StageSpec[];
  /** Sluice sees the runs of the batch in a run log, or as sessions with this application_name. */
  readonly runs?: { readonly table: string } | { readonly application: string } | undefined;
  readonly pause?: BatchAction | undefined;
  readonly resume?: BatchAction | undefined;
  readonly retire?: BatchAction | undefined;
}

export type PollingMode = 'bulk' | 'incrementing' | 'timestamp' | 'timestamp+incrementing';

export interface ConnectorSpec extends ControlSpec {
  readonly type: 'debezium-postgres' | 'jdbc-source';
  /** PEM files for TLS with Connect's REST API. */
  readonly tls?: TlsFiles | undefined;
  readonly auth?: Login | undefined;
  /** The addresses at which Connect reaches the brokers, if they differ from the worker's. */
  readonly brokers?: readonly string[] | undefined;
  /**
   * `initial`: the connector loads the tables in one transaction. `incremental`: it loads them in
   * chunks while it also reads changes. `copy`: Sluice loads them before the connector starts.
   */
  readonly snapshot: 'initial' | 'incremental' | 'copy';
  readonly topicPrefix?: string | undefined;
  readonly config: Readonly<Record<string, string>>;
  /** The remaining keys belong to jdbc-source: see `pollingOf`. */
  readonly mode?: PollingMode | undefined;
  readonly query?: { readonly sql: string } | undefined;
  readonly incrementingColumn?: string | undefined;
  readonly timestampColumns?: readonly string[] | undefined;
  readonly delay?: string | undefined;
  readonly deletes?: 'none' | 'soft' | undefined;
}

export interface PipelineSpec {
  /**
   * You deploy an `external` pipeline yourself. Sluice deploys the other types through Flink's SQL
   * Gateway or ksqlDB's REST API.
   */
  readonly type: 'external' | 'flink-sql' | 'ksqldb';
  readonly gateway?: string | undefined;
  /** The REST API of ksqlDB. */
  readonly url?: string | undefined;
  readonly statements?: { readonly sql: string } | undefined;
  readonly groups: readonly string[];
  readonly output: {
    readonly topic: string;
    readonly key: readonly string[];
    /** JSON if absent. */
    readonly format?: RecordFormat | undefined;
  };
}

export interface SinkSpec {
  readonly type: 'jdbc-sink';
  readonly table: string;
}

export type CoverageDay = 'weekday' | 'weekend' | 'month-end' | 'dst-day';

export interface Waiver {
  /** The name of a preflight check. A waiver has either `check` or `class`. */
  readonly check?: string | undefined;
  /** A class of differences. */
  readonly class?: 'batch-was-wrong' | undefined;
  readonly reason: string;
  readonly until: string;
}

export interface StillPointSpec {
  /** The longest pause of the source connector. */
  readonly maxPause: string;
  /** True if the connector may also be paused after the commit, when consumers read the stream. */
  readonly inSoak: boolean;
}

export interface ValidationSpec {
  /**
   * The engine that compares tables with their topics: the worker (`embedded`) or Flink. The worker
   * compares the results, whichever engine is set.
   */
  readonly engine: 'embedded' | 'flink';
  /** The SQL Gateway of the Flink engine. If absent, the pipeline's gateway is used. */
  readonly gateway?: string | undefined;
  /** Flink's login at the brokers. If absent, Flink logs in as the worker does. */
  readonly sasl?: PasswordLogin | undefined;
  readonly every: string;
  readonly passesInARow: number;
  readonly coverage: readonly CoverageDay[];
  /**
   * A decimal number as text. The streak must show with 95 % confidence that at most this share of
   * the keys is wrong.
   */
  readonly maxMismatchRate?: string | undefined;
  readonly compare: {
    readonly ignore: readonly string[];
    readonly tolerances: Readonly<Record<string, { readonly abs: string }>>;
  };
  /**
   * An SQL condition over the result's key. `$cut` stands for the run's `cut_at`: the time up to
   * which that run read its input. If the condition is empty, the stored result is not compared.
   */
  readonly closedKeys: string;
  readonly waivers: readonly Waiver[];
  /** Results are compared at a still point, or in rounds until they have settled. */
  readonly results: 'exact' | 'settled';
  readonly stillPoint: StillPointSpec;
  /** How windows after the first find the rows that the source changed. `scan` if absent. */
  readonly laterWindows?: 'scan' | 'witness' | undefined;
}

export interface ApprovalSpec {
  readonly quorum: number;
  readonly approvers: readonly string[];
  readonly notStarter: boolean;
  readonly expires: string;
  readonly evidenceMaxAge: string;
  readonly notBefore: string | null;
  readonly notAfter: string | null;
}

export type RouteSpec =
  | { readonly type: 'none' }
  | {
      readonly type: 'postgres-view';
      readonly view: string;
      readonly batch: string;
      readonly stream: string;
    }
  /**
   * Batch and stream write to one table: the batch until the commit, and afterwards the stream as
   * `streamRole`.
   */
  | {
      readonly type: 'postgres-table';
      readonly table: string;
      readonly batchRole: string;
      readonly streamRole: string;
    }
  | { readonly type: 'http'; readonly url: string };

export interface CutoverSpec {
  readonly approval: ApprovalSpec;
  readonly maxHold: string;
  /**
   * `source`: writes to the source tables are refused while a fence is in place. `result`: such
   * writes are allowed. If Sluice sees a run of the batch during the hold, it refuses the commit.
   */
  readonly fence: 'result' | 'source';
  /**
   * `fenced`: the final window compares the results under the fence. `{recent: 10m}`: an exact
   * comparison of an earlier window counts instead, if that window began at most ten minutes before
   * the commit.
   */
  readonly finalResult: 'fenced' | { readonly recent: string };
  readonly route: RouteSpec;
}

export interface MigrationSpec {
  readonly apiVersion: 'sluice.dev/v1alpha1';
  readonly kind: 'Migration';
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly source: SourceSpec;
    readonly target?: TargetSpec | undefined;
    readonly batch?: BatchSpec | undefined;
    readonly connector: ConnectorSpec;
    readonly existing?: ExistingSpec | undefined;
    /** If true, the migration adopts the objects of `existing` instead of creating its own. */
    readonly adopt?: boolean | undefined;
    readonly kafka: KafkaSpec;
    readonly pipeline?: PipelineSpec | undefined;
    readonly sink?: SinkSpec | undefined;
    readonly catchUp: {
      readonly barriers: number;
      readonly within: string;
      readonly timeout: string;
    };
    readonly validation: ValidationSpec;
    readonly cutover: CutoverSpec;
    readonly soak: { readonly for: string; readonly passes: number };
    readonly rollback: { readonly automaticOn: readonly 'failed-window'[] };
  };
}

/**
 * Returns the table of the run log. Null if there is none; runs that are only seen as sessions
 * leave no log.
 */
export const runLogOf = (batch: Pick<BatchSpec, 'runs'> | undefined): string | null =>
  batch?.runs && 'table' in batch.runs ? batch.runs.table : null;

interface WithEngine {
  readonly validation: { readonly engine: string; readonly gateway?: string | undefined };
  readonly pipeline?: { readonly gateway?: string | undefined } | undefined;
}

/**
 * Returns the SQL Gateway for comparing tables in Flink. Undefined if Flink does not compare them.
 */
export const engineGateway = ({ validation, pipeline }: WithEngine): string | undefined =>
  validation.engine === 'flink' ? (validation.gateway ?? pipeline?.gateway) : undefined;
