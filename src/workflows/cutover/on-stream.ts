// Observes what consumers read after the commit, and whether the cut-over is still in effect.
import type { Blocked } from '../../domain/failure.js';
import { call } from '../call.js';
import type { Run } from '../run/run.js';

/** Keeps the observed side in the state, and audits a change. */
export function keepRoute(run: Run, observed: NonNullable<Run['state']['route']>): void {
  if (run.state.route?.side !== observed.side) run.audit({ kind: 'route', side: observed.side });
  run.state.route = observed;
}

/**
 * Waits until two conditions are true: the lease row says that the cut-over happened, and consumers
 * read the stream. Calls `lost` each time a condition is not true or cannot be observed. If only
 * the ledger does not answer, waits without calling `lost`, because consumers still read the
 * stream. `ways` names the commands that a person can run.
 */
export async function untilOnStream(
  run: Run,
  ways: string,
  lost: () => void = () => undefined,
): Promise<void> {
  const look = () =>
    whyNotOnStream(run, ways, true).catch(async (error: unknown) => {
      if (!(await isOnStream(run, ways))) lost();
      throw error;
    });
  for (let why = await run.ask(look); why !== null; why = await run.ask(look)) {
    lost();
    await run.park(why, true);
  }
  await run.unblock();
}

/** Returns whether both conditions are true, without asking the ledger. False if unknown. */
const isOnStream = (run: Run, ways: string): Promise<boolean> =>
  whyNotOnStream(run, ways, false).then(
    (why) => why === null,
    () => false,
  );

/**
 * Returns null if the cut-over is still in effect. Does not rely on the last window, because it may
 * be hours old. Since then, a person may have replaced the view, or the target may have been
 * restored to a time before the commit. With `needsRow`, throws if the ledger says that the run has
 * already ended, or has begun a newer generation.
 */
async function whyNotOnStream(run: Run, ways: string, needsRow: boolean): Promise<Blocked | null> {
  const { ref, plan } = run;
  const switched = await call(
    'quick',
    'isSwitched',
    'Read the lease row: is the cut-over still in effect?',
    ref,
    needsRow,
  );
  const observed = await call('quick', 'observeRoute', 'Observe what consumers read', ref);
  keepRoute(run, observed);
  const { side } = observed;
  if (switched && side === 'stream') return null;
  return {
    code: 'route-unexpected',
    since: run.now(),
    detail: switched
      ? `consumers read the ${side} side, although the stream side was committed`
      : `the lease row no longer says that the cut-over happened, and consumers read the ${side} side`,
    remedy: `${plan.route.words.unexpected}, then: ${ways}`,
  };
}
