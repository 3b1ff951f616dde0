// The session of one window: everything that the window needs, from its first read to its verdict.
// It is created once and passed as a whole.
import { openSource, type SourceClient } from '../../clients/postgres/connection.js';
import type { KafkaPort } from '../../clients/kafka/kafka.js';
import type { Deps } from '../runtime/deps.js';
import type { Planned } from '../runtime/with-plan.js';
import type { FoldCache } from './folds/folds.js';

/**
 * The limit for each barrier of a window. A longer wait would delay vacuum for a window that is
 * outdated anyway.
 */
export const BARRIER_LIMIT_MS = 60_000;

/**
 * Says what holds the input of the pipeline. The connector is paused, or a fence holds the
 * source's writes, or (`unpaused`) nothing happens to be written for a moment.
 */
export type StandsStill = 'paused' | 'fenced' | 'unpaused';

export interface WindowSession extends Planned {
  readonly deps: Deps;
  readonly kafka: KafkaPort;
  readonly folds: FoldCache;
  /** The window's number. It also selects the part of a table that is scrubbed. */
  readonly number: number;
  /** True if every row must be read, even rows that earlier windows proved. */
  readonly isFull: boolean;
  /** The time limit of the settled rounds, in ms. */
  readonly roundsMs: number;
  readonly still: StandsStill;
  readonly heartbeat: () => void;
}

/** A session with its two connections to the source. */
export interface ConnectedSession extends WindowSession {
  /** The read-only connection that holds the window's snapshots. */
  readonly reader: SourceClient;
  /** The connection for everything that must not be inside a snapshot. */
  readonly side: SourceClient;
}

/** Opens both connections for `use`, and closes them afterwards. Throws connection errors. */
export async function connected<T>(
  session: WindowSession,
  use: (session: ConnectedSession) => Promise<T>,
): Promise<T> {
  const { plan, deps } = session;
  const close = (client: SourceClient): Promise<void> => client.end().catch(() => undefined);
  const reader = await openSource(plan, deps.secret, { readOnly: true });
  try {
    const side = await openSource(plan, deps.secret);
    try {
      return await use({ ...session, reader, side });
    } finally {
      await close(side);
    }
  } finally {
    await close(reader);
  }
}
