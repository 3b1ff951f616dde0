// Lists the rules of the cut-over's protocol, and its mutants. A mutant is the protocol without one
// or two of these rules. Each mutant must break an invariant. Otherwise the rule would be
// unnecessary. The comment of a rule may begin with the step that the rule belongs to, such as
// `commit:`.

export interface Rules {
  /** commit: evaluates its condition only after it has locked the lease row. */
  lockThenCheck: boolean;
  /** commit: locks the lease row (`SELECT … FOR UPDATE`). */
  lockAtCommit: boolean;
  checksExpiry: boolean;
  checksState: boolean;
  /** commit: checks that the lease row names its own attempt (the token). */
  checksToken: boolean;
  checksVeto: boolean;
  checksRuns: boolean;
  /** commit: the view is switched in the transaction that writes the lease row. */
  routeInCommit: boolean;
  /** The trigger reads the lease row with FOR SHARE. */
  triggerLocks: boolean;
  /** The trigger refuses writes if the lease row is gone. */
  triggerFailsClosed: boolean;
  /** The trigger accepts writes after the fence has expired. */
  triggerExpires: boolean;
  /**
   * Tables have row triggers in addition to statement triggers. A subscription's apply worker fires
   * only row triggers.
   */
  rowTriggers: boolean;
  /** fence: waits for the open transactions of writers. */
  fenceWaits: boolean;
  /**
   * fence: one transaction writes triggers, lease row and marker. If false, the marker comes first.
   */
  markerInFence: boolean;
  /** fence: tables are locked before the lease row. */
  tablesFirst: boolean;
  /** fence: if the activity runs again for the same attempt, it does not extend the hold. */
  retryKeepsExpiry: boolean;
  /** The lease row is created long before the fence, so that every snapshot sees it. */
  rowPreexists: boolean;
  drainsEveryPartition: boolean;
  unknownIsNotDrained: boolean;
  windowAfterDrain: boolean;
  windowMustPass: boolean;
  windowSeesEpoch: boolean;
  approvalOfThisEpoch: boolean;
  /** After a crash, the run reads the lease row and does not trust its own memory. */
  believesRow: boolean;
  /** roll-back: routes consumers in the transaction that writes the lease row. */
  backRoutes: boolean;
  /** sweep: removes triggers before the lease row. */
  triggersBeforeLease: boolean;
  /**
   * release: marks its attempt as used, so that a late call of this attempt can no longer fence.
   */
  releaseBurns: boolean;
  /** release: checks under the row's lock whether the commit happened. */
  releaseLooks: boolean;
  /** release: also drops the triggers. */
  releaseDropsTriggers: boolean;
}

export const OURS: Rules = {
  lockThenCheck: true,
  lockAtCommit: true,
  checksExpiry: true,
  checksState: true,
  checksToken: true,
  checksVeto: true,
  checksRuns: true,
  routeInCommit: true,
  triggerLocks: true,
  triggerFailsClosed: true,
  triggerExpires: true,
  rowTriggers: true,
  fenceWaits: true,
  markerInFence: true,
  tablesFirst: true,
  retryKeepsExpiry: true,
  rowPreexists: true,
  drainsEveryPartition: true,
  unknownIsNotDrained: true,
  windowAfterDrain: true,
  windowMustPass: true,
  windowSeesEpoch: true,
  approvalOfThisEpoch: true,
  believesRow: true,
  backRoutes: true,
  triggersBeforeLease: true,
  releaseBurns: true,
  releaseLooks: true,
  releaseDropsTriggers: true,
};

/**
 * The name of a mutant, its difference from the real protocol, and the invariant that it must
 * break. Some mutants also say with how many writers they break it, and whether the model must be
 * calm (`isCalm` in moves.ts). By default, the model has one writer and is not calm.
 */
export const MUTANTS: readonly (readonly [
  name: string,
  change: Partial<Rules>,
  caughtBy: RegExp,
  world?: { writers: number; isCalm: boolean },
])[] = [
  [
    'the commit evaluates its condition before it waits for the lease row',
    { lockThenCheck: false },
    /I3|I6/,
  ],
  ['the commit takes no lock on the lease row', { lockAtCommit: false }, /I3|I5|I6/],
  ['the commit ignores the expiry of the fence', { checksExpiry: false }, /I3/],
  ['the commit ignores the state of the lease row', { checksState: false }, /I15/],
  [
    'the commit ignores which attempt holds the fence',
    { checksToken: false },
    /I9|I2/,
    { writers: 0, isCalm: false },
  ],
  ['the commit ignores the veto', { checksVeto: false }, /I6/],
  ['the commit ignores a run that started under the fence', { checksRuns: false }, /I2/],
  ['the view is switched after the commit', { routeInCommit: false }, /I15/],
  ['the trigger reads the lease row without a lock', { triggerLocks: false }, /I3/],
  ['only a worker can end the fence', { triggerExpires: false }, /I4/],
  ['the apply worker of a subscription fires no trigger', { rowTriggers: false }, /I3/],
  [
    'the fence does not wait for open transactions of writers (a REVOKE would not wait, either)',
    { fenceWaits: false },
    /I3/,
  ],
  ['the marker is written before the fence', { markerInFence: false }, /I3/],
  ['the fence locks the lease row before the tables', { tablesFirst: false }, /I18/],
  [
    'the fence restarts its time limit when its activity runs again',
    { retryKeepsExpiry: false },
    /I4/,
  ],
  [
    'the fence creates the lease row, and a trigger that finds none accepts writes',
    { rowPreexists: false, triggerFailsClosed: false },
    /I3/,
  ],
  [
    'the drain of one partition counts as the drain of all partitions',
    { drainsEveryPartition: false },
    /I1/,
    { writers: 2, isCalm: true },
  ],
  ['an unknown result of the drain counts as drained', { unknownIsNotDrained: false }, /I1|I9/],
  ['the final window is taken before the drain', { windowAfterDrain: false }, /I2/],
  ['a failed final window is ignored', { windowMustPass: false }, /I2/],
  [
    'the final window does not check whether the epoch is still the same',
    { windowSeesEpoch: false },
    /I8/,
  ],
  ['an approval outlives its epoch', { approvalOfThisEpoch: false }, /I6/],
  [
    'after a crash, the run trusts its memory and not the lease row',
    { believesRow: false, releaseLooks: false },
    /I15/,
  ],
  [
    'the release does not check under the lock whether the commit happened',
    { releaseLooks: false },
    /I15/,
  ],
  ['a released attempt can fence again', { releaseBurns: false }, /I7|I10/],
  ['the release leaves the triggers', { releaseDropsTriggers: false }, /I10/],
  [
    'the way back writes the lease row and does not switch the view',
    { backRoutes: false },
    /I11|I15/,
  ],
  ['the sweep removes the lease row before the triggers', { triggersBeforeLease: false }, /I4/],
];
