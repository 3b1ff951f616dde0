// Models a still point: a window pauses the connector, so that the topics do not change while it
// compares. The model has one row, whose n-th change is record n. It also has a connector and a
// pipeline. The connector may have sent records that are not in the topic yet. The window compares
// the pipeline's output with the source. A commit is in the WAL before a snapshot sees it, as with
// synchronous replication.
import type { Game } from './search.js';

const CHANGES = 4;
const LOST = 2; // a wrong pipeline never applies this change

export const STILL_RULES = {
  /** The end of the topic is read while the connector is paused. */
  endsAfterPause: true,
  /** The end of the topic is read again after the pipeline has drained. */
  looksAgain: true,
  /** The connector stays paused until the pipeline has drained. */
  drainsBeforeResume: true,
  /**
   * The record of a change that the snapshot sees may come after the end that was read. The
   * comparison then uses the row as it was at that end.
   */
  alignsLater: true,
  /**
   * The record of a change that the snapshot does not see may come before the end that was read.
   * The comparison then also uses the row as it was at that end.
   */
  alignsUnseen: true,
  /**
   * The gap consists of the rows in the two cases above. It is read only after the connector has
   * passed a marker that is newer than the snapshot.
   */
  waitsForMarker: true,
};
export type StillRules = typeof STILL_RULES;

/** The steps of a window, in their order. */
const PC = { begin: 0, ends: 1, snapshot: 2, drain: 3, look: 4, compare: 5, over: 6 } as const;

interface World {
  /** The number of changes in the WAL. */
  wal: number;
  /** The number of changes that a snapshot sees. */
  visible: number;
  /** The number of records that the connector has sent. */
  sent: number;
  /** The number of records in the topic. */
  topic: number;
  /** The number of records that the pipeline has taken in. */
  taken: number;
  isWrong: number;
  paused: number;
  pc: number;
  /** The end of the topic that the window read. */
  ends: number;
  /** The number of changes that the window's snapshot sees. */
  snapshot: number;
  /** The end of the pipeline's output that the window read. */
  output: number;
}

interface Move {
  readonly label: string;
  readonly world: World;
  readonly broken: string | null;
}

function moves(w: World, rules: StillRules): Move[] {
  const found: Move[] = [];
  const can = (label: string, change: Partial<World>, broken: string | null = null): void =>
    void found.push({ label, world: { ...w, ...change }, broken });
  if (w.wal < CHANGES && w.visible === w.wal) can('a commit is in the log', { wal: w.wal + 1 });
  if (w.visible < w.wal) can('it becomes visible', { visible: w.wal });
  if (w.paused === 0 && w.sent < w.wal) can('the connector sends a record', { sent: w.sent + 1 });
  if (w.topic < w.sent) can('a record reaches the topic', { topic: w.topic + 1 });
  if (w.taken < w.topic) can('the pipeline takes in a record', { taken: w.taken + 1 });
  const { endsAfterPause, looksAgain, drainsBeforeResume, waitsForMarker } = rules;
  const resumed = { paused: 0 };
  if (w.pc === PC.begin && endsAfterPause) can('window: pauses', { pc: PC.ends, paused: 1 });
  if (w.pc === PC.begin && !endsAfterPause)
    can('window: reads the ends', { pc: PC.ends, ends: w.topic });
  if (w.pc === PC.ends && endsAfterPause)
    can('window: reads the ends', { pc: PC.snapshot, ends: w.topic });
  if (w.pc === PC.ends && !endsAfterPause) can('window: pauses', { pc: PC.snapshot, paused: 1 });
  if (w.pc === PC.snapshot)
    can('window: opens its snapshot', {
      pc: PC.drain,
      snapshot: w.visible,
      ...(drainsBeforeResume ? {} : resumed),
    });
  if (w.pc === PC.drain && w.taken >= w.ends)
    can('window: reads the end of the output', { pc: PC.look, output: w.taken });
  if (w.pc === PC.look && looksAgain && w.topic !== w.ends)
    can('window: the ends moved, so it begins again', { pc: PC.begin, ...resumed });
  if (w.pc === PC.look && (!looksAgain || w.topic === w.ends))
    can('window: has its still point', { pc: PC.compare, ...resumed });
  if (w.pc === PC.compare && (!waitsForMarker || w.topic >= w.snapshot))
    can('window: compares', { pc: PC.over }, verdict(w, rules));
  return found;
}

/** Returns a problem if the comparison is wrong about the pipeline, otherwise null. */
function verdict(w: World, { alignsLater, alignsUnseen }: StillRules): string | null {
  const isLater = w.snapshot > w.ends && w.topic > w.ends;
  const isUnseen = w.snapshot < w.ends;
  const isAligned = (isLater && alignsLater) || (isUnseen && alignsUnseen);
  const expected = isAligned ? w.ends : w.snapshot;
  const stream = w.isWrong === 1 && w.output === LOST ? LOST - 1 : w.output;
  const isRight = w.isWrong === 0 || w.ends !== LOST;
  if (expected !== stream && isRight) return 'a right row was called wrong';
  return expected === stream && !isRight ? 'a wrong row was called right' : null;
}

export const stillPoint = (rules: StillRules, isWrong: boolean): Game<World> => ({
  first: {
    wal: 0,
    visible: 0,
    sent: 0,
    topic: 0,
    taken: 0,
    isWrong: isWrong ? 1 : 0,
    paused: 0,
    pc: PC.begin,
    ends: 0,
    snapshot: 0,
    output: 0,
  },
  keyOf: (w) => Object.values(w).join(),
  moves: (w) => moves(w, rules),
  inState: () => null,
});

export const STILL_MUTANTS: readonly (readonly [string, Partial<StillRules>])[] = [
  [
    'the end of the topic was read only before the pause',
    { endsAfterPause: false, looksAgain: false },
  ],
  ['the end of the topic was not read again', { looksAgain: false }],
  ['the connector was resumed before the drain', { drainsBeforeResume: false, looksAgain: false }],
  ['the gap left out records after the end that was read', { alignsLater: false }],
  ['the gap left out transactions that the snapshot does not see', { alignsUnseen: false }],
  ['the gap was read before the connector had passed the marker', { waitsForMarker: false }],
];
