// Evidence has an epoch. If a fact that the evidence depends on changes, a new epoch begins. It
// voids approvals and the streak.

/** The value of a fact: one text, or a set of entries. */
export type FactValue = string | readonly string[];

/** Maps the name of a fact to its value. Both are readable, because a person reads what changed. */
export type Facts = Readonly<Record<string, FactValue>>;

/** Describes the change between two readings of the facts. One field or both are set. */
export interface FactsChange {
  /** The reason for a new epoch, or null if none is needed. */
  readonly epoch: string | null;
  /**
   * The reason why the next window must read every row although the evidence is still valid. Null
   * if no such reason exists.
   */
  readonly fullWindow: string | null;
}

/**
 * The facts that a window or a recheck found. The ledger stores the facts; the run keeps only their
 * digest.
 */
export interface FactsSeen {
  readonly digest: string;
  /**
   * The change since the facts that the caller named. Null if nothing changed or the caller named
   * none.
   */
  readonly change: FactsChange | null;
}

/**
 * Names the fact that identifies the files of a table's rows. A rewrite (VACUUM FULL, CLUSTER,
 * TRUNCATE) changes the files but not the rows, so it costs one full window and no new epoch.
 */
export const storageFact = (table: string): string => `storage of ${table}`;
/**
 * Names the fact that lists the partitions of a table. A new partition leaves the evidence valid; a
 * removed or replaced one begins a new epoch.
 */
export const partitionsFact = (table: string): string => `partitions of ${table}`;

const SHOWN_ENTRIES = 8;

/** Returns what changed. Null if nothing changed, or if these are the first facts of a run. */
export function factsChange(before: Facts | null, now: Facts): FactsChange | null {
  if (before === null) return null;
  const epoch: string[] = [];
  const fullWindow: string[] = [];
  for (const name of [...new Set([...Object.keys(before), ...Object.keys(now)])].sort()) {
    const difference = differenceOf(before[name], now[name]);
    if (difference === null) continue;
    const isStorage = name.startsWith(storageFact(''));
    const isAddedOnly = name.startsWith(partitionsFact('')) && difference.gone.length === 0;
    (isStorage || isAddedOnly ? fullWindow : epoch).push(`${name}: ${difference.text}`);
  }
  if (epoch.length + fullWindow.length === 0) return null;
  return {
    epoch: epoch.length === 0 ? null : epoch.join('; '),
    fullWindow: fullWindow.length === 0 ? null : fullWindow.join('; '),
  };
}

interface Difference {
  readonly text: string;
  readonly gone: readonly string[];
}

function differenceOf(
  before: FactValue | undefined,
  now: FactValue | undefined,
): Difference | null {
  if (
    before === undefined ||
    now === undefined ||
    typeof before === 'string' ||
    typeof now === 'string'
  ) {
    const [left, right] = [textOf(before), textOf(now)];
    return left === right ? null : { text: `${left} → ${right}`, gone: [left] };
  }
  const gone = before.filter((entry) => !now.includes(entry));
  const added = now.filter((entry) => !before.includes(entry));
  if (gone.length + added.length === 0) return null;
  const parts = [
    ...(gone.length > 0 ? [`no longer ${shortList(gone)}`] : []),
    ...(added.length > 0 ? [`now ${shortList(added)}`] : []),
  ];
  return { text: parts.join('; '), gone };
}

const textOf = (value: FactValue | undefined): string =>
  value === undefined
    ? '(absent)'
    : typeof value === 'string'
      ? value
      : shortList(value) || '(none)';

const shortList = (entries: readonly string[]): string =>
  entries.length <= SHOWN_ENTRIES
    ? entries.join(', ')
    : `${entries.slice(0, SHOWN_ENTRIES).join(', ')} and ${entries.length - SHOWN_ENTRIES} more`;

/** Returns the id of the evidence that an approval names. It stays the same within an epoch. */
export const evidenceIdOf = (iteration: number, epoch: number, planHash: string): string =>
  `ev-${iteration}.${epoch}-${planHash.slice(0, 8)}`;
