// Records the beginning of each step of the cut-over in the audit. It uses the plan's names, so
// plan, run and report agree.
import type { CutoverStep } from '../../domain/plan/resolved-plan.js';
import type { Run } from '../run/run.js';

/**
 * Records the beginning of a step that this spec's plan has. Without a batch, for example, the plan
 * has no step `fence`: only the lease row in the ledger is fenced.
 */
export function begins(run: Run, name: CutoverStep['name']): void {
  const step = run.plan.steps.find((s) => s.name === name);
  if (step) run.audit({ kind: 'step', step: name, does: step.does });
}
