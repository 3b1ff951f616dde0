// Defines the subjects of a window, and the ways (modes) in which they are compared.
import { quoteLiteral } from '../migration/names.js';

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

export const STORED_SUBJECT = 'result@batch';

/** Returns the spec's condition for closed keys, for a batch run whose cut was `cut` (ISO). */
export const closedAt = (closedKeys: string, cut: string): string =>
  closedKeys.replaceAll('$cut', () => `${quoteLiteral(cut)}::timestamptz`);
