// What a settled window compares: each query of the batch (its result, and its stages in the pipeline's order) with the topic that should hold the same.
import { describeQuery } from '../../clients/catalog.js';
import type { SourceClient } from '../../clients/source.js';
import type { Shape } from '../../compare/comparison.js';
import type { OutputFold } from '../../compare/output-fold.js';
import { SettledComparison } from '../../compare/settled.js';
import type { MigrationRef } from '../../domain/ledger.js';
import type { FoldCache } from './folds.js';
import { columnsToCompare } from './shape.js';

export interface Computation {
  /** A stage's name, or `result`. */
  readonly subject: string;
  readonly sql: string;
  readonly shape: Shape;
  readonly topic: string;
  readonly fold: OutputFold;
  readonly topicSide: SettledComparison;
  /** The sink's table; only the result has one. */
  readonly sink: { readonly table: string; readonly side: SettledComparison } | null;
}

export async function computationsOf(client: SourceClient, folds: FoldCache, ref: MigrationRef): Promise<Computation[]> {
  const { batch, pipeline, sink } = ref.spec.spec;
  const result = { name: 'result', query: batch!.query, key: batch!.result.key, topic: pipeline!.output.topic };
  const computations: Computation[] = [];
  for (const { name, query, key, topic } of [...batch!.stages, result]) {
    const shape: Shape = { key, columns: columnsToCompare(ref.spec, await describeQuery(client, query.sql), key, name === 'result' ? null : name) };
    computations.push({
      subject: name,
      sql: query.sql,
      shape,
      topic,
      fold: folds.output(ref, topic, shape),
      topicSide: new SettledComparison(shape),
      sink: name === 'result' && sink ? { table: sink.table, side: new SettledComparison(shape) } : null,
    });
  }
  return computations;
}
