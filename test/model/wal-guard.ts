// Models how much WAL Sluice's slot retains (invariant I12 in docs/explanation/cutover.md). The
// model has writers, a connector that may make no progress, and a guard that looks from time to
// time. The run may be blocked, paused or committed. Before the commit, the source is more
// important than the migration, so the slot may be dropped. After the commit, the objects that
// consumers need are never dropped.
import type { Game } from './search.js';

const BUDGET = 3;
const LOOKS_EVERY = 1;
const MOST = 7;

export const GUARD_RULES = {
  looksWhileBlocked: true,
  looksWhilePaused: true,
  dropsBeforeCommit: true,
  sparesAfterCommit: true,
  alarmsAfterCommit: true,
};
export type GuardRules = typeof GUARD_RULES;

interface World {
  /** The WAL that the slot retains. */
  retained: number;
  /** 1 = the slot exists. */
  slot: number;
  /** 1 = the guard has raised an alarm. */
  told: number;
  /** The WAL that was written since the guard last looked. */
  sinceLook: number;
  /** 1 = the connector makes no progress. */
  stands: number;
  blocked: number;
  paused: number;
  committed: number;
}

function moves(
  w: World,
  rules: GuardRules,
): { label: string; world: World; broken: string | null }[] {
  const found: { label: string; world: World; broken: string | null }[] = [];
  const can = (label: string, change: Partial<World>, broken: string | null = null): void =>
    void found.push({ label, world: { ...w, ...change }, broken });
  const isLooking =
    (rules.looksWhileBlocked || w.blocked === 0) && (rules.looksWhilePaused || w.paused === 0);
  const isDue = w.sinceLook >= LOOKS_EVERY && isLooking;
  if (w.slot === 1 && w.retained < MOST && !isDue)
    can('the source writes', { retained: w.retained + 1, sinceLook: w.sinceLook + 1 });
  if (w.stands === 0 && w.retained > 0 && w.slot === 1) can('the connector reads', { retained: 0 });
  can('the connector stops, or continues', { stands: 1 - w.stands });
  can('blocked, or no longer blocked', { blocked: 1 - w.blocked });
  can('paused, or no longer paused', { paused: 1 - w.paused });
  if (w.committed === 0 && w.slot === 1) can('commits', { committed: 1 });
  if (isLooking && w.slot === 1) {
    const isOver = w.retained > BUDGET;
    const drops =
      isOver && (w.committed === 1 ? !rules.sparesAfterCommit : rules.dropsBeforeCommit);
    if (drops)
      can(
        'guard drops the slot',
        { slot: 0, told: 1, sinceLook: 0 },
        w.committed === 1 ? 'I12: dropped an object that consumers need' : null,
      );
    else
      can('guard looks', {
        sinceLook: 0,
        told: isOver && (w.committed === 0 || rules.alarmsAfterCommit) ? 1 : w.told,
      });
  }
  return found;
}

function inState(w: World): string | null {
  if (w.slot === 0 || w.retained <= BUDGET + LOOKS_EVERY + 1) return null;
  if (w.committed === 0)
    return 'I12: more WAL than the budget plus the WAL written between two looks';
  return w.told === 1 ? null : 'I12: more WAL than the budget, and no alarm was raised';
}

export const walGuard = (rules: GuardRules): Game<World> => ({
  first: {
    retained: 0,
    slot: 1,
    told: 0,
    sinceLook: 0,
    stands: 0,
    blocked: 0,
    paused: 0,
    committed: 0,
  },
  keyOf: (w) => Object.values(w).join(),
  moves: (w) => moves(w, rules),
  inState,
});

export const GUARD_MUTANTS: readonly (readonly [string, Partial<GuardRules>, RegExp])[] = [
  ['the guard did nothing while the run was blocked', { looksWhileBlocked: false }, /more WAL/],
  ['the guard did nothing while the run was paused', { looksWhilePaused: false }, /more WAL/],
  [
    'before the commit, the guard raised an alarm but did not drop the slot',
    { dropsBeforeCommit: false },
    /more WAL than the budget plus/,
  ],
  [
    'the guard dropped the slot after the commit',
    { sparesAfterCommit: false },
    /dropped an object that consumers need/,
  ],
  ['the guard said nothing after the commit', { alarmsAfterCommit: false }, /no alarm was raised/],
];
