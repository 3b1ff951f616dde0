// The batch in the soak: where its table is the stream's now, it is kept from runs that would only be refused; where it has its own, whoever reads that is counted.
import { call } from '../activities.js';
import { everyMs, type Run } from '../run/run.js';

const AFTER_US_MS = 3_600_000; // the pause ends by itself, but not while we are there to ask for it again

/** Asked for again by every window. */
export async function keepPaused(run: Run): Promise<void> {
  if (!run.spec.batch?.pause) return;
  const until = new Date(Date.parse(run.now()) + everyMs(run) + AFTER_US_MS).toISOString();
  await run.step(() =>
    call(
      'quick',
      'batchAction',
      'Keep the batch paused, because the stream now writes the table',
      run.ref,
      'pause',
      until,
    ),
  );
}

/** Who reads the old output from here on, `complete` will name. */
export async function markReaders(run: Run): Promise<void> {
  run.state.readersSince = await run.step(() =>
    call('quick', 'markReaders', "Start to count readers of the batch's old output", run.ref),
  );
}
