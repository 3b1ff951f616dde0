// Asks once more, before the batch is retired, whether the cut-over still holds.
import type { Blocked } from '../../domain/failure.js';
import { call } from '../call.js';
import type { Run } from '../run/run.js';

/**
 * Returns null if the lease row says that the cut-over happened and consumers read the stream. The
 * last window may be hours old. Since then, a person may have replaced the view, or the target may
 * have been restored to a time before the commit.
 */
export async function whyNotOnStream(run: Run, ways: string): Promise<Blocked | null> {
  const { ref, plan, state } = run;
  const switched = await call(
    'quick',
    'isSwitched',
    'Read the lease row: does the cut-over still hold?',
    ref,
  );
  const observed = await call('quick', 'observeRoute', 'Observe what consumers read', ref);
  if (state.route?.side !== observed.side) run.audit({ kind: 'route', side: observed.side });
  state.route = observed;
  if (switched && observed.side === 'stream') return null;
  return {
    code: 'route-unexpected',
    since: run.now(),
    detail: switched
      ? `consumers read the ${observed.side} side, although the stream side was committed`
      : `the lease row no longer says that the cut-over happened, and consumers read the ${observed.side} side`,
    remedy: `${plan.route.words.unexpected}, then: ${ways}`,
  };
}
