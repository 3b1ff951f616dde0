// Evidence has an epoch. A change of what it rests on begins a new one, which voids approvals and
// the streak.

/** One text, or the set of entries that the fact consists of. */
export type FactValue = string | readonly string[];

/** Name of a fact → its value, readable: a person reads what changed. */
export type Facts = Readonly<Record<string, FactValue>>;

/** The change between two readings of the facts, in words. One or both fields are set. */
export interface FactsChange {
  /** The reason for a new epoch; null when none is needed. */
  readonly epoch: string | null;
  /**
   * The reason why the next window must read every row although the evidence is still valid; null
   * when it need not.
   */
  readonly fullWindow: string | null;
}

/**
 * The facts that a window or a recheck found. The ledger keeps the facts, and the run keeps only
 * their digest.
 */
export interface FactsSeen {
  readonly digest: string;
  /** The change since the facts that the caller named; null = no change, or none were named. */
  readonly change: FactsChange | null;
}

/**
 * Facts of this kind say where rows lie, not what they are: a rewrite (VACUUM FULL, CLUSTER,
 * TRUNCATE) costs one full window.
 */
export const storageFact = (table: string): string => `storage of ${table}`;
/** A partition that is added changes no row that was proven; one that is gone or replaced does. */
export const partitionsFact = (table: string): string => `partitions of ${table}`;

const SHOWN_ENTRIES = 8;

/** Null when nothing changed, and for the first facts of a run. */
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

/** Stable within an epoch: what an approval names. */
export const evidenceIdOf = (iteration: number, epoch: number, planHash: string): string =>
  `ev-${iteration}.${epoch}-${planHash.slice(0, 8)}`;
