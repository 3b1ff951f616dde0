// Models a witness, which is a temporary replication slot that shows which rows changed. The model
// has two transactions that change one row each, and a connector that may lose events. A full pass
// compares all rows before the fence, and the final window compares only rows that changed since
// then. A commit is in the WAL before a snapshot sees it.
import type { Game } from './search.js';

export const WITNESS_RULES = {
  /** The slot exists before the full pass takes its snapshot. */
  beginsBeforePass: true,
  /** The full pass waits for the transactions that were open when the slot was made. */
  waitsForOpen: true,
  /** The slot is read up to a marker that is newer than the final window's snapshot. */
  readsToMarker: true,
  /** Keys that have new records, but no change in the slot, are also compared. */
  comparesTopic: true,
};
export type WitnessRules = typeof WITNESS_RULES;

/** The state of a transaction. */
const TX = { none: 0, open: 1, logged: 2, visible: 3 } as const;
/** The steps of the two windows, in their order. */
const PC = { begin: 0, second: 1, fence: 2, read: 3, compare: 4, over: 5 } as const;

interface World {
  /** The state of the first transaction. */
  a: number;
  /** The state of the second transaction. */
  b: number;
  /** The transactions whose event was lost. Each set of transactions is stored as bits. */
  lost: number;
  /** The transactions that are in the slot. */
  inSlot: number;
  /** 1 = the slot exists. */
  slot: number;
  /** The transactions that were open when the slot was made. */
  openThen: number;
  /** The transactions that the snapshot of the full pass sees. */
  before: number;
  /** The transactions that the snapshot of the final window sees. */
  after: number;
  /** The transactions that were read from the slot. */
  read: number;
  /** 1 = a foreign program wrote a record after the full pass. */
  invented: number;
  pc: number;
}

interface Move {
  readonly label: string;
  readonly world: World;
  readonly broken: string | null;
}

const IDS = [
  ['a', 1],
  ['b', 2],
] as const;
const setOf = (w: World, ...states: readonly number[]): number =>
  IDS.reduce((sum, [name, bit]) => (states.includes(w[name]) ? sum | bit : sum), 0);

function moves(w: World, rules: WitnessRules): Move[] {
  const found: Move[] = [];
  const can = (label: string, change: Partial<World>, broken: string | null = null): void =>
    void found.push({ label, world: { ...w, ...change }, broken });
  for (const [name, bit] of IDS) {
    const inSlot = w.slot === 1 ? w.inSlot | bit : w.inSlot;
    if (w[name] === TX.none) can(`${name} begins`, { [name]: TX.open });
    if (w[name] === TX.open) {
      can(`${name} is in the log`, { [name]: TX.logged, inSlot });
      can(`${name} is in the log, and its event is lost`, {
        [name]: TX.logged,
        inSlot,
        lost: w.lost | bit,
      });
    }
    if (w[name] === TX.logged) can(`${name} becomes visible`, { [name]: TX.visible });
  }
  const step = (pc: number): boolean => w.pc === pc;
  const visible = setOf(w, TX.visible);
  const [makesSlot, makesPass] = rules.beginsBeforePass
    ? [PC.begin, PC.second]
    : [PC.second, PC.begin];
  const next = { pc: w.pc + 1 };
  if (step(makesSlot))
    can('the slot is made', { ...next, slot: 1, openThen: setOf(w, TX.open, TX.logged) });
  const mayPass = !rules.waitsForOpen || (w.openThen & ~visible) === 0;
  // a full pass that sees a difference fails, and there is no fence
  if (step(makesPass) && mayPass && (visible & w.lost) === 0)
    can('the full pass finds every row equal', { ...next, before: visible });
  if (step(PC.fence) && w.invented === 0) can('something writes into the topic', { invented: 1 });
  const reads = { read: w.inSlot };
  if (step(PC.fence)) can('the final window opens its snapshot', { ...next, after: visible });
  if (step(PC.fence) && !rules.readsToMarker) can('the slot is read', reads);
  if (step(PC.read))
    can('the slot is read to the marker', rules.readsToMarker ? { ...next, ...reads } : next);
  if (step(PC.compare)) can('the final window compares', { pc: PC.over }, verdict(w, rules));
  return found;
}

/** Returns a problem if the final window passes although a row differs, otherwise null. */
function verdict(w: World, { comparesTopic }: WitnessRules): string | null {
  const differs = w.after & ~w.before & w.lost;
  const isFound = (differs & w.read) !== 0 || (w.invented === 1 && comparesTopic);
  return (differs !== 0 || w.invented === 1) && !isFound ? 'a wrong row was called right' : null;
}

export const witness = (rules: WitnessRules): Game<World> => ({
  first: {
    a: TX.none,
    b: TX.none,
    lost: 0,
    inSlot: 0,
    slot: 0,
    openThen: 0,
    before: 0,
    after: 0,
    read: 0,
    invented: 0,
    pc: PC.begin,
  },
  keyOf: (w) => Object.values(w).join(),
  moves: (w) => moves(w, rules),
  inState: () => null,
});

export const WITNESS_MUTANTS: readonly (readonly [string, Partial<WitnessRules>])[] = [
  ['the witness began after the full pass', { beginsBeforePass: false }],
  ['the full pass did not wait for open transactions', { waitsForOpen: false }],
  ['the slot was read before the snapshot of the final window', { readsToMarker: false }],
  ['only the keys of the witness were compared', { comparesTopic: false }],
];
