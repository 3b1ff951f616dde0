// Defines the session of one window: everything that the window needs, from its first read to its
// verdict. The session is created once and passed as a whole.
import { openSource, type SourceClient } from '../../clients/postgres/connection.js';
import { keepAwake } from '../../clients/postgres/keep-awake.js';
import { readTarget } from '../../clients/postgres/target-connection.js';
import type { KafkaPort } from '../../clients/kafka/kafka.js';
import { hasTarget } from '../../domain/migration/databases.js';
import type { RecentResult } from '../../domain/plan/final-result.js';
import type { MarkAt } from '../capture/capture-adapter.js';
import { markSource, type SourceMark } from '../capture/source-mark.js';
import type { Deps } from '../runtime/deps.js';
import type { Planned } from '../runtime/with-plan.js';
import type { FoldCache } from './folds/folds.js';
import type { Witnesses } from './witness/witnesses.js';

/**
 * Says why the pipeline gets no input at a still point. `paused`: the connector is paused.
 * `fenced`: a fence refuses writes to the source. `unpaused`: the writers happen to be idle.
 */
export type StandsStill = 'paused' | 'fenced' | 'unpaused';

/**
 * The role of a final window that reads a witness, a temporary replication slot that shows which
 * rows have changed. Window `after` began the witness.
 */
export interface HearsWitness {
  readonly after: number;
  /** True if the final window may read every row when the witness cannot be used. */
  readonly orReadsAll: boolean;
  /** The reason why the witness cannot be used at all. Absent if it can be used. */
  readonly refused?: string;
}

/**
 * Says how a window uses a witness. `begin`: a full pass before the fence begins a witness. `keep`:
 * a window reads the witness that an earlier window kept, or begins a new witness, and keeps it for
 * the next window. `HearsWitness`: a final window reads the witness of the full pass.
 */
export type WitnessRole = 'begin' | 'keep' | HearsWitness;

/** A window's use of a witness, and the witnesses of this worker. */
export interface Witnessing {
  readonly role: WitnessRole;
  readonly keeper: Witnesses;
}

/** A session that only reads. It needs no ledger. */
export interface ReadingSession extends Planned {
  readonly deps: Pick<Deps, 'secret' | 'systems' | 'snapshotBytes'>;
  readonly kafka: KafkaPort;
  readonly folds: FoldCache;
  /**
   * The window's number. It also selects the part of a table that is read again although it has not
   * changed (the scrub).
   */
  readonly number: number;
  /**
   * True if every row must be read, even rows that earlier windows proved. A final window that can
   * use a witness still reads only the changed rows.
   */
  readonly isFull: boolean;
  /** The time limit of the settled rounds, in ms. */
  readonly roundsMs: number;
  /** Absent if the window does not use a witness. */
  readonly witness?: Witnessing | undefined;
  readonly heartbeat: () => void;
  /** Marks the source's position. If absent, the plan's capture does it. */
  readonly mark?: (at: MarkAt) => Promise<SourceMark>;
}

export interface WindowSession extends ReadingSession {
  readonly deps: Deps;
  readonly still: StandsStill;
  /**
   * The time (epoch ms) at which Temporal scheduled this attempt, by Temporal's clock. The worker's
   * clock may be wrong, so it must not decide whether a waiver has expired.
   */
  readonly scheduledMs: number;
  /** The earlier window that proved the results. Set if this window compares only the tables. */
  readonly restsOn?: RecentResult | undefined;
}

/** The two connections of a session to the source. */
interface Connections {
  /** The read-only connection that holds the window's snapshots. */
  readonly reader: SourceClient;
  /** The connection for everything that must not be inside a snapshot. */
  readonly side: SourceClient;
}

/** A session that only reads, with its connections. */
export type ConnectedReading = ReadingSession & Connections;
export type ConnectedSession = WindowSession & Connections;

/** A session that also compares results. */
export interface ResultSession extends ConnectedSession {
  /** A connection to the target, outside of the window's snapshots. */
  readonly target: SourceClient;
}

/**
 * Marks the source's current position with the session's `mark`, if there is one. Otherwise, uses
 * the plan's capture.
 */
export const markOf = (session: ReadingSession, at: MarkAt): Promise<SourceMark> =>
  session.mark ? session.mark(at) : markSource(session.deps, session, at);

/**
 * The time (ms) between two statements on the connection that holds the snapshots. It is far below
 * the limit at which Postgres ends a session that is idle in a transaction.
 */
const AWAKE_MS = 60_000;

/** Opens both connections for `use`, and closes them afterwards. Throws connection errors. */
export async function connected<S extends ReadingSession, T>(
  session: S,
  use: (session: S & Connections) => Promise<T>,
): Promise<T> {
  const { plan, deps } = session;
  const close = (client: SourceClient): Promise<void> => client.end().catch(() => undefined);
  const reader = await openSource(plan, deps.secret, { readOnly: true });
  const stop = keepAwake(reader, AWAKE_MS);
  try {
    const side = await openSource(plan, deps.secret);
    try {
      return await use({ ...session, reader, side });
    } finally {
      await close(side);
    }
  } finally {
    stop();
    await close(reader);
  }
}

/**
 * Opens both connections and a connection to the target for `use`, and closes all of them
 * afterwards.
 */
export const connectedToTarget = <T>(
  session: WindowSession,
  use: (session: ResultSession) => Promise<T>,
): Promise<T> =>
  connected(session, (open) =>
    hasTarget(session.plan)
      ? readTarget(session.plan, session.deps.secret, (target) => use({ ...open, target }))
      : use({ ...open, target: open.side }),
  );
