// Models the ownership of one object. Sluice must never treat an object that it did not make as its
// own (invariant I19 in docs/explanation/cutover.md). After a rollback, nothing that Sluice made
// may be left (I20). In the model, Sluice's request to create the object succeeds or is refused, or
// the answer to the request is lost. After a lost answer, the request may still take effect later.
// After a refusal, a person may create the object by hand instead of granting the missing right.
// Sluice tries at most three times, and may roll back whenever no request is under way. One case is
// not modeled: after a lost answer, a person creates the object without being asked to. Such an
// object counts as owned, because the lost request may have made it.
import type { Game } from './search.js';

export const CLAIM_RULES = {
  /** Sluice gives the claim back after a request that certainly created nothing. */
  givesBack: true,
  /** Sluice keeps the claim after a request whose answer was lost. */
  keepsUnknown: true,
  /**
   * If the answer to an earlier attempt was lost, Sluice keeps the claim even after a later attempt
   * fails because the object exists.
   */
  keepsAfterCollision: true,
  /** An existing object counts as Sluice's own only if the ledger has a claim for it. */
  asksLedger: true,
  /** A rollback removes only objects that are claimed. */
  removesOnlyOurs: true,
};
export type ClaimRules = typeof CLAIM_RULES;

const NOBODY = 0;
const OURS = 1;
const THEIRS = 2;
const ATTEMPTS = 3;

interface World {
  /** The creator of the object. `NOBODY` means that the object does not exist. */
  there: number;
  claimed: number;
  /** 1 = the answer to a request was lost, and the request has not taken effect yet. */
  underWay: number;
  /** 1 = the answer to the request of an earlier attempt was lost. */
  lost: number;
  allowed: number;
  /** 1 = a person knows from Sluice that it lacks the right to create the object. */
  told: number;
  attempts: number;
  /** 1 = the run was rolled back. */
  over: number;
}

type Found = { label: string; world: World; broken: string | null }[];

function moves(w: World, rules: ClaimRules): Found {
  const found: Found = [];
  const can = (label: string, change: Partial<World>, broken: string | null = null): void =>
    void found.push({ label, world: { ...w, ...change }, broken });
  if (w.underWay === 1) {
    can(
      'the lost create takes effect',
      w.there === NOBODY ? { there: OURS, underWay: 0 } : { underWay: 0 },
    );
    can('the lost create never takes effect', { underWay: 0 });
  }
  if (w.told === 1 && w.there === NOBODY && w.underWay === 0)
    can('a person makes it by hand', { there: THEIRS });
  if (w.over === 1) return found;
  if (w.allowed === 0) can('a person grants the right', { allowed: 1, told: 0 });
  if (w.attempts < ATTEMPTS) attempt(w, rules, can);
  const isRemoved = w.there !== NOBODY && (w.claimed === 1 || !rules.removesOnlyOurs);
  if (w.underWay === 0)
    can(
      'rolls back',
      { over: 1, there: isRemoved ? NOBODY : w.there },
      isRemoved && w.there === THEIRS ? 'I19: dropped an object that is not ours' : null,
    );
  return found;
}

function attempt(
  w: World,
  rules: ClaimRules,
  can: (label: string, change: Partial<World>, broken?: string | null) => void,
): void {
  const attempts = w.attempts + 1;
  if (w.there !== NOBODY) {
    const adopts = w.claimed === 1 || !rules.asksLedger;
    can(
      adopts ? 'adopts' : 'refuses the existing object',
      { attempts, claimed: adopts ? 1 : w.claimed },
      adopts && w.there === THEIRS ? 'I19: adopted an object that is not ours' : null,
    );
    return;
  }
  // Between this attempt's check and its request, an earlier request whose answer was lost takes
  // effect, or a person creates the object.
  const keeps = w.lost === 1 ? rules.keepsAfterCollision : !rules.givesBack;
  if (w.underWay === 1)
    can('collides with the lost create', {
      attempts,
      there: OURS,
      underWay: 0,
      claimed: keeps ? 1 : 0,
    });
  if (w.told === 1 && w.underWay === 0)
    can('collides with a person', {
      attempts,
      there: THEIRS,
      lost: 0,
      claimed: w.lost === 1 && keeps ? 1 : 0,
    });
  if (w.allowed === 0)
    return can('is refused, because a right is missing', {
      attempts,
      told: 1,
      lost: 0,
      underWay: 0,
      claimed: rules.givesBack ? 0 : 1,
    });
  can('creates', { attempts, there: OURS, claimed: 1 });
  if (w.underWay === 0)
    can('creates, and the answer is lost', {
      attempts,
      underWay: 1,
      lost: 1,
      claimed: rules.keepsUnknown ? 1 : 0,
    });
}

export const claims = (rules: ClaimRules): Game<World> => ({
  first: {
    there: NOBODY,
    claimed: 0,
    underWay: 0,
    lost: 0,
    allowed: 0,
    told: 0,
    attempts: 0,
    over: 0,
  },
  keyOf: (w) => Object.values<number>(w as never).join(),
  moves: (w) => moves(w, rules),
  inState: (w) =>
    w.over === 1 && w.there === OURS ? 'I20: rolled back, but an object of ours is left' : null,
});

export const CLAIM_MUTANTS: readonly (readonly [string, Partial<ClaimRules>, RegExp])[] = [
  ['Sluice keeps the claim after a request that was refused', { givesBack: false }, /I19/],
  [
    'Sluice gives the claim back after a request whose answer was lost',
    { keepsUnknown: false },
    /I20/,
  ],
  [
    'Sluice gives the claim back if its earlier request created the object',
    { keepsAfterCollision: false },
    /I20/,
  ],
  ['an existing object is adopted without asking the ledger', { asksLedger: false }, /I19/],
  ['a rollback removes every object of that name', { removesOnlyOurs: false }, /I19/],
];
