// Defines the subjects of a window, which are the tables and results that it compares, and the ways
// (modes) in which they are compared.
import { quoteLiteral } from '../migration/names.js';

export const MODES = ['exact', 'settled', 'batch-aligned'] as const;
export type Mode = (typeof MODES)[number];

export interface Subject {
  /**
   * A table (`public.orders`), `query` (the rows of `connector.query`), the name of a stage,
   * `result` (the output topic), `result@sink` (the sink's table), or `result@batch` (the rows that
   * the last run of the batch stored).
   */
  readonly subject: string;
  readonly mode: Mode;
}

export const STORED_SUBJECT = 'result@batch';

/**
 * Returns the spec's condition for closed keys, whose rows no later batch run will change. `cut` is
 * the time (ISO) up to which the run read its input.
 */
export const closedAt = (closedKeys: string, cut: string): string =>
  closedKeys.replaceAll('$cut', () => `${quoteLiteral(cut)}::timestamptz`);
