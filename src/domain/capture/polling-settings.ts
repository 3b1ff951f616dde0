// Describes what a polling connector (jdbc-source) reads, and which changes it can detect.
import type { PollingMode } from '../migration/spec.js';

export interface Polling {
  readonly mode: PollingMode;
  /** One SELECT instead of the tables; null = each table by itself. */
  readonly query: string | null;
  readonly incrementingColumn: string | null;
  /** The first of them that is not NULL says when a row last changed. */
  readonly timestampColumns: readonly string[];
  /** The age at which a row is read. Transactions that commit later than that are skipped. */
  readonly delay: string;
  /** The owner's declaration about deletes; null = none. */
  readonly deletes: 'none' | 'soft' | null;
}

export const DEFAULT_DELAY = '5s';
/** Name of what `connector.query` returns, as a subject and in `${topic:query}`. */
export const QUERY_SUBJECT = 'query';

export const looksAtTimes = (mode: PollingMode): boolean => mode.startsWith('timestamp');
export const looksAtIds = (mode: PollingMode): boolean => mode.endsWith('incrementing');

/** Returns the changes that this polling mode cannot detect. */
export function unseenBy(mode: PollingMode): string {
  if (mode === 'bulk') return 'deletes';
  return mode === 'incrementing'
    ? 'deletes and updates'
    : 'deletes and updates that leave the time alone';
}

/**
 * A position in a subject: microseconds since 1970 and an id. Null = no row, or not used by this
 * mode.
 */
export interface Cursor {
  readonly micros: bigint | null;
  readonly id: bigint | null;
}

/** True when everything up to `wanted` was read. In modes by time, ids only break ties. */
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
