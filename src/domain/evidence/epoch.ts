// Evidence depends on facts, such as the columns of a table and the version of a connector. If a
// fact changes, a new epoch begins, unless the change is known to be harmless. A new epoch voids
// approvals and the streak of passed windows.
import { UNKNOWN_IDENTITY, partitionsFact, ruleOf, type FactCost } from './fact-rules.js';

export { partitionsFact, storageFact } from './fact-rules.js';

/** The value of a fact about a connector task or a group while the task or group is not running. */
export const NOT_RUNNING = 'none';

/** The value of a fact: one text, or a set of entries. */
export type FactValue = string | readonly string[];

/**
 * Maps the name of a fact to its value. Both are readable text, because a person must understand
 * what changed.
 */
export type Facts = Readonly<Record<string, FactValue>>;

/** Describes the change between two readings of the facts. At least one field is set. */
export interface FactsChange {
  /** The reason for a new epoch, or null if none is needed. */
  readonly epoch: string | null;
  /**
   * The reason why the next window must read every row although the evidence is still valid. Null
   * if no such reason exists.
   */
  readonly fullWindow: string | null;
  /**
   * The connectors, tasks or group members that restarted without a change. One full window must
   * pass before the streak continues and an approval counts again. Null if nothing restarted.
   */
  readonly restart: string | null;
}

/**
 * The facts that a window or a recheck found. The ledger stores the facts; the run keeps only their
 * digest.
 */
export interface FactsSeen {
  readonly digest: string;
  /**
   * The change since the facts whose digest the caller passed. Null if nothing changed or the
   * caller passed none.
   */
  readonly change: FactsChange | null;
  /**
   * The tasks or group members that ran when the evidence was taken, but are not running now.
   * Absent if all of them run.
   */
  readonly stopped?: string;
}

const SHOWN_ENTRIES = 8;
/** A longer text is cut, because a person must find the change in one sentence. */
const SHOWN_CHARACTERS = 120;

/**
 * Returns the change between two readings of the facts. Null if nothing changed, or if there was no
 * reading before (`before` is null).
 */
export function factsChange(before: Facts | null, now: Facts): FactsChange | null {
  if (before === null) return null;
  const found: Record<FactCost, string[]> = { restart: [], 'full-window': [], epoch: [] };
  for (const name of [...new Set([...Object.keys(before), ...Object.keys(now)])].sort()) {
    const difference = differenceOf(before[name], now[name]);
    if (difference === null) continue;
    const { cost, why } = costOf(name, difference, before, now);
    found[cost].push(`${name}: ${difference.text}${why}`);
  }
  const joined = (cost: FactCost): string | null =>
    found[cost].length === 0 ? null : found[cost].join('; ');
  const change = {
    epoch: joined('epoch'),
    fullWindow: joined('full-window'),
    restart: joined('restart'),
  };
  return (change.epoch ?? change.fullWindow ?? change.restart) ? change : null;
}

function costOf(
  name: string,
  { gone }: Difference,
  before: Facts,
  now: Facts,
): { readonly cost: FactCost; readonly why: string } {
  const { rule, part } = ruleOf(name);
  if (name.startsWith(partitionsFact('')) && gone.length > 0) return { cost: 'epoch', why: '' };
  if (rule.cost !== 'restart') return { cost: rule.cost, why: '' };
  const identities = (rule.identifiedBy ?? []).map((fact) => `${fact}${part}`);
  const unknown = identities.filter((fact) => !isKnown(before[fact]) || !isKnown(now[fact]));
  if (unknown.length === 0) return { cost: 'restart', why: '' };
  return { cost: 'epoch', why: ` (not a harmless restart: ${unknown.join(', ')} is unknown)` };
}

const isKnown = (value: FactValue | undefined): boolean =>
  value !== undefined && value !== UNKNOWN_IDENTITY;

/** True if the fact says that no process is running. */
const isIdle = (value: FactValue | undefined): boolean =>
  value === undefined || value === NOT_RUNNING || value.length === 0;

/**
 * Fills in the last known values of tasks and groups that are not running, because some facts about
 * them can be read only while they run. `stopped` names these tasks and groups. It is null if none
 * has stopped.
 */
export function withLastKnown(
  before: Facts,
  now: Facts,
): { readonly facts: Facts; readonly stopped: string | null } {
  const kept: Record<string, FactValue> = {};
  const stopped: string[] = [];
  for (const name of Object.keys(before)) {
    const { rule, part } = ruleOf(name);
    if (rule.cost !== 'restart' || isIdle(before[name]) || !isIdle(now[name])) continue;
    stopped.push(name);
    for (const fact of [name, ...(rule.readWhileRunning ?? []).map((f) => `${f}${part}`)])
      if (before[fact] !== undefined) kept[fact] = before[fact];
  }
  return {
    facts: { ...now, ...kept },
    stopped: stopped.length === 0 ? null : `${stopped.sort().join(', ')}: not running now`,
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
    if (left === right) return null;
    const shared = sharedWords(left, right);
    const [was, is] = [left, right].map((text) => shortText(text, shared));
    return { text: `${was} → ${is}`, gone: [left] };
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

/** Returns the length of the words with which both texts begin. */
function sharedWords(left: string, right: string): number {
  let at = 0;
  while (at < left.length && left[at] === right[at]) at += 1;
  return left.lastIndexOf(' ', at - 1) + 1;
}

/**
 * Cuts a long text. `shared` is the length of its unchanged beginning. The shortened text still
 * shows where the changed part begins.
 */
function shortText(text: string, shared: number): string {
  if (text.length <= SHOWN_CHARACTERS) return text;
  const rest = shared > 0 ? `… ${text.slice(shared)}` : text;
  return rest.length <= SHOWN_CHARACTERS ? rest : `${rest.slice(0, SHOWN_CHARACTERS)} …`;
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
