// Makes the full pass directly before the fence, while a witness watches the source. The final
// window then reads only what changed since, so the hold does not grow with the tables.
import { WITNESS_FROM_ROWS } from '../../domain/evidence/witness.js';
import { BackToValidate } from '../run/course.js';
import type { Run } from '../run/run.js';
import { runWindow } from '../windows/windows.js';

/**
 * Makes the full pass if the final window can rest on it. Returns whether there was one. Throws
 * BackToValidate if it did not pass.
 */
export async function passAhead(run: Run): Promise<boolean> {
  run.state.ahead = null;
  const cost = run.state.tablesCost;
  if (!cost || cost.unwitnessed !== null || cost.rows < WITNESS_FROM_ROWS) return false;
  const { number, verdict, witness } = await runWindow(run, 'window before the fence');
  if (verdict.verdict !== 'passed')
    throw new BackToValidate(
      `window ${number}, before the fence, ${verdict.verdict}: ${verdict.reason}`,
    );
  run.state.ahead = { number, refused: witness ? witness.refused : 'the worker began none' };
  return true;
}
