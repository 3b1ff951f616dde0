// validate: runs windows until enough of them have passed in a row. Windows must also have passed
// on every kind of day that the spec requires, such as a weekend or the end of a month. Two further
// conditions are a full window after a harmless restart, and enough compared keys. The first window
// starts at once. A failed window does not block the run.
import { stopRule } from '../../domain/evidence/streak.js';
import { findsItselfCommitted } from '../cutover/hold.js';
import { everyMs, type Run } from '../run/run.js';
import { streakOf } from '../run/state.js';
import { runWindow } from '../windows/windows.js';

export async function validate(run: Run): Promise<void> {
  // A reset can bring a run back to this phase after its commit. No window or approval can then
  // decide anything.
  if (await findsItselfCommitted(run)) return;
  const untilNext = () => run.wait(() => run.isWindowDue, everyMs(run), 'Until the next window');
  if (run.isBetweenWindows) await untilNext();
  for (;;) {
    await runWindow(run, 'window');
    await run.edge();
    if (stopRule(streakOf(run.state), run.spec.validation) === null) return;
    await untilNext();
  }
}
