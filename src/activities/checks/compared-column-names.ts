// Checks that every column in `validation.compare` exists, and that tolerances are only for
// numbers. Otherwise, a mistyped name or a tolerance for a text would silently have no effect.
import { describeQuery, readTable, type Column } from '../../clients/postgres/catalog.js';
import { readDatabases, type Databases } from '../../clients/postgres/target-connection.js';
import { hasDistance } from '../../compare/tolerance.js';
import type { Check } from '../../domain/evidence/check.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { Deps } from '../runtime/deps.js';
import { attempt, type Answer } from '../runtime/make-finding.js';

export async function checkCompareNames(
  { secret }: Pick<Deps, 'secret'>,
  plan: ResolvedPlan,
): Promise<Check[]> {
  const { ignore, tolerances } = plan.spec.validation.compare;
  const named = [...new Set([...ignore, ...Object.keys(tolerances)])];
  if (named.length === 0) return [];
  return [
    await attempt('validation.compare', () =>
      readDatabases(plan, secret, (databases) =>
        unknownNames(databases, plan, named, Object.keys(tolerances)),
      ),
    ),
  ];
}

async function unknownNames(
  databases: Databases,
  plan: ResolvedPlan,
  named: readonly string[],
  tolerant: readonly string[],
): Promise<Answer> {
  const known = new Set<string>();
  const numbers = new Set<string>();
  const described = await columnsBySubject(databases, plan);
  for (const [subject, columns] of described)
    for (const { name, type } of columns)
      for (const text of [name, `${subject}.${name}`]) {
        known.add(text);
        if (hasDistance(type)) numbers.add(text);
      }
  const unknown = named.filter((name) => !known.has(name));
  const texts = tolerant.filter((name) => known.has(name) && !numbers.has(name));
  if (unknown.length + texts.length === 0) return `these columns exist: ${named.join(', ')}`;
  if (unknown.length === 0)
    return {
      detail: `a tolerance has no effect on these columns, because they are not numbers: ${texts.join(', ')}`,
      remedy: 'remove them from validation.compare.tolerances',
    };
  const subjects = [...described].map(
    ([subject, columns]) => [subject, columns.map((c) => c.name)] as const,
  );
  return {
    detail: `these columns do not exist: ${unknown.join(', ')}; the columns are ${subjects.map(([subject, columns]) => `${subject} (${columns.join(', ')})`).join('; ')}`,
    remedy: 'correct validation.compare: write the name of a column, or subject.column',
  };
}

type NamedColumn = Pick<Column, 'name' | 'type'>;

/**
 * Returns the columns of each subject. For `result`, also returns the columns that the batch's
 * table has but `batch.query` does not return. The spec may ignore such a column explicitly, if
 * consumers read it although no window compares it.
 */
async function columnsBySubject(
  { source: client, target }: Databases,
  plan: ResolvedPlan,
): Promise<Map<string, readonly NamedColumn[]>> {
  const { tables, capture, batch } = plan;
  const subjects = new Map<string, readonly NamedColumn[]>();
  const { query } = capture;
  for (const { text } of tables) subjects.set(text, (await readTable(client, text))?.columns ?? []);
  const queries = [
    ...(query ? [['query', query] as const] : []),
    ...(batch?.stages ?? []).map((s) => [s.name, s.query.sql] as const),
  ];
  for (const [subject, sql] of queries) subjects.set(subject, await describeQuery(client, sql));
  if (!batch) return subjects;
  const computed = await describeQuery(client, batch.query.sql);
  const stored = (await readTable(target, batch.result.table))?.columns ?? [];
  const more = stored.filter(({ name }) => !computed.some((column) => column.name === name));
  return subjects.set('result', [...computed, ...more]);
}
