// Says what a migration did not compare. The HTML page and the Markdown of a report say the same.
import type { Report } from './build-report.js';

/** Defines how one format of a report escapes text from outside, such as a reason in the spec. */
export interface Writing {
  readonly text: (text: string) => string;
  /** Writes a name, such as that of a column. */
  readonly name: (name: string) => string;
}

/** Returns the sentences. `text` and `name` escape the words that come from outside. */
export function notCompared(
  { windows, status, leftOut }: Pick<Report, 'windows' | 'status' | 'leftOut'>,
  { text, name }: Writing,
): string[] {
  const { ignored, tolerances, weakened, waivers } = leftOut;
  const names = (list: readonly string[]): string => list.map(name).join(', ');
  const unproven = windows.filter(
    ({ verdict }) => verdict === 'inconclusive' || verdict === 'errored',
  );
  return [
    ...(unproven.length > 0
      ? [
          `${unproven.length} comparisons were inconclusive or errored (counted per subject). The table of windows gives the reasons.`,
        ]
      : []),
    ignored.length === 0
      ? 'The plan compares every column.'
      : `Columns that the plan leaves out: ${names(ignored)}.`,
    ...(tolerances.length === 0 ? [] : [`Tolerated: ${names(tolerances)}.`]),
    ...weakened.map((note) => `Note: ${text(note)}.`),
    ...waivers.map(
      (w) => `Waived until ${text(w.until)}: ${name(w.what)}, because: ${text(w.reason)}.`,
    ),
    'If a window read fewer rows than it matched, an earlier window proved the rows that it did not read, and neither side changed them since.',
    'Keys that changed, or got a new record, in every round of a window count as unstable. Values that cannot be decoded count as unknown. Neither counts as equal.',
    ...(status.outcome === 'migrated'
      ? ['This migration does not watch anything that happens after the hand-over.']
      : []),
  ];
}
