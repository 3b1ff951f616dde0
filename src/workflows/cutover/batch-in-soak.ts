// Handles the batch during the soak. If batch and stream share a table, the batch stays paused,
// because its writes would be refused. Otherwise Sluice records who still reads the batch's old
// table.
import { call } from '../call.js';
import { everyMs, type Run } from '../run/run.js';

// Each window renews the pause. If the next window does not come, the pause ends this long after
// the time at which that window was due.
const AFTER_US_MS = 3_600_000;

/** Pauses the batch until after the next window. Every window renews the pause. */
export async function keepPaused(run: Run): Promise<void> {
  if (!run.spec.batch?.pause) return;
  const until = new Date(Date.parse(run.now()) + everyMs(run) + AFTER_US_MS).toISOString();
  await run.step(() =>
    call(
      'quick',
      'batchAction',
      'Keep the batch paused, because the stream now writes to the table',
      run.ref,
      'pause',
      until,
    ),
  );
}

/**
 * Marks the moment from which reads of the batch's table count. Before `complete`, the run reports
 * who has read it since then.
 */
export async function markReaders(run: Run): Promise<void> {
  run.state.readersSince = await run.step(() =>
    call('quick', 'markReaders', "Start to count readers of the batch's table", run.ref),
  );
}
