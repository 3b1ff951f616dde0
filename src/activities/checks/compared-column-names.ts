// Checks that every column in `validation.compare` exists and is not a column of a key, and that
// tolerances are only for numbers. Otherwise, such an entry would silently have no effect.
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
  const { compare } = plan.spec.validation;
  if (compare.ignore.length + Object.keys(compare.tolerances).length === 0) return [];
  return [
    await attempt('validation.compare', () =>
      readDatabases(plan, secret, async (databases) =>
        judgeNames(await columnsBySubject(databases, plan), compare),
      ),
    ),
  ];
}

type Compare = ResolvedPlan['spec']['validation']['compare'];

/** The columns of one subject, and those in its key. */
export interface NamedSubject {
  readonly columns: readonly NamedColumn[];
  readonly key: readonly string[];
}

/** Judges the names in `validation.compare` by the columns of each subject. */
export function judgeNames(
  described: ReadonlyMap<string, NamedSubject>,
  { ignore, tolerances }: Compare,
): Answer {
  const tolerant = Object.keys(tolerances);
  const named = [...new Set([...ignore, ...tolerant])];
  const known = new Set<string>();
  const inNoKey = new Set<string>();
  const numbers = new Set<string>();
  for (const [subject, { columns, key }] of described)
    for (const { name, type } of columns)
      for (const text of [name, `${subject}.${name}`]) {
        known.add(text);
        if (!key.includes(name)) inNoKey.add(text);
        if (!key.includes(name) && hasDistance(type)) numbers.add(text);
      }
  const unknown = named.filter((name) => !known.has(name));
  if (unknown.length > 0) {
    const subjects = [...described].map(
      ([subject, { columns }]) => `${subject} (${columns.map((c) => c.name).join(', ')})`,
    );
    return {
      detail: `these columns do not exist: ${unknown.join(', ')}; the columns are ${subjects.join('; ')}`,
      remedy: 'correct validation.compare: write the name of a column, or subject.column',
    };
  }
  const keys = named.filter((name) => !inNoKey.has(name));
  if (keys.length > 0)
    return {
      detail: `validation.compare has no effect on these columns, because they belong to a key, and a key is always compared exactly: ${keys.join(', ')}`,
      remedy: 'remove them from validation.compare',
    };
  const texts = tolerant.filter((name) => !numbers.has(name));
  if (texts.length > 0)
    return {
      detail: `a tolerance has no effect on these columns, because they are not numbers: ${texts.join(', ')}`,
      remedy: 'remove them from validation.compare.tolerances',
    };
  return `these columns exist: ${named.join(', ')}`;
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
): Promise<Map<string, NamedSubject>> {
  const { tables, capture, batch, spec } = plan;
  const subjects = new Map<string, NamedSubject>();
  const read = async (subject: string, sql: string, key: readonly string[]): Promise<void> =>
    void subjects.set(subject, { columns: await describeQuery(client, sql), key });
  for (const { text } of tables)
    subjects.set(text, (await readTable(client, text)) ?? { columns: [], key: [] });
  const { incrementingColumn } = spec.connector;
  if (capture.query)
    await read('query', capture.query, incrementingColumn ? [incrementingColumn] : []);
  for (const { name, query, key } of batch?.stages ?? []) await read(name, query.sql, key);
  if (!batch) return subjects;
  const computed = await describeQuery(client, batch.query.sql);
  const stored = (await readTable(target, batch.result.table))?.columns ?? [];
  const more = stored.filter(({ name }) => !computed.some((column) => column.name === name));
  return subjects.set('result', { columns: [...computed, ...more], key: batch.result.key });
}
