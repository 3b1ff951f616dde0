// Finds settings that cannot be combined with a separate target database.
import type { SpecIssue } from './document.js';
import { addressIssues, withoutKey } from './login-rules.js';
import type { ParsedSpec } from './spec-schema.js';

export function targetIssues({ spec }: ParsedSpec): SpecIssue[] {
  const { source, target, batch, cutover } = spec;
  if (!target) return [];
  const issues: SpecIssue[] = [];
  const add = (message: string, ...path: string[]): void =>
    void issues.push({ path: ['spec', ...path], message });
  if (!batch)
    add('the target holds the result of a batch; add spec.batch, or omit target', 'target');
  if (isSame(source.postgres, target.postgres))
    add('this is the database of the source; omit target', 'target', 'postgres', 'database');
  if (cutover.fence === 'source')
    add(
      'the triggers of this fence would read the lease row, which is in the target database; use fence: result, or keep the result in the source and omit target',
      'cutover',
      'fence',
    );
  if (cutover.route.type === 'postgres-table')
    add(
      'a shared table is switched only in the source database; use route.type: postgres-view, or omit target',
      'cutover',
      'route',
      'type',
    );
  const { passwordFrom } = target.postgres;
  if (passwordFrom && spec.sink) issues.push(...withoutKey(passwordFrom, 'target', 'postgres'));
  return [...issues, ...addressIssues(target.postgres, 'target')];
}

const isSame = (
  one: { readonly host: string; readonly port: number; readonly database: string },
  other: typeof one,
): boolean => one.host === other.host && one.port === other.port && one.database === other.database;
