// Defines what a capture reads from real systems and changes in them. A capture is a way in which
// changes leave the source, such as Debezium. The code of a capture that needs no real system is in
// domain/capture.
import type pg from 'pg';
import type { SourceClient } from '../../clients/postgres/connection.js';
import type { CapturePlan } from '../../domain/capture/capture.js';
import type { CapturedTable, CaptureProblem } from '../../domain/capture/captured-set.js';
import type { Check } from '../../domain/evidence/check.js';
import type { Facts } from '../../domain/evidence/epoch.js';
import type { Capture } from '../../domain/migration/names.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { Lsn } from '../../domain/values/position.js';
import type { Unequal } from '../../compare/unseen-by-polling.js';
import type { Shape } from '../../compare/row-comparison.js';
import type { Column } from '../../clients/postgres/catalog.js';
import type { Note } from '../barrier/connector-acknowledged.js';
import type { Deps } from '../runtime/deps.js';
import type { Planned } from '../runtime/with-plan.js';

export interface WantedConnector {
  readonly name: string;
  readonly connectorClass: string;
  readonly config: Readonly<Record<string, string>>;
  /**
   * Set only for an adopted connector, because Sluice does not own its configuration. Returns each
   * reason why the migration cannot use a connector with this configuration.
   */
  readonly unfit?: (stored: Readonly<Record<string, string>>) => readonly string[];
}

export interface SourceMark {
  /**
   * A position in the source's WAL: `MarkAt.from`, if the capture uses it. Otherwise, every change
   * that `MarkAt.snapshot` sees has a lower position.
   */
  readonly lsn: Lsn;
  /**
   * Waits until the connector has read everything up to the mark. Returns null if that is proven,
   * otherwise the reason.
   */
  reached(deadline: number, note?: Note): Promise<string | null>;
}

/**
 * The sessions that set a mark, and the text of the marker (`token`). An adopted or polling capture
 * writes no marker, and ignores the text.
 */
export interface MarkAt {
  /**
   * The session that defines which data the mark covers. If the session holds a snapshot, the mark
   * covers what that snapshot sees.
   */
  readonly snapshot: pg.ClientBase;
  /** The session for statements that must run outside the snapshot, if there is a snapshot. */
  readonly side: pg.ClientBase;
  /**
   * An earlier position that the connector must reach. Without `from`, the connector must reach
   * the current position. A polling capture ignores `from`, and waits for the newest rows.
   */
  readonly from?: Lsn | null;
  readonly token: string;
}

/**
 * The state of the capture at the source: the facts that evidence depends on, and a problem that
 * makes every proof impossible.
 */
export interface CaptureState {
  readonly facts: Facts;
  readonly problem: CaptureProblem | null;
}

/**
 * A table or query that a window compares with its topic in settled mode, which means in several
 * rounds.
 */
export interface SettledSubject {
  readonly subject: string;
  readonly topic: string;
  readonly sql: string;
  readonly columns: readonly Column[];
  readonly key: readonly string[];
  /**
   * Builds a predicate. It is true for a difference whose cause, such as a delete, this capture
   * cannot detect.
   */
  readonly notCapturable: (shape: Shape) => (difference: Unequal) => boolean;
}

export type CaptureDeps = Pick<Deps, 'secret' | 'systems'>;

/** A capture's checks and effects on real systems. */
export interface CaptureAdapter<C extends CapturePlan = CapturePlan> {
  /** Runs the capture's own preflight checks. The checks change nothing. */
  checks(deps: CaptureDeps, plan: ResolvedPlan, capture: C): Promise<Check[]>;
  /**
   * Builds the configurations of all source connectors. If `only` is given, builds only the
   * configuration of that connector. Throws Problem `preflight-failed` if a plugin or a table does
   * not exist.
   */
  connectors(
    deps: CaptureDeps,
    plan: ResolvedPlan,
    capture: C,
    only?: string,
  ): Promise<WantedConnector[]>;
  mark(deps: Pick<Deps, 'systems'>, run: Planned, at: MarkAt, capture: C): Promise<SourceMark>;
  /**
   * Reads the state of the capture at the source. `tables` are the plan's tables, in the plan's
   * order.
   */
  state(
    client: SourceClient,
    plan: ResolvedPlan,
    tables: readonly (CapturedTable | null)[],
  ): Promise<CaptureState>;
  /** Lists the subjects that a settled window compares in addition to the results. */
  settled(client: pg.ClientBase, plan: ResolvedPlan, capture: C): Promise<SettledSubject[]>;
  /**
   * Explains why rows of a subject may be missing although they are not lost. Returns null if there
   * is no such reason.
   */
  whyMissing(client: pg.ClientBase, subject: Capture, capture: C): Promise<string | null>;
}
