// Renders a report as Markdown. Every text from outside is escaped, because names of tables are
// user input.
import { formatBytes, formatMs } from '../domain/values/duration.js';
import type { Report } from './build-report.js';
import { codeSpan, escapeMarkdown as escape } from './escape.js';
import { notCompared } from './not-compared.js';
import {
  BLOCKED_TIME_COLUMNS,
  blockedAfterCommit,
  soakSentence,
  blockedTimeRow,
} from './blocked-times.js';

export function renderMarkdown(report: Report): string {
  return [
    ...headline(report),
    ...phasesAndSteps(report),
    ...standing(report),
    ...decisions(report),
    ...windows(report),
    ...leftOut(report),
    ...objects(report),
    ...differing(report),
    ...freshness(report),
    ...audit(report),
  ].join('\n');
}

function headline(report: Report): string[] {
  const { status } = report;
  const held = blockedAfterCommit(report.blockedTimes);
  return [
    `# ${escape(report.name)}: ${status.outcome ?? `in phase ${status.phase}`}`,
    '',
    `Iteration ${status.iteration}, generation ${status.generation}, plan ${codeSpan(report.planHash)}, started ${report.startedAt}.`,
    ...(status.blocked
      ? [
          '',
          `**Blocked (${status.blocked.code})**: ${escape(status.blocked.detail)}. ${escape(status.blocked.remedy)}`,
        ]
      : []),
    ...(status.route && report.hasBatch
      ? [
          '',
          `Consumers read the **${status.route.side}** side (observed ${status.route.observedAt}).`,
        ]
      : []),
    ...(held ? ['', `**${held}**`] : []),
  ];
}

function phasesAndSteps(report: Report): string[] {
  return [
    '',
    '## Phases',
    '',
    '| phase | entered | took |',
    '|---|---|---|',
    ...report.phases.map(
      (p) => `| ${p.phase} | ${p.at} | ${p.ms === null ? 'still running' : formatMs(p.ms)} |`,
    ),
    '',
    '## The cut-over, step by step',
    '',
    '| step | does | undo | begun |',
    '|---|---|---|---|',
    ...report.cutover.map(
      (s) => `| ${s.name} | ${escape(s.does)} | ${escape(s.undo ?? '-')} | ${s.at ?? 'not yet'} |`,
    ),
  ];
}

function decisions({ status }: Report): string[] {
  return [
    '',
    '## Decisions',
    '',
    '| who | decision | evidence | accepted | authenticated | their reason | the gate said | at |',
    '|---|---|---|---|---|---|---|---|',
    ...status.approvals.map(
      (a) =>
        `| ${escape(a.approver)} | ${a.decision} | ${escape(a.evidenceId ?? '-')} | ${a.accepted} | ${a.authenticated ? 'yes' : '**no**'} | ${escape(a.comment ?? '-')} | ${escape(a.reason)} | ${a.at} |`,
    ),
  ];
}

function windows(report: Report): string[] {
  return [
    '',
    '## Windows',
    '',
    `passed ${report.verdicts.passed}, failed ${report.verdicts.failed}, inconclusive ${report.verdicts.inconclusive}, errored ${report.verdicts.errored} (rows per subject).`,
    '',
    '| # | subject | verdict | mode | compared | rows read | missing | extraneous | mismatched | unstable | unknown | reason |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|',
    ...report.windows.map(
      (w) =>
        `| ${w.number} | ${escape(w.subject)} | ${w.verdict} | ${w.mode} | ${[w.compared, w.rowsRead, w.missing, w.extraneous, w.mismatched, w.unstable, w.unknown].map((n) => n ?? '-').join(' | ')} | ${escape(w.reason)} |`,
    ),
  ];
}

const leftOut = (report: Report): string[] => [
  '',
  '## What was not compared',
  '',
  ...notCompared(report, { text: escape, name: codeSpan }).map((item) => `- ${item}`),
];

function objects({ status }: Report): string[] {
  return [
    ...(status.handedOver.length > 0
      ? [
          '',
          '## Handed over, running',
          '',
          ...status.handedOver.map((o) => `- ${o.kind} ${codeSpan(o.name)}`),
          '',
          'The replication slot is yours now: watch `pg_replication_slots.wal_status` and its retained WAL, and drop the slot as soon as you have stopped the connector permanently.',
        ]
      : []),
    ...(status.leftovers.length > 0
      ? ['', '## Left over', '', ...status.leftovers.map((o) => `- ${o.kind} ${codeSpan(o.name)}`)]
      : []),
  ];
}

function audit(report: Report): string[] {
  return [
    '',
    '## Audit',
    '',
    '| at | what | detail |',
    '|---|---|---|',
    ...report.events.map((e) => `| ${e.at} | ${e.kind} | ${escape(e.detail)} |`),
  ];
}

function standing({ soak, blockedTimes }: Report): string[] {
  return [
    ...(soak ? ['', '## Soak', '', escape(soakSentence(soak))] : []),
    ...(blockedTimes.length > 0
      ? [
          '',
          '## Times when it was blocked',
          '',
          `| ${BLOCKED_TIME_COLUMNS.join(' | ')} |`,
          `|${BLOCKED_TIME_COLUMNS.map(() => '---').join('|')}|`,
          ...blockedTimes.map((s) => `| ${blockedTimeRow(s).map(escape).join(' | ')} |`),
        ]
      : []),
  ];
}

function differing({ differing: columns }: Report): string[] {
  if (columns.length === 0) return [];
  const rows = columns.map(
    (d) =>
      `| ${escape(d.subject)} | ${d.class} | ${escape(d.column ?? '(whole row)')} | ${d.kept} | ${d.last} |`,
  );
  return [
    '',
    '## What differed',
    '',
    '| subject | class | column | differences kept | last seen in window |',
    '|---|---|---|---|---|',
    ...rows,
  ];
}

function freshness({ freshness: { stream, batch, cost }, hold }: Report): string[] {
  return [
    '',
    '## Freshness and cost',
    '',
    stream
      ? `- through the whole path: ${formatMs(stream.medianMs)} (median of ${stream.windows} windows), worst ${formatMs(stream.worstMs)}`
      : '- through the whole path: not measured yet',
    ...(batch
      ? [
          `- the batch's numbers: ${formatMs(batch.averageMs)} old on average, up to ${formatMs(batch.worstMs)} (newest ${batch.runs} runs)`,
        ]
      : []),
    ...(cost
      ? [
          `- comparing: ${cost.windowsPerDay} windows a day, at most two backends of the source for ${formatMs(cost.sourceMsPerDay)} a day, ${cost.rowsPerDay} rows read${cost.retainedBytes === null ? '' : `, at most ${formatBytes(cost.retainedBytes)} of WAL retained`}`,
        ]
      : []),
    ...(hold
      ? [
          `- from the fence to the commit: ${formatMs(hold.totalMs)} (${hold.steps.map((s) => `${s.what} ${formatMs(s.ms)}`).join(', ')})`,
          ...hold.proofs.map((proof) => `  - ${escape(proof)}`),
        ]
      : []),
  ];
}
