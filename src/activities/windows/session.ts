// The session of one window: everything that it works with, from its first read to its verdict. It
// is made once and passed on whole.
import { openSource, type SourceClient } from '../../clients/postgres/connection.js';
import type { KafkaPort } from '../../clients/kafka/kafka.js';
import type { Deps } from '../runtime/deps.js';
import type { Planned } from '../runtime/with-plan.js';
import type { FoldCache } from './folds/folds.js';

/**
 * No barrier of a window waits longer. A longer wait would hold back vacuum for a window that is
 * stale anyway.
 */
export const BARRIER_LIMIT_MS = 60_000;

export interface WindowSession extends Planned {
  readonly deps: Deps;
  readonly kafka: KafkaPort;
  readonly folds: FoldCache;
  /** The window's number. It also chooses which part of a table is scrubbed. */
  readonly number: number;
  /** Every row is read, even where earlier windows proved it. */
  readonly isFull: boolean;
  /** The time limit of the settled rounds, in ms. */
  readonly roundsMs: number;
  readonly heartbeat: () => void;
}

/** A session with its two connections to the source. */
export interface ConnectedSession extends WindowSession {
  /** Holds the window's snapshots, read-only. */
  readonly reader: SourceClient;
  /** Serves everything that must not be inside a snapshot. */
  readonly side: SourceClient;
}

/** Opens both connections for `use` and closes them afterwards. Throws what connecting throws. */
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
