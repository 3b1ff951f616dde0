// The resolved plan of a spec and a generation, which is the number of the capture. Every name is
// parsed and every mode is decided. `resolve` computes the plan.
import type { Capture, Names, Relation } from '../migration/names.js';
import type { CapturePlan } from '../capture/capture.js';
import type { BatchSpec, MigrationSpec } from '../migration/spec.js';
import type { OwnedObject } from '../evidence/ledger-rows.js';
import type { Subject } from '../evidence/subjects.js';
import type { HostPlan } from '../pipelines/index.js';
import type { RoutePlan } from '../routes/route.js';
import type { OwnedTrigger, TriggerRole } from '../migration/trigger-names.js';

/** A table whose trigger refuses writes, for example while the lease is FENCED. */
export interface Guard {
  readonly role: TriggerRole;
  readonly table: Relation;
  readonly trigger: OwnedTrigger;
}

export interface FencePlan {
  readonly kind: MigrationSpec['spec']['cutover']['fence'];
  readonly guards: readonly Guard[];
}

export interface BatchPlan extends BatchSpec {
  readonly resultTable: Relation;
  /** The run log. Null if Sluice sees runs only as sessions, or does not see them. */
  readonly runLog: Relation | null;
}

export interface SinkPlan {
  readonly connector: string;
  readonly group: string;
  /**
   * `batch`: the table that the sink writes to while consumers read the batch's result. `stream`:
   * the table that it writes to afterwards. The two differ only for a shared table.
   */
  readonly writes: { readonly batch: Relation; readonly stream: Relation };
}

export interface CutoverStep {
  readonly name:
    | 'recheck'
    | 'fence'
    | 'drain'
    | 'final-window'
    | 'pause-sink'
    | 'commit'
    | 'route'
    | 'confirm';
  readonly does: string;
  readonly undo: string | null;
  /**
   * `commit`: the step runs before the commit, and `undo` reverts it. `end`: the step runs at the
   * commit or after it, and only a rollback reverts it.
   */
  readonly before: 'commit' | 'end';
}

/**
 * The spec as the operator wrote it (`spec.…` holds limits, durations and addresses), and
 * everything that is derived from it.
 */
export interface ResolvedPlan extends MigrationSpec {
  readonly generation: number;
  readonly names: Names;
  /** The name of the source database, such as `shop`. The ledger stores it with owned objects. */
  readonly database: string;
  /**
   * The name of the database of the result, the sink's table, the view and the lease row. If it is
   * not the source, the server's address follows: `shop on db.example.com:5432`.
   */
  readonly targetDatabase: string;
  /** The brokers' addresses, by which the ledger names the Kafka cluster. */
  readonly cluster: string;
  readonly tables: readonly Relation[];
  readonly capture: CapturePlan;
  readonly captures: readonly Capture[];
  readonly sourceConnectors: readonly string[];
  /**
   * The topics that Sluice's Debezium connector uses in addition to the topics of the tables, such
   * as its heartbeats. Empty for any other capture.
   */
  readonly logTopics: readonly string[];
  /** The topics that a generation creates. */
  readonly topics: readonly string[];
  /**
   * Objects that exist already and that the migration adopts. Empty unless the spec says `adopt`.
   */
  readonly adopts: readonly OwnedObject[];
  readonly batch: BatchPlan | null;
  readonly sink: SinkPlan | null;
  readonly host: HostPlan;
  readonly route: RoutePlan;
  readonly fence: FencePlan;
  readonly subjects: readonly Subject[];
  readonly steps: readonly CutoverStep[];
  /** Sentences for the approvers, one for each guarantee that this spec weakens. */
  readonly notes: readonly string[];
}
