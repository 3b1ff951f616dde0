// Finds waivers that would have no effect, or that would accept what must never be accepted.
import { isCheckName, isNeverWaived } from '../domain/evidence/check.js';
import type { SpecIssue } from './document.js';
import type { ParsedSpec } from './spec-schema.js';

type Waiver = ParsedSpec['spec']['validation']['waivers'][number];

export const waiverIssues = ({ spec }: ParsedSpec): SpecIssue[] =>
  spec.validation.waivers.flatMap((waiver, at) => {
    const path = ['spec', 'validation', 'waivers', at];
    if ((waiver.check === undefined) === (waiver.class === undefined))
      return [{ path, message: 'name either a check or a class' }];
    const problem = checkProblem(waiver);
    if (problem !== null) return [{ path: [...path, 'check'], message: problem }];
    const wrong = classProblem(waiver, spec.validation.closedKeys);
    return wrong === null ? [] : [{ path: [...path, 'class'], message: wrong }];
  });

function checkProblem({ check }: Waiver): string | null {
  if (check === undefined) return null;
  if (!isCheckName(check))
    return `"${check}" is not a check; sluice doctor shows the name of each check`;
  if (isNeverWaived(check))
    return `${check} can never be waived, because rows or the application would be in danger; fix its cause and remove the waiver`;
  return null;
}

function classProblem({ class: waived }: Waiver, closedKeys: string): string | null {
  if (waived === undefined) return null;
  // Every other class means that the stream is wrong or unknown, so it must not be waived.
  if (waived !== 'batch-was-wrong') return 'only the class batch-was-wrong can be waived';
  if (!closedKeys)
    return 'only batch-aligned windows find batch-was-wrong; add validation.closedKeys';
  return null;
}
