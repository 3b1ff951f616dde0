// Forms the boundary between Temporal and the activities. The payload from Temporal contains the
// ref, but no plan. This code computes the plan from the ref and passes both to the activity.
import type { MigrationRef } from '../../domain/evidence/ledger-rows.js';
import { resolve } from '../../domain/plan/resolve.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';

/** A run and its resolved plan, which most activities take as input. */
export interface Planned {
  readonly ref: MigrationRef;
  readonly plan: ResolvedPlan;
}

/** The argument of an activity in Temporal: the ref, or an input that contains the ref. */
type Payload<Input> = Planned extends Input ? MigrationRef : Omit<Input, 'plan'>;

type Activity = (input: never, ...rest: never[]) => Promise<unknown>;

type AtBoundary<F> = F extends (input: infer Input, ...rest: infer Rest) => infer Result
  ? (payload: Payload<Input>, ...rest: Rest) => Result
  : never;

/** Adds the plan to a payload, which is a ref or an input with a property `ref`. */
export function planned(payload: MigrationRef | { readonly ref: MigrationRef }): Planned {
  return 'ref' in payload
    ? { ...payload, plan: resolve(payload.ref) }
    : { ref: payload, plan: resolve(payload) };
}

/**
 * Wraps activities so that each activity gets the plan in its first argument. Their names, other
 * arguments and results do not change.
 */
export function withPlan<T extends Readonly<Record<string, Activity>>>(
  activities: T,
): { [K in keyof T]: AtBoundary<T[K]> } {
  const wrapped = Object.entries<Activity>(activities).map(([name, run]) => [
    name,
    async (payload: MigrationRef | { readonly ref: MigrationRef }, ...rest: never[]) =>
      run(planned(payload) as never, ...rest),
  ]);
  return Object.fromEntries(wrapped) as { [K in keyof T]: AtBoundary<T[K]> };
}
