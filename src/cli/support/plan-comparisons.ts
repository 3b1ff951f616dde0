// Finds why a result must be compared in the mode `settled`, that is, in rounds. Some settings of a
// spec need this mode, such as polling. A query also needs it if its text cannot be rewritten to
// read the tables as of one moment. `doctor` asks the database for further reasons.
import { loadParser } from '../../assess/sql/analyse.js';
import { textProblem } from '../../assess/sql/not-aligned.js';
import { STORED_SUBJECT } from '../../domain/evidence/subjects.js';
import { resultSubjects, settledBecause } from '../../domain/plan/planned-subjects.js';
import type { MigrationSpec } from '../../domain/migration/spec.js';
import type { Plan } from '../../manifest/build-plan.js';

type Comparison = Plan['comparisons'][number];

/** Returns the comparisons of the plan, with a reason for each result that must be `settled`. */
export async function comparisonsOf(
  spec: MigrationSpec,
  comparisons: readonly Comparison[],
): Promise<Comparison[]> {
  const why = await reasonOf(spec);
  const results = resultSubjects(spec).map(({ subject }) => subject);
  return comparisons.map((comparison) =>
    why !== null && results.includes(comparison.subject) && comparison.subject !== STORED_SUBJECT
      ? { ...comparison, mode: 'settled', because: why }
      : comparison,
  );
}

async function reasonOf(migration: MigrationSpec): Promise<string | null> {
  const { batch, validation } = migration.spec;
  if (!batch || validation.results === 'settled') return null;
  const polled = settledBecause(migration);
  if (polled !== null) return polled;
  await loadParser();
  for (const { name, query } of [...batch.stages, { name: 'result', query: batch.query }]) {
    const problem = textProblem(query.sql);
    if (problem !== null) return `the query of ${name}: ${problem}`;
  }
  return null;
}
