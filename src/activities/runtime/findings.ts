// Small constructors of findings.
import type { Check } from '../../domain/evidence/check.js';
import { classify } from './application-failure.js';

export const passed = (name: string, subject: string, detail: string): Check => ({
  name,
  subject,
  status: 'passed',
  detail,
  remedy: '',
});
export const failed = (name: string, subject: string, detail: string, remedy: string): Check => ({
  name,
  subject,
  status: 'failed',
  detail,
  remedy,
});
export const unknown = (name: string, subject: string, detail: string, remedy: string): Check => ({
  name,
  subject,
  status: 'unknown',
  detail,
  remedy,
});

/**
 * The result of a check. A string is a pass. `unknown` means that something invisible could make it
 * fail.
 */
export type Answer =
  string | { readonly detail: string; readonly remedy: string; readonly unknown?: boolean };

/** Runs a check: a string is a pass, an object a failure or *unknown*, an exception *unknown*. */
export async function attempt(
  name: string,
  ask: () => Promise<Answer>,
  subject = '',
  remedyWhenUnknown = 'make it answerable: missing privilege, network or version',
): Promise<Check> {
  try {
    const answer = await ask();
    if (typeof answer === 'string') return passed(name, subject, answer);
    return (answer.unknown ? unknown : failed)(name, subject, answer.detail, answer.remedy);
  } catch (error) {
    return unknown(
      name,
      subject,
      `could not be checked: ${classify(error).message}`,
      remedyWhenUnknown,
    );
  }
}

/** One connection answers one question at a time. */
export async function inTurn(questions: readonly (() => Promise<Check>)[]): Promise<Check[]> {
  const checks: Check[] = [];
  for (const question of questions) checks.push(await question());
  return checks;
}
