// Compares the pipeline's output with the result of the batch's query, for every key of the slice.
// Also checks that the comparison finds deliberately corrupted rows (the canaries), and with
// `--runs`, compares the output with the results of earlier batch runs.
import { describeQuery } from '../../clients/postgres/catalog.js';
import { readTopic } from '../../clients/kafka/records.js';
import { readLone } from '../../clients/postgres/single-statement.js';
import type { SourceClient } from '../../clients/postgres/connection.js';
import { readDatabases } from '../../clients/postgres/target-connection.js';
import { runCanary } from '../../compare/canary.js';
import { Comparison, type Shape } from '../../compare/row-comparison.js';
import { OutputFold } from '../../compare/output-fold.js';
import { refusedDifferences } from '../../compare/refused.js';
import { quoteIdent } from '../../domain/migration/names.js';
import {
  expectedTopic,
  type Replayed,
  type RehearsedRun,
} from '../../domain/evidence/slice-proof.js';
import { worst, type Verdict, judgeComparison } from '../../domain/evidence/verdict.js';
import type { Counts } from '../../domain/evidence/counts.js';
import type { Difference } from '../../domain/evidence/window.js';
import type { Deps } from '../runtime/deps.js';
import type { Planned } from '../runtime/with-plan.js';
import { foldOutput } from '../windows/folds/fold-output.js';
import { columnsToCompare } from '../windows/columns-to-compare.js';
import { keyFields } from '../windows/results/stored-result.js';
import { rehearseRuns } from './earlier-runs.js';
import type { ProofPlan } from './slice-plan.js';

export interface Compared {
  readonly verdict: Verdict;
  readonly counts: Counts;
  readonly differences: readonly Difference[];
  readonly rehearsed: readonly RehearsedRun[];
}

const KEYS_ASKED_AT_ONCE = 10_000;

export async function compareSlice(
  { systems, secret }: Deps,
  { ref, plan, subject, runs }: ProofPlan & Planned,
  replayed: Replayed,
): Promise<Compared> {
  const kafka = systems.kafka(plan);
  return readDatabases(plan, secret, async ({ source: client, target }) => {
    const shape: Shape = {
      key: subject.key,
      columns: columnsToCompare(
        plan,
        await describeQuery(client, subject.query),
        subject.key,
        subject.name,
      ),
    };
    const expected = await readExpected(kafka, expectedTopic(ref.name));
    const fold = new OutputFold(shape);
    // A proof whose output is not in JSON is refused (manifest/format-rules.ts).
    const reading = {
      kafka,
      topic: subject.topic,
      format: 'json',
      heartbeat: () => undefined,
    } as const;
    await foldOutput(reading, fold);
    for (const key of await outside(
      client,
      shape,
      subject.within,
      [...fold.rows.keys()].filter((k) => !expected.has(k)),
    ))
      fold.rows.delete(key);
    const { counts, differences, canary, verdict } = judge(shape, fold, expected, replayed);
    if (runs === 0) return { verdict, counts, differences, rehearsed: [] };
    const history = await rehearseRuns(target, {
      plan,
      count: runs,
      within: subject.within,
      shape,
      stream: fold.rows,
      queried: expected,
      canary,
    });
    if (!history.ok) {
      const both = worst([verdict, { verdict: 'inconclusive', reason: history.reason }]);
      return { verdict: both, counts, differences, rehearsed: [] };
    }
    const { runs: rehearsed, differences: more } = history.value;
    return {
      verdict: withRuns(verdict, rehearsed),
      counts,
      differences: [...differences, ...more],
      rehearsed,
    };
  });
}

/** Compares every key of the slice, and runs the canary. */
function judge(
  shape: Shape,
  fold: OutputFold,
  expected: ReadonlyMap<string, string | null>,
  replayed: Replayed,
) {
  const comparison = new Comparison(shape, fold.rows, 1);
  for (const [key, row] of expected) comparison.add(key, row);
  const compared = comparison.finish();
  const counts = { ...compared.counts, unknown: compared.counts.unknown + fold.unreadable };
  const sample = [...expected]
    .filter((entry): entry is [string, string] => entry[1] !== null)
    .slice(0, 8);
  const canary = runCanary(shape, sample);
  const isEmpty = expected.size === 0 && fold.rows.size === 0;
  const verdict = judgeComparison(counts, {
    barrier: isEmpty ? 'compared 0 keys, because both sides are empty' : null,
    countedRows: replayed.expected,
    readRows: expected.size,
    canaryPlanted: canary.planted,
    canaryFound: canary.found,
  });
  const differences = [...compared.differences, ...refusedDifferences(shape, fold.refused)];
  return { counts, differences, canary, verdict };
}

/** Combines the verdicts of the slice and of the earlier runs. The worst verdict decides. */
function withRuns(slice: Verdict, runs: readonly RehearsedRun[]): Verdict {
  const ofRuns = runs.map(({ run, verdict, reason }) => ({
    verdict,
    reason: `run ${run}: ${reason}`,
  }));
  const overall = worst([slice, ...ofRuns]);
  if (overall.verdict !== 'passed') return overall;
  return { ...overall, reason: `${slice.reason}; ${runs.length} earlier runs compared` };
}

async function readExpected(
  kafka: ReturnType<Deps['systems']['kafka']>,
  topic: string,
): Promise<Map<string, string | null>> {
  const expected = new Map<string, string | null>();
  await readTopic(kafka, topic, ({ key, value }) => {
    expected.set(key!.toString(), value?.toString() ?? null);
  });
  return expected;
}

/**
 * Returns the keys that the pipeline computed but that are not in the slice. Postgres selects them,
 * because the slice is an SQL condition.
 */
async function outside(
  client: SourceClient,
  shape: Shape,
  within: string,
  keys: readonly string[],
): Promise<string[]> {
  if (within === '') return [];
  const typeOf = (name: string): string =>
    shape.columns.find((c) => c.name === name)!.type.replace(/^enum/, 'text');
  const columns = shape.key.map((name) => `${quoteIdent(name)} ${typeOf(name)}`).join(', ');
  const names = [...shape.key.map(quoteIdent), 'sluice_at'].join(', ');
  const found: string[] = [];
  for (let at = 0; at < keys.length; at += KEYS_ASKED_AT_ONCE) {
    const part = keys.slice(at, at + KEYS_ASKED_AT_ONCE);
    const records = part.map((key) => keyFields(shape, key));
    const rows = await readLone(
      client,
      `SELECT sluice_at FROM ROWS FROM (json_to_recordset($1::json) AS (${columns})) WITH ORDINALITY AS k(${names}) WHERE (${within}\n) IS NOT TRUE`,
      [JSON.stringify(records)],
    );
    for (const row of rows) found.push(part[Number(row['sluice_at']) - 1]!);
  }
  return found;
}
