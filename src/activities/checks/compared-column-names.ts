// Checks that every column in `validation.compare` exists, because a mistyped name would silently
// have no effect.
import { describeQuery, readTable } from '../../clients/postgres/catalog.js';
import { readSource, type SourceClient } from '../../clients/postgres/connection.js';
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
      readSource(plan, secret, (client) => unknownNames(client, plan, named)),
    ),
  ];
}

async function unknownNames(
  client: SourceClient,
  plan: ResolvedPlan,
  named: readonly string[],
): Promise<Answer> {
  const known = new Set<string>();
  const subjects = await columnsBySubject(client, plan);
  for (const [subject, columns] of subjects)
    for (const column of columns) known.add(column).add(`${subject}.${column}`);
  const unknown = named.filter((name) => !known.has(name));
  if (unknown.length === 0) return `these columns exist: ${named.join(', ')}`;
  return {
    detail: `these columns do not exist: ${unknown.join(', ')}; the columns are ${[...subjects].map(([subject, columns]) => `${subject} (${columns.join(', ')})`).join('; ')}`,
    remedy: 'correct validation.compare: write the name of a column, or subject.column',
  };
}

async function columnsBySubject(
  client: SourceClient,
  plan: ResolvedPlan,
): Promise<Map<string, string[]>> {
  const { tables, capture, batch } = plan;
  const subjects = new Map<string, string[]>();
  const { query } = capture;
  for (const { text } of tables)
    subjects.set(
      text,
      ((await readTable(client, text))?.columns ?? []).map((c) => c.name),
    );
  const queries = [
    ...(query ? [['query', query] as const] : []),
    ...(batch?.stages ?? []).map((s) => [s.name, s.query.sql] as const),
  ];
  for (const [subject, sql] of [
    ...queries,
    ...(batch ? [['result', batch.query.sql] as const] : []),
  ])
    subjects.set(
      subject,
      (await describeQuery(client, sql)).map((c) => c.name),
    );
  return subjects;
}
