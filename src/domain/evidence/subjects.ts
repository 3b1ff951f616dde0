// Lists the subjects of a window in the pipeline's order. The first one that differs is the place
// to look.
import { quoteLiteral } from '../migration/names.js';
import type { MigrationSpec } from '../migration/spec.js';

export const MODES = ['exact', 'settled', 'batch-aligned'] as const;
export type Mode = (typeof MODES)[number];

export interface Subject {
  /**
   * A table (`public.orders`), the name of a stage, `result` (the topic), `result@sink`, or
   * `result@batch` (what the last run stored).
   */
  readonly subject: string;
  readonly mode: Mode;
}

export const ALIGNED_SUBJECT = 'result@batch';

/**
 * Returns why the results of this spec are settled although it asks for exact ones. Null if the
 * spec gives no such reason. The query may still give one: see `alignedQuery`.
 */
export function settledBecause({ spec }: Pick<MigrationSpec, 'spec'>): string | null {
  if (spec.validation.results === 'settled' || spec.connector.type === 'debezium-postgres')
    return null;
  return 'the records of polled tables name no transaction';
}

/** Returns how results, stages and the sink are compared if their queries can be aligned. */
export const resultMode = ({ spec }: Pick<MigrationSpec, 'spec'>): 'exact' | 'settled' =>
  settledBecause({ spec }) === null ? spec.validation.results : 'settled';

/**
 * Returns the subjects that a batch query defines: stages, result, sink, and the stored result when
 * the spec declares closed keys.
 */
export function resultSubjects({ spec }: Pick<MigrationSpec, 'spec'>): Subject[] {
  const { batch, pipeline, sink, validation } = spec;
  if (!batch || !pipeline) return [];
  const mode = resultMode({ spec });
  const compared = [
    ...batch.stages.map((stage) => stage.name),
    'result',
    ...(sink ? ['result@sink'] : []),
  ];
  return [
    ...compared.map((subject) => ({ subject, mode })),
    ...(validation.closedKeys
      ? [{ subject: ALIGNED_SUBJECT, mode: 'batch-aligned' as const }]
      : []),
  ];
}

/** Returns the spec's condition for a run whose cut was `cut` (ISO). */
export const closedAt = (closedKeys: string, cut: string): string =>
  closedKeys.replaceAll('$cut', () => `${quoteLiteral(cut)}::timestamptz`);
