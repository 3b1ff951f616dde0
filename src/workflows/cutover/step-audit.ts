// The cut-over's steps as the plan lists them: the audit names each one when it begins, so that plan, run and report say the same.
import type { CutoverStep } from '../../domain/plan/resolved-plan.js';
import type { Run } from '../run/run.js';

/** A step that this spec's plan does not list (nothing is fenced without a batch) is not named. */
export function begins(run: Run, name: CutoverStep['name']): void {
  const step = run.plan.steps.find((s) => s.name === name);
  if (step) run.audit('step', `${name}: ${step.does}`);
}
