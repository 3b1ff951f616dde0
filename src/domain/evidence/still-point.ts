// Answers two questions about still points, the moments at which nothing is written to the topics.
// Was anything written to the topics between two readings? Who paused a connector?

/** The end of one partition. `high` is the next offset, `committed` is the last stable offset. */
export interface PartitionEnd {
  readonly partition: number;
  readonly high: number;
  readonly committed: number;
}

export type Ends = ReadonlyMap<string, readonly PartitionEnd[]>;

/**
 * Returns where two readings of the ends differ, or where a transaction is open at the end. Null
 * means that nothing was written between the readings, and that no transaction is open.
 */
export function movedBetween(before: Ends, after: Ends): string | null {
  for (const [topic, ends] of after) {
    for (const { partition, high, committed } of ends) {
      const was = before.get(topic)?.find((end) => end.partition === partition)?.high;
      if (was !== high)
        return `${topic}/${partition} ended at ${was ?? 'no offset'} and then at ${high}`;
      if (committed !== high)
        return `a transaction is open in ${topic}/${partition} (stable up to offset ${committed} of ${high})`;
    }
  }
  return null;
}

/** A pause of the source connector that a window recorded in the ledger before the pause began. */
export interface RecordedPause {
  readonly id: string;
  /** True if the pause has lasted longer than its window may take. */
  readonly isOverdue: boolean;
  /**
   * Says who ended the pause; `successor` is the window's next attempt. Null while the pause lasts.
   */
  readonly closedBy: 'window' | 'successor' | 'guard' | null;
  /** The milliseconds since the pause ended. Null while it lasts. */
  readonly closedMs: number | null;
}

/**
 * A suspended worker may wake up and pause the connector after another worker has ended the
 * recorded pause. Such a late pause is expected for this time (ms) after the end.
 */
const LATE_PAUSE_MS = 300_000;

export type PausedBy =
  /** A window paused the connector, and may still keep it paused. */
  | { readonly kind: 'window' }
  /**
   * A window paused the connector and no longer needs the pause, so the connector must be resumed.
   */
  | { readonly kind: 'ended-window'; readonly id: string }
  /** No window paused the connector, so a person or another tool did. */
  | { readonly kind: 'person' };

/**
 * Returns who paused a connector that is paused now. `pauses` are the recorded pauses, newest
 * first.
 */
export function pausedBy(pauses: readonly RecordedPause[]): PausedBy {
  const open = pauses.filter(({ closedBy }) => closedBy === null);
  if (open.some(({ isOverdue }) => !isOverdue)) return { kind: 'window' };
  const left =
    open[0] ??
    pauses.find(
      ({ closedBy, closedMs }) => closedBy !== 'window' && (closedMs ?? 0) < LATE_PAUSE_MS,
    );
  return left ? { kind: 'ended-window', id: left.id } : { kind: 'person' };
}
