// The effects of a capture on the systems around it. The pure half is in domain/capture.
import type pg from 'pg';
import type { SourceClient } from '../../clients/postgres/connection.js';
import type { CapturePlan } from '../../domain/capture/capture.js';
import type { CapturedTable, CaptureProblem } from '../../domain/capture/captured-set.js';
import type { Check } from '../../domain/evidence/check.js';
import type { Facts } from '../../domain/evidence/epoch.js';
import type { Capture } from '../../domain/migration/names.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { Lsn } from '../../domain/values/position.js';
import type { Unequal } from '../../compare/not-capturable.js';
import type { Shape } from '../../compare/comparison.js';
import type { Column } from '../../clients/postgres/catalog.js';
import type { Note } from '../barrier/marker.js';
import type { Deps } from '../runtime/deps.js';
import type { Planned } from '../runtime/with-plan.js';

export interface WantedConnector {
  readonly name: string;
  readonly connectorClass: string;
  readonly config: Readonly<Record<string, string>>;
}

export interface SourceMark {
  /** Position in the source's log: everything that the marked snapshot sees lies before it. */
  readonly lsn: Lsn;
  /** Waits until the connector has everything up to the mark. Null = proven; else why not. */
  reached(deadline: number, note?: Note): Promise<string | null>;
}

/** The connections and the token of a mark. */
export interface MarkAt {
  /** Reads what is marked: a transaction's snapshot, if it holds one. */
  readonly snapshot: pg.ClientBase;
  /** Serves what must not be in the snapshot. */
  readonly side: pg.ClientBase;
  /** An earlier position to reach. */
  readonly from?: Lsn | null;
  readonly token: string;
}

/** The source's state of the capture: facts that evidence rests on, and a problem that voids any proof. */
export interface CaptureState {
  readonly facts: Facts;
  readonly problem: CaptureProblem | null;
}

/** A subject that is compared with its topic when both have settled. */
export interface SettledSubject {
  readonly subject: string;
  readonly topic: string;
  readonly sql: string;
  readonly columns: readonly Column[];
  readonly key: readonly string[];
  /** Tells a difference that the capture had no way to notice. */
  readonly notCapturable: (shape: Shape) => (difference: Unequal) => boolean;
}

export type CaptureDeps = Pick<Deps, 'secret' | 'systems'>;

/** The half of a capture that meets real systems. */
export interface CaptureAdapter<C extends CapturePlan = CapturePlan> {
  /** Finds in preflight what the capture would meet. Reads only. */
  checks(deps: CaptureDeps, plan: ResolvedPlan, capture: C): Promise<Check[]>;
  /** Makes the configurations of the source connectors, of all or of the one named. Throws Problem `preflight-failed` when a plugin or a table is gone. */
  connectors(
    deps: CaptureDeps,
    plan: ResolvedPlan,
    capture: C,
    only?: string,
  ): Promise<WantedConnector[]>;
  mark(deps: Pick<Deps, 'systems'>, run: Planned, at: MarkAt, capture: C): Promise<SourceMark>;
  /** Reads the state of the capture at the source. `tables` are those of the plan, in its order. */
  state(
    client: SourceClient,
    plan: ResolvedPlan,
    tables: readonly (CapturedTable | null)[],
  ): Promise<CaptureState>;
  /** Lists what a settled window compares beside the results. */
  settled(client: pg.ClientBase, plan: ResolvedPlan, capture: C): Promise<SettledSubject[]>;
  /** Explains why rows of a subject may be missing that are not lost. Null = they are not expected to be. */
  whyMissing(client: pg.ClientBase, subject: Capture, capture: C): Promise<string | null>;
}
