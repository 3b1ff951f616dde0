// validate: windows until enough passed in a row over the asked-for coverage. The first starts at once; a failed one is not a block.
import { stopRule } from '../../domain/gate.js';
import { everyMs, type Run } from '../run.js';
import { runWindow } from '../windows.js';

export async function validate(run: Run): Promise<void> {
  const { passesInARow, coverage } = run.spec.validation;
  for (;;) {
    await runWindow(run, 'window');
    await run.edge();
    if (stopRule(run.state.passesInARow, run.state.covered, passesInARow, coverage) === null) return;
    await run.idle(everyMs(run), 'Until the next window');
  }
}
