// Decides whether a window can use a witness, a temporary replication slot that shows which rows
// have changed. Begins, reads and ends the witness. In a cut-over, the full pass before the fence
// begins the witness, and the final window reads it.
import type { Shape } from '../../../compare/row-comparison.js';
import { WITNESS_KEYS } from '../../../domain/evidence/witness.js';
import { engineGateway } from '../../../domain/migration/spec.js';
import type { Relation } from '../../../domain/migration/names.js';
import { durationMs } from '../../../domain/values/duration.js';
import type { ResolvedPlan } from '../../../domain/plan/resolved-plan.js';
import type {
  ConnectedReading,
  HearsWitness,
  ReadingSession,
  Witnessing,
  WitnessRole,
} from '../session.js';
import type { SubjectOutcome } from '../subject-outcome.js';
import type { Heard, KeyedByOne, Witnesses } from './witnesses.js';

/** A compared table and its shape. */
export interface Compared {
  readonly table: Relation;
  readonly shape: Shape;
}

/**
 * Returns why no witness can be used for these tables, so that a final window has to read every row
 * while the fence holds. Returns null if a witness can be used.
 */
export function whyUnwitnessed(plan: ResolvedPlan, compared: readonly Compared[]): string | null {
  if (engineGateway(plan.spec)) return 'Flink compares the tables';
  if (plan.capture.isAdopted)
    return 'a witness writes markers into the WAL, which the adopted connector may publish';
  for (const { table, shape } of compared) {
    if (shape.columns.some(({ toleranceAbs }) => toleranceAbs !== undefined))
      return `a column of ${table.text} has a tolerance`;
    const [only, more] = shape.key;
    const type = shape.columns.find(({ name }) => name === only)?.type ?? '';
    if (more !== undefined || !WITNESS_KEYS.includes(type))
      return `the key of ${table.text} is not one integer`;
  }
  return null;
}

/**
 * Begins the witness of a full pass. Returns null, or the reason why there is no witness. MUST be
 * called before the first row is read.
 */
export async function beginWitness(
  session: ConnectedReading,
  keeper: Witnesses,
  compared: readonly Compared[],
): Promise<string | null> {
  const keyed = compared.map(({ table, shape }): KeyedByOne => ({
    table: table.text,
    from: table.sql,
    key: shape.key[0]!,
  }));
  const { plan, witness } = session;
  const everyMs = witness?.role === 'keep' ? durationMs(plan.spec.validation.every) : 0;
  return whyUnwitnessed(plan, compared) ?? (await keeper.begin(session, keyed, everyMs));
}

/**
 * Reads what the witness saw up to the window's snapshot. Returns null if this window does not read
 * a witness.
 */
export async function hearWitness(session: ConnectedReading): Promise<Heard | null> {
  const { witness } = session;
  if (hasKept(session)) return session.witness.keeper.hear(session, null);
  if (!witness || !isHearing(witness.role)) return null;
  const { refused, after } = witness.role;
  return refused === undefined ? witness.keeper.hear(session, after) : { refused };
}

/** Returns true if a window can use the witness that an earlier window kept. */
export const hasKept = (
  session: ReadingSession,
): session is ReadingSession & { readonly witness: Witnessing } =>
  session.witness?.role === 'keep' &&
  !session.isFull &&
  session.witness.keeper.isWaiting(session.ref);

/** Returns true if the role belongs to a final window that reads a witness. */
export const isHearing = (role: WitnessRole | undefined): role is HearsWitness =>
  typeof role === 'object';

/**
 * Measures a window. Ends the run's witness afterwards, unless the window passed and its role is
 * `begin` or `keep`. In that case, a later window can read the witness.
 */
export async function endingWitness<M extends MeasuredSubjects>(
  keeper: Pick<Witnesses, 'isWaiting' | 'end'>,
  { ref, witness }: Pick<ReadingSession, 'ref' | 'witness'>,
  measure: () => Promise<M>,
): Promise<M> {
  let isKept = false;
  try {
    const measured = await measure();
    const hasPassed = measured.subjects.every(({ verdict }) => verdict.verdict === 'passed');
    isKept = typeof witness?.role === 'string' && hasPassed && keeper.isWaiting(ref);
    return measured;
  } finally {
    if (!isKept) await keeper.end(ref);
  }
}

interface MeasuredSubjects {
  readonly subjects: readonly Pick<SubjectOutcome, 'verdict'>[];
}
