// Lets a window wait for a place, which is the permission to read a source server. Only a few
// windows have a place on one server at a time. Otherwise, many migrations would read the server at
// once.
import { Context } from '@temporalio/activity';
import { takePlace } from '../../clients/ledger/source-places.js';
import { isForHold } from '../../domain/migration/task-queues.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { Deps } from '../runtime/deps.js';
import { describing, pause } from '../runtime/poll-until.js';

/** The number of windows that read one server at the same time, if the spec does not say. */
const PLACES = 4;
const LOOK_MS = 1000;

/**
 * Runs `use` while it holds a place. A final window needs no place, so that the hold stays short.
 * Throws the errors of the ledger, and throws if the activity is cancelled.
 */
export async function withPlace<T>(
  { ledger }: Pick<Deps, 'ledger'>,
  { spec: { source } }: Pick<ResolvedPlan, 'spec'>,
  use: () => Promise<T>,
): Promise<T> {
  if (isForHold(Context.current().info.taskQueue)) return use();
  const places = source.limits.windows ?? PLACES;
  const { host, port } = source.postgres;
  const waitingFor = `the end of one of the ${places} windows that may read ${host}:${port} at a time`;
  const giveBack = await describing(
    () => ({ waitingFor }),
    () => takePlace(ledger, source.postgres, places, () => pause(LOOK_MS)),
  );
  try {
    return await use();
  } finally {
    await giveBack();
  }
}
