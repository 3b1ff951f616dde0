// Records the beginning of each step of the cut-over in the audit. It uses the plan's names, so
// plan, run and report agree.
import type { CutoverStep } from '../../domain/plan/resolved-plan.js';
import type { Run } from '../run/run.js';

/**
 * Records the beginning of a step. A step that is not in this spec's plan is not recorded; without
 * a batch, for example, nothing is fenced.
 */
export function begins(run: Run, name: CutoverStep['name']): void {
  const step = run.plan.steps.find((s) => s.name === name);
  if (step) run.audit({ kind: 'step', step: name, does: step.does });
}
