// validate: windows until enough passed in a row over the asked-for coverage. The first starts at once; a failed one is not a block.
import { stopRule } from '../../domain/decisions/gate.js';
import { findsItselfCommitted } from '../cutover/hold.js';
import { everyMs, type Run } from '../run/run.js';
import { streakOf } from '../run/state.js';
import { runWindow } from '../windows.js';

export async function validate(run: Run): Promise<void> {
  if (await findsItselfCommitted(run)) return; // windows and approvals before a commit that has happened would say nothing
  for (;;) {
    await runWindow(run, 'window');
    await run.edge();
    if (stopRule(streakOf(run.state), run.spec.validation) === null) return;
    await run.wait(() => run.connectors.isNews, everyMs(run), 'Until the next window');
  }
}
