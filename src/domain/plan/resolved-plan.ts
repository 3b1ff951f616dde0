// The resolved plan of a spec and a generation: every name is parsed and every mode is decided.
// `resolve` computes it.
import type { Capture, Names, Relation } from '../migration/names.js';
import type { CapturePlan } from '../capture/capture.js';
import type { BatchSpec, MigrationSpec } from '../migration/spec.js';
import type { Subject } from '../evidence/subjects.js';
import type { HostPlan } from '../pipelines/index.js';
import type { RoutePlan } from '../routes/route.js';
import type { OwnedTrigger, TriggerRole } from './trigger-names.js';

/** A table that takes no writes while the lease is FENCED, with the trigger that refuses them. */
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
  /** Null when runs are seen as sessions, or not at all. */
  readonly runLog: Relation | null;
}

export interface SinkPlan {
  readonly connector: string;
  readonly group: string;
  /**
   * The table that the sink writes while consumers read that side. The two differ only on a shared
   * table.
   */
  readonly writes: { readonly batch: Relation; readonly stream: Relation };
}

export interface CutoverStep {
  readonly name:
    'recheck' | 'fence' | 'drain' | 'final-window' | 'pause-sink' | 'commit' | 'route' | 'confirm';
  readonly does: string;
  readonly undo: string | null;
  /**
   * Steps before the commit can be undone. After it, the migration only goes forward, or back by
   * the planned rollback.
   */
  readonly before: 'commit' | 'end';
}

/**
 * The spec as the operator wrote it (`spec.…` holds limits, durations, addresses), and everything
 * that follows from it.
 */
export interface ResolvedPlan extends MigrationSpec {
  readonly generation: number;
  readonly names: Names;
  /** The source database, as the ledger writes the place of an object. */
  readonly database: string;
  /** The Kafka cluster, as the ledger writes the place of an object. */
  readonly cluster: string;
  readonly tables: readonly Relation[];
  readonly capture: CapturePlan;
  readonly captures: readonly Capture[];
  readonly sourceConnectors: readonly string[];
  /** Topics beside those of the tables that only a connector on the log writes. */
  readonly logTopics: readonly string[];
  readonly topics: readonly string[];
  readonly batch: BatchPlan | null;
  readonly sink: SinkPlan | null;
  readonly host: HostPlan;
  readonly route: RoutePlan;
  readonly fence: FencePlan;
  readonly subjects: readonly Subject[];
  readonly steps: readonly CutoverStep[];
  /** Guarantees that this spec weakens, in words for the people who approve. */
  readonly notes: readonly string[];
}
