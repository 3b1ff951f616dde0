// Models the transaction that sets a fence, and checks invariant I4 (docs/explanation/cutover.md):
// no write is held longer than `maxHold`. The transaction locks one table after the other, and may
// wait for each lock. The worker may be suspended while the transaction is open. A writer to the
// first table waits for the lock, and is then refused until the fence ends.
import type { Game } from './search.js';

const TABLES = 3;
const HOLD = 6;
const IDLE = 2;
const OVERALL = 4;
const CLOCK_MAX = 12;

export const WAIT_RULES = {
  /** The database ends a transaction that is idle for too long. */
  idleLimit: true,
  /**
   * The database ends a transaction that takes too long as a whole.
   */
  overallLimit: true,
  /** The hold counts from the beginning of the fencing transaction. */
  fromBeginning: true,
  /** Writers pass after the expiry, even if no worker is alive. */
  expiresAlone: true,
};
export type WaitRules = typeof WAIT_RULES;

interface World {
  clock: number;
  /** The number of locked tables. 0 means that no transaction is open. */
  locked: number;
  begun: number;
  /** The clock at the end of the last statement. */
  idleSince: number;
  /** 1 = the worker is suspended until the database ends the transaction. */
  stands: number;
  /** The clock at which the fence expires. -1 means not fenced. */
  expires: number;
  /** The clock at which the writer began to wait. -1 means that it does not wait. */
  waitsSince: number;
}

type Found = { label: string; world: World; broken: string | null }[];

const isHeld = (w: World, rules: WaitRules): boolean =>
  w.locked > 0 || (w.expires >= 0 && (w.clock < w.expires || !rules.expiresAlone));

function moves(w: World, rules: WaitRules): Found {
  const found: Found = [];
  const can = (label: string, change: Partial<World>): void => {
    const world = { ...w, ...change };
    const tooLong =
      world.waitsSince >= 0 && world.clock - world.waitsSince > HOLD && isHeld(world, rules);
    found.push({ label, world, broken: tooLong ? 'I4: a writer waits longer than maxHold' : null });
  };
  const isOpen = w.locked > 0;
  const mustEnd =
    isOpen &&
    ((rules.idleLimit && w.clock - w.idleSince >= IDLE) ||
      (rules.overallLimit && w.clock - w.begun >= OVERALL));
  if (mustEnd) {
    can('the database ends the transaction', { locked: 0, stands: 0, begun: 0, idleSince: 0 });
    return found; // the database acts before the clock advances
  }
  if (w.waitsSince >= 0 && !isHeld(w, rules)) {
    can('the writer writes', { waitsSince: -1 });
    return found; // the writer was first in the lock queue, so it writes before any other move
  }
  if (w.clock < CLOCK_MAX) can('clock', { clock: w.clock + 1 });
  if (w.waitsSince < 0 && isHeld(w, rules)) can('a writer comes', { waitsSince: w.clock });
  if (w.stands === 1) return found;
  if (w.locked === 0 && w.expires < 0)
    can('begins, and locks a table', { locked: 1, begun: w.clock, idleSince: w.clock });
  if (isOpen && w.locked < TABLES) {
    can('locks the next table', { locked: w.locked + 1, idleSince: w.clock });
    // In this move, the worker gets the lock before `lock_timeout`. The database does not count the
    // wait as idle time.
    if (w.clock < CLOCK_MAX)
      can('waits for the next table', {
        locked: w.locked + 1,
        clock: w.clock + 1,
        idleSince: w.clock + 1,
      });
  }
  if (w.locked === TABLES)
    can('commits', {
      locked: 0,
      expires: (rules.fromBeginning ? w.begun : w.clock) + HOLD,
      begun: 0,
      idleSince: 0,
    });
  if (isOpen) can('stands still', { stands: 1 });
  return found;
}

export const waiting = (rules: WaitRules): Game<World> => ({
  first: { clock: 0, locked: 0, begun: 0, idleSince: 0, stands: 0, expires: -1, waitsSince: -1 },
  keyOf: (w) => Object.values<number>(w as never).join(),
  moves: (w) => moves(w, rules),
  inState: () => null,
});

export const WAIT_MUTANTS: readonly (readonly [string, Partial<WaitRules>, RegExp])[] = [
  [
    'only the worker itself can end its transaction',
    { idleLimit: false, overallLimit: false },
    /I4/,
  ],
  ['the hold counts from the commit of the fence', { fromBeginning: false }, /I4/],
  ['only a worker can end the fence', { expiresAlone: false }, /I4/],
];
