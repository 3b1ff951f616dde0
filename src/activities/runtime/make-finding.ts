// Provides functions that make findings, the results of checks.
import type { Check, CheckName } from '../../domain/evidence/check.js';
import { isTextRefused } from '../../domain/values/sqlstate.js';
import { classify } from './application-failure.js';

export const passed = (name: CheckName, subject: string, detail: string): Check => ({
  name,
  subject,
  status: 'passed',
  detail,
  remedy: '',
});
const open =
  (status: 'failed' | 'unknown') =>
  (name: CheckName, subject: string, detail: string, remedy: string): Check => ({
    name,
    subject,
    status,
    detail,
    remedy,
  });
export const failed = open('failed');
export const unknown = open('unknown');

/**
 * The result of a check. A string means that the check passed, and an object that it failed. If
 * `unknown` is true, the check could not see everything that it needs.
 */
export type Answer =
  | string
  | { readonly detail: string; readonly remedy: string; readonly unknown?: boolean };

/** Runs a check and returns its finding. If the check throws, the finding is `unknown`. */
export async function attempt(
  name: CheckName,
  ask: () => Promise<Answer>,
  subject = '',
  remedyWhenUnknown = 'remove what prevents this check: a missing privilege, the network, or the version',
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
      isTextRefused(error) ? CORRECT_SQL : remedyWhenUnknown,
    );
  }
}

const CORRECT_SQL =
  'correct the SQL of the spec that Postgres refuses (batch.query or another query); if it is right, this version of Postgres is not supported';

/** Runs checks one after the other, because they share a connection. */
export async function inTurn(questions: readonly (() => Promise<Check>)[]): Promise<Check[]> {
  const checks: Check[] = [];
  for (const question of questions) checks.push(await question());
  return checks;
}
