// Describes the end of the command that `sluice prove` started for the pipeline.
import { quoteForeign, withoutValues } from '../../domain/values/foreign-text.js';

/**
 * Returns the exit code or signal of the command, and the last line of its stderr (`said`). This
 * text is sent to the workflow of the proof, and Temporal stores it. So values of rows are removed.
 */
export function describeEnd(end: number | string | null, said: string): string {
  const why = withoutValues(quoteForeign(said.trim().split('\n').at(-1) ?? '', 1000));
  return `the command exited ${end}${why ? `: ${why}` : ''}`;
}
