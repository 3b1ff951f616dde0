// Compares every row directly before the fence (the full pass). From then on, a temporary
// replication slot (the witness) shows which rows change in the source. Under the fence, the final
// window reads only these rows, so a large table does not make the hold longer.
import { WITNESS_FROM_ROWS } from '../../domain/evidence/witness.js';
import { allowedAge, tooOld } from '../../domain/plan/final-result.js';
import { BackToValidate } from '../run/interruptions.js';
import type { Run } from '../run/run.js';
import { holdOf, runWindow } from '../windows/windows.js';

/**
 * Returns why a hold that begins now cannot rely on the last comparison of the results. Returns
 * null if it can, or if the final window will compare the results itself.
 */
export function resultsProblem(run: Run): string | null {
  const allowed = allowedAge(run.plan);
  if (allowed === null) return null;
  const { ahead, recentResult } = run.state;
  const holdMs = holdOf(run, ahead !== null && ahead.refused === null);
  return tooOld(allowed, recentResult, run.now(), holdMs);
}

/**
 * Makes the full pass if that shortens the final window, or if the last comparison of the results
 * would be too old. Returns whether it made the pass. Throws BackToValidate if the pass found a
 * difference or proved nothing.
 */
export async function passAhead(run: Run): Promise<boolean> {
  run.state.ahead = null;
  const cost = run.state.tablesCost;
  const isLarge = cost?.unwitnessed === null && cost.rows >= WITNESS_FROM_ROWS;
  if (!isLarge && resultsProblem(run) === null) return false;
  const { number, verdict, witness } = await runWindow(run, 'window before the fence');
  if (verdict.verdict !== 'passed')
    throw new BackToValidate(
      `window ${number}, before the fence, ${verdict.verdict}: ${verdict.reason}`,
    );
  run.state.ahead = {
    number,
    refused: witness ? witness.refused : 'the worker created no witness',
  };
  return true;
}
