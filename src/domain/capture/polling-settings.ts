// Describes what a polling connector (jdbc-source) reads, and which changes it can detect.
import type { PollingMode } from '../migration/spec.js';

export interface Polling {
  readonly mode: PollingMode;
  /**
   * The SELECT that is polled instead of the tables. Null means that each table is polled
   * separately.
   */
  readonly query: string | null;
  readonly incrementingColumn: string | null;
  /** The first of these columns that is not NULL holds the time of a row's last change. */
  readonly timestampColumns: readonly string[];
  /**
   * The minimum age of a row before a poll reads it. If a transaction stays open for longer, polls
   * can miss its rows.
   */
  readonly delay: string;
  /** The spec's declaration about deletes in the source. Null if there is none. */
  readonly deletes: 'none' | 'soft' | null;
}

export const DEFAULT_DELAY = '5s';
/**
 * The name of the subject that consists of the rows of `connector.query`. The statements of a
 * pipeline name the topic of these rows by the placeholder `${topic:query}`.
 */
export const QUERY_SUBJECT = 'query';

/** The key of `connector.config` for the pause between two polls. */
export const POLL_INTERVAL = 'poll.interval.ms';

/** The pause between two polls (ms), unless `connector.config` sets another one. */
export const defaultPollMs = (mode: PollingMode): number => (mode === 'bulk' ? 5000 : 500);

/**
 * Returns how long (ms) a row can wait until a poll reads it: the delay after which a row may be
 * read, and then the pause until the next poll. In mode incrementing, a row has no time, so its
 * delay begins only when a poll first sees its id. This adds a second pause. The duration of the
 * polls is not included.
 */
export function longestPollMs(mode: PollingMode, delayMs: number, pauseMs: number): number {
  if (mode === 'bulk') return pauseMs;
  return delayMs + (mode === 'incrementing' ? 2 * pauseMs : pauseMs);
}

export const looksAtTimes = (mode: PollingMode): boolean => mode.startsWith('timestamp');
export const looksAtIds = (mode: PollingMode): boolean => mode.endsWith('incrementing');

/** Returns the changes that this polling mode cannot detect. */
export function unseenBy(mode: PollingMode): string {
  if (mode === 'bulk') return 'deletes';
  return mode === 'incrementing'
    ? 'deletes and updates'
    : 'deletes, and updates that do not change the time';
}

/**
 * A position in a polled table or query: microseconds since 1970, and an id. Null means that there
 * is no row, or that the mode does not use this part.
 */
export interface Cursor {
  readonly micros: bigint | null;
  readonly id: bigint | null;
}

/**
 * Returns whether everything up to `wanted` was read. A mode that reads by time compares ids only
 * if the times are equal.
 */
export function hasReached(mode: PollingMode, at: Cursor, wanted: Cursor): boolean {
  if (looksAtTimes(mode)) {
    if (wanted.micros === null) return true;
    if (at.micros === null || at.micros < wanted.micros) return false;
    return (
      at.micros > wanted.micros ||
      !looksAtIds(mode) ||
      wanted.id === null ||
      (at.id !== null && at.id >= wanted.id)
    );
  }
  return wanted.id === null || (at.id !== null && at.id >= wanted.id);
}

export function describeCursor({ micros, id }: Cursor): string {
  const time =
    micros === null
      ? null
      : new Date(Number(micros / 1000n))
          .toISOString()
          .replace('Z', `${String(micros % 1000n).padStart(3, '0')}Z`);
  return (
    [time, id === null ? null : `id ${id}`].filter((part) => part !== null).join(' ') || 'nothing'
  );
}
