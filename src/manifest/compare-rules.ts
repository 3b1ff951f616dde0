// Finds entries of `validation.compare` that name a column of a key, because a key is always compared
// exactly. The key of a table, and a name without a subject, are known only to `doctor`.
import type { SpecIssue } from './document.js';
import type { ParsedSpec } from './spec-schema.js';

export function compareIssues({ spec }: ParsedSpec): SpecIssue[] {
  const { batch, validation } = spec;
  if (!batch) return [];
  const { ignore, tolerances } = validation.compare;
  const subjects = [...batch.stages, { name: 'result', key: batch.result.key }];
  const inKey = new Set(
    subjects.flatMap(({ name, key }) => key.map((column) => `${name}.${column}`)),
  );
  const issue = (text: string, at: readonly (string | number)[], what: string): SpecIssue[] =>
    inKey.has(text)
      ? [
          {
            path: ['spec', 'validation', 'compare', ...at],
            message: `${text} belongs to the key, which is always compared exactly; remove ${what}`,
          },
        ]
      : [];
  return [
    ...ignore.flatMap((text, at) => issue(text, ['ignore', at], 'it')),
    ...Object.keys(tolerances).flatMap((text) =>
      issue(text, ['tolerances', text], 'this tolerance'),
    ),
  ];
}
