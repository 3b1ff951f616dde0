// A capture brings changes from the source into topics. This is what every capture says about itself.
import type { Capture } from '../migration/names.js';
import type { Polling } from './polling-settings.js';
import type { ConnectorSpec, MigrationSpec } from '../migration/spec.js';
import type { Contradiction } from '../routes/route.js';

/** The answers about the initial load. Plain data. */
export interface LoadFacts {
  readonly load: 'none' | ConnectorSpec['snapshot'];
  /** We make the slot before anything is read, so that changes from then on come through the log. */
  readonly makesSlotFirst: boolean;
  /** The connector makes the slot, under a name that we claim before. */
  readonly claimsSlot: boolean;
  /** The connector is asked for the load by a signal in Kafka. */
  readonly isSignalled: boolean;
  /** We write the rows ourselves, before the connector starts. */
  readonly copies: boolean;
  /** The activity that watches the load. Null = it is complete when the connector starts. */
  readonly watch: 'watchSnapshot' | 'watchPolled' | null;
  /** The connector loads the tables when it starts. */
  readonly startsWithLoad: boolean;
  readonly rowsPerSecond: number;
  /** One long transaction reads everything, which holds back vacuum. */
  readonly holdsSnapshot: boolean;
}

/** The answers of a capture to the questions that plan, checks, workflow and activities ask. Plain data. */
export interface CaptureFacts {
  readonly load: LoadFacts['load'];
  readonly loading: LoadFacts;
  /** Guarantees that the capture weakens, in words for the people who approve. */
  readonly notes: readonly string[];
  /** It reads the log through a publication and a replication slot of ours. */
  readonly hasSlot: boolean;
  /** Markers that we write into the log come through it. */
  readonly carriesMarkers: boolean;
  /** A change carries the row as it was before. */
  readonly carriesBefore: boolean;
  /** Generated columns are captured. */
  readonly carriesGenerated: boolean;
  /** Rows of tables that inherit come under the name of their parent. */
  readonly carriesHeirs: boolean;
  /** How a window compares what was captured: at one transaction, or when it has settled. */
  readonly subjectMode: 'exact' | 'settled';
  /** One SELECT that is captured instead of the tables. */
  readonly query: string | null;
  /** Sessions of the connectors at the source. */
  readonly sessions: number;
}

export interface LogPlan extends CaptureFacts {
  readonly kind: 'log';
  readonly load: ConnectorSpec['snapshot'];
}

export interface PollingPlan extends CaptureFacts {
  readonly kind: 'polling';
  readonly load: 'none';
  readonly polling: Polling;
}

/** How changes leave the source. */
export type CapturePlan = LogPlan | PollingPlan;

/** The pure half of a capture. The half with effects is in activities/capture. */
export interface CaptureMode {
  plan(spec: MigrationSpec): CapturePlan;
  /** Lists what the connectors bring into topics. */
  captures(spec: MigrationSpec, generation: number): Capture[];
  /** Lists the topics that the connector writes beside those of the tables. */
  ownTopics(spec: MigrationSpec, generation: number): string[];
  contradictions(spec: MigrationSpec): Contradiction[];
}
