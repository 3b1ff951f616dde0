// The phases of a migration in order, and the phases that may follow each of them. The names and
// the order are part of the contract.

export const PHASES = [
  'prepare',
  'snapshot',
  'connect',
  'catch-up',
  'validate',
  'approve',
  'cut-over',
  'soak',
  'complete',
  'roll-back',
] as const;
export type Phase = (typeof PHASES)[number];

/** The phases that run windows one after another. */
export const WINDOW_PHASES: readonly Phase[] = ['validate', 'approve', 'soak'];

export const OUTCOMES = ['migrated', 'rolled-back', 'rejected', 'aborted'] as const;
export type Outcome = (typeof OUTCOMES)[number];

const GENERATION_START: Phase = 'snapshot';
const BACK_TO_VALIDATE: readonly Phase[] = ['approve', 'cut-over'];

/**
 * Returns whether `to` may follow `from`. `to` may be the next phase, `validate` (again), the start
 * of a new generation, or `roll-back`, except after `complete`. `from` is null before the first
 * phase; a rollback may already be requested then.
 */
export function mayFollow(from: Phase | null, to: Phase): boolean {
  if (from === null) return to === 'prepare' || to === 'roll-back';
  if (from === 'roll-back') return false;
  if (to === 'roll-back') return from !== 'complete';
  if (to === 'validate' && BACK_TO_VALIDATE.includes(from)) return true;
  if (to === GENERATION_START && isBetween(from, 'snapshot', 'cut-over')) return true;
  return PHASES.indexOf(to) === PHASES.indexOf(from) + 1;
}

export function isBetween(phase: Phase, first: Phase, last: Phase): boolean {
  const at = PHASES.indexOf(phase);
  return at >= PHASES.indexOf(first) && at <= PHASES.indexOf(last);
}

export const isPhase = (text: string): text is Phase =>
  (PHASES as readonly string[]).includes(text);
export const isOutcome = (text: string): text is Outcome =>
  (OUTCOMES as readonly string[]).includes(text);
