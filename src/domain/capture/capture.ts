// A capture brings changes from the source into topics. This file defines the facts that every
// capture provides. Here, *the log* is the WAL of the source.
import type { Capture, Names } from '../migration/names.js';
import type { Polling } from './polling-settings.js';
import type { ConnectorSpec, MigrationSpec } from '../migration/spec.js';
import type { Contradiction } from '../migration/contradiction.js';

/**
 * The time limit (ms) for each barrier of a window. During a wait, a snapshot can stay open, which
 * delays VACUUM. After a longer wait, the window's result would also be outdated.
 */
export const BARRIER_LIMIT_MS = 60_000;

/** Facts about the initial load, as plain data. */
export interface LoadFacts {
  readonly load: 'none' | ConnectorSpec['snapshot'];
  /**
   * True if Sluice creates the slot in the phase `snapshot`, before the connector exists. All later
   * changes then come through the log.
   */
  readonly makesSlotFirst: boolean;
  /** True if the connector creates the slot, after Sluice has claimed its name in the ledger. */
  readonly claimsSlot: boolean;
  /** True if the connector starts the load when it receives a signal through Kafka. */
  readonly isSignalled: boolean;
  /** True if Sluice writes the rows to the topics itself, before the connector starts. */
  readonly copies: boolean;
  /** The activity that watches the load. Null if the load is complete when the connector starts. */
  readonly watch: 'watchSnapshot' | 'watchPolled' | null;
  /** True if Debezium loads the tables when its connector starts (`snapshot.mode: initial`). */
  readonly startsWithLoad: boolean;
  readonly rowsPerSecond: number;
  /** True if one long transaction reads all rows of the load, and so holds back vacuum. */
  readonly holdsSnapshot: boolean;
}

/**
 * Facts about a capture, as plain data. The plan, the checks, the workflow and the activities use
 * them.
 */
export interface CaptureFacts {
  readonly load: LoadFacts['load'];
  readonly loading: LoadFacts;
  /** Sentences for the approvers, one for each guarantee that the capture weakens. */
  readonly notes: readonly string[];
  /** True if the connector reads the log through Sluice's own publication and replication slot. */
  readonly hasSlot: boolean;
  /** True if the connector reads the log through a replication slot, Sluice's or an adopted one. */
  readonly readsSlot: boolean;
  /**
   * True if connector, slot, publication and topics existed before the migration, and belong to
   * another owner. Sluice then never creates, changes, restarts or removes them.
   */
  readonly isAdopted: boolean;
  /** True if the connector brings Sluice's markers from the log to Kafka. */
  readonly carriesMarkers: boolean;
  /** True if the record of a change can also contain the row before the change. */
  readonly carriesBefore: boolean;
  /** True if every generated column is captured. */
  readonly carriesGenerated: boolean;
  /** True if the publication includes stored generated columns on servers that can publish them. */
  readonly publishesStored: boolean;
  /** True if rows of child tables (INHERITS) arrive under the name of the parent table. */
  readonly carriesHeirs: boolean;
  /** The mode in which a window compares the captured tables or query. */
  readonly subjectMode: 'exact' | 'settled';
  /** The SELECT that is captured instead of the tables, or null. */
  readonly query: string | null;
  /** The number of database sessions that the connectors open at the source. */
  readonly sessions: number;
}

export interface MaybeGenerated {
  readonly generated: boolean;
  /** False if no publication can contain the column. */
  readonly publishable: boolean;
}

/** Returns whether every record of a row contains the column. */
export const isCarried = (
  { carriesGenerated, publishesStored }: CaptureFacts,
  column: MaybeGenerated,
): boolean => !column.generated || carriesGenerated || (publishesStored && column.publishable);

export interface LogPlan extends CaptureFacts {
  readonly kind: 'log';
  readonly load: ConnectorSpec['snapshot'];
}

export interface PollingPlan extends CaptureFacts {
  readonly kind: 'polling';
  readonly load: 'none';
  readonly polling: Polling;
}

export interface AdoptedPlan extends CaptureFacts {
  readonly kind: 'adopted';
  readonly load: 'none';
}

/** The way in which changes leave the source. */
export type CapturePlan = LogPlan | PollingPlan | AdoptedPlan;

/** Pure functions that describe a capture. The code with side effects is in activities/capture. */
export interface CaptureMode {
  /** The reason why no result of this capture can be compared exactly. Null if there is none. */
  readonly whySettled: string | null;
  /** The reason why `sluice compare` cannot compare the tables. Null if there is none. */
  readonly whyNotCompared: string | null;
  plan(spec: MigrationSpec): CapturePlan;
  /** Lists the tables, or the query, that the connectors write to topics. */
  captures(spec: MigrationSpec, names: Names): Capture[];
  /** Lists the topics that the connector uses in addition to the topics of the tables. */
  ownTopics(spec: MigrationSpec, names: Names): string[];
  contradictions(spec: MigrationSpec): Contradiction[];
}
