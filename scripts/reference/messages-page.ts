// Makes the page of messages: preflight checks, verdicts, classes of differences, audit events. The
// code that judges windows also computes the reasons in the table of verdicts, from small examples.
import { judgeComparison, type Proofs } from '../../src/domain/evidence/verdict.js';
import { applyWaivers, type CheckName } from '../../src/domain/evidence/check.js';
import { NO_COUNTS, type Counts } from '../../src/domain/evidence/counts.js';
import { AUDIT_MEANINGS, CHECK_MEANINGS, DIFFERENCE_MEANINGS } from './message-meanings.js';
import { code, page, sentence, table } from './markdown.js';

const INTRODUCTION = `Each message says what was found, with numbers, and what to do. This page lists the checks,
verdicts, differences and events that messages name. The codes of a blocked run are in [failure codes](failure-codes.md).
The exit codes are in [the command line](cli.md).`;

const CHECKS = `## Preflight checks

\`sluice doctor\` and the phase \`prepare\` ask these questions, read-only. A check is \`passed\`, \`failed\`, \`waived\` or
\`unknown\`. A check is unknown if Sluice could not carry it out, and it then blocks like a failed one. A finding names its
subject (a table, a topic, a connector), a detail and a remedy.

A spec can waive a check in \`validation.waivers\`, with a reason and an end. Checks that protect rows or the application
cannot be waived. Checks of one mode run only if the spec uses that mode.`;

const VERDICTS = `## Reasons of a verdict

Each subject of a window has one verdict. The verdict of the window is the worst one, in the order \`passed\`,
\`inconclusive\`, \`errored\`, \`failed\`. These are the reasons, with example numbers:`;

const REASONS_BELOW = `Three more reasons come from the window as a whole:

- If every subject is empty, the window is \`inconclusive\`, because two empty sides prove nothing.
- A *fact* is a setting or a state on which evidence depends, such as the configuration of a connector. If a fact changed
  while the window compared, a pass becomes \`inconclusive: changed during the window\`. A failure becomes inconclusive only
  if a table got new files. TRUNCATE and some forms of ALTER TABLE do that, and the snapshot of the window then sees an
  empty table.
- If a system did not answer, the window is \`errored\`, with that system's message.`;

const DIFFERENCES = `## Classes of differences

\`sluice diff\` lists differences with both sides. Their classes:`;

const AUDIT = `## Audit events

\`sluice audit\` and the report list what happened and who decided it. Each event has a time, a kind and a detail:`;

const PROOFS: Proofs = {
  barrier: null,
  countedRows: 1000,
  readRows: 1000,
  canaryPlanted: 8,
  canaryFound: 8,
};

const EXAMPLES: readonly [meaning: string, counts: Partial<Counts>, proofs: Partial<Proofs>][] = [
  ['Every key was compared and is equal.', { matched: 1000 }, {}],
  ['Rows differ.', { matched: 990, mismatched: 7, missing: 3 }, {}],
  [
    'The comparison ended early, because most rows differ.',
    { mismatched: 100 },
    { isStopped: true, readRows: 100 },
  ],
  ['Some keys were proven neither equal nor different.', { matched: 990, unknown: 10 }, {}],
  [
    'Some keys changed, or got a new record, in every round. Use a quieter time, or wait: the next window tries again. With mode `bulk`, each poll writes every key again, so these keys may really differ: see `sluice diff`.',
    { matched: 990, unstable: 10 },
    {},
  ],
  [
    'There is no proof (no *barrier*) that all changes up to a position have arrived. The reason says where they stopped.',
    {},
    {
      barrier:
        'barrier: the connector acknowledged 0/16B3748, but 0/16B4000 is needed, at the time limit',
    },
  ],
  [
    'The rows that were read are not all rows of the snapshot. Report this as a bug.',
    { matched: 999 },
    { readRows: 999 },
  ],
  [
    'The comparator did not find a deliberate corruption. Report this as a bug.',
    { matched: 1000 },
    { canaryFound: 7 },
  ],
];

export function messagesPage(): string {
  return page(
    'Messages',
    INTRODUCTION,
    CHECKS,
    table(
      ['check', 'question', 'waivable'],
      (Object.keys(CHECK_MEANINGS) as CheckName[]).map((name) => [
        code(name),
        CHECK_MEANINGS[name],
        isWaivable(name) ? 'yes' : 'no',
      ]),
    ),
    VERDICTS,
    table(['verdict', 'reason', 'meaning'], EXAMPLES.map(exampleRow)),
    REASONS_BELOW,
    DIFFERENCES,
    meanings('class', DIFFERENCE_MEANINGS),
    AUDIT,
    meanings('kind', AUDIT_MEANINGS),
  );
}

const meanings = (head: string, of: Readonly<Record<string, string>>): string =>
  table(
    [head, 'meaning'],
    Object.entries(of).map(([name, meaning]) => [code(name), sentence(meaning)]),
  );

function exampleRow([meaning, counts, proofs]: (typeof EXAMPLES)[number]): string[] {
  const { verdict, reason } = judgeComparison(
    { ...NO_COUNTS, ...counts },
    { ...PROOFS, ...proofs },
  );
  return [code(verdict), code(reason), meaning];
}

/** Returns whether a waiver can cover the check. The code that applies waivers gives the answer. */
function isWaivable(name: CheckName): boolean {
  const now = '2026-01-01T00:00:00Z';
  const failed = { name, subject: '', status: 'failed', detail: '', remedy: '' } as const;
  const [check] = applyWaivers(
    [failed],
    [{ check: name, reason: 'an example', until: '2027-01-01T00:00:00Z' }],
    now,
  );
  return check?.status === 'waived';
}
