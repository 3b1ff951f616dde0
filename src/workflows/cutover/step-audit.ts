// Records the beginning of each step of the cut-over in the audit. The names come from the plan, so
// the plan, the run and the report agree.
import type { CutoverStep } from '../../domain/plan/resolved-plan.js';
import type { Run } from '../run/run.js';

/**
 * Records the beginning of a step, if the plan has that step. Without a batch, for example, the
 * plan has no step `fence`, because only the lease row in the ledger is fenced.
 */
export function begins(run: Run, name: CutoverStep['name']): void {
  const step = run.plan.steps.find((s) => s.name === name);
  if (step) run.audit({ kind: 'step', step: name, does: step.does });
}
