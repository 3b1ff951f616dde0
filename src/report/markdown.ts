// Report model → Markdown. PURE. Every text from outside is escaped: table names are somebody's input.
import { formatMs } from '../domain/duration.js';
import type { Report } from './build-report.js';
import { escapeMarkdown as escape } from './escape.js';

export function renderMarkdown(report: Report): string {
  const { status } = report;
  const lines = [
    `# ${escape(report.name)}: ${status.outcome ?? `in phase ${status.phase}`}`,
    '',
    `Iteration ${status.iteration}, generation ${status.generation}, plan \`${report.planHash}\`, started ${report.startedAt}.`,
    ...(status.blocked ? ['', `**Blocked (${status.blocked.code})**: ${escape(status.blocked.detail)}. ${escape(status.blocked.remedy)}`] : []),
    ...(status.route ? ['', `Consumers read the **${status.route.side}** side (observed ${status.route.observedAt}).`] : []),
    '',
    '## Phases',
    '',
    '| phase | entered | took |',
    '|---|---|---|',
    ...report.phases.map((p) => `| ${p.phase} | ${p.at} | ${p.ms === null ? 'going on' : formatMs(p.ms)} |`),
    '',
    '## Decisions',
    '',
    '| who | decision | evidence | accepted | authenticated | reason | at |',
    '|---|---|---|---|---|---|---|',
    ...status.approvals.map(
      (a) =>
        `| ${escape(a.approver)} | ${a.decision} | ${escape(a.evidenceId ?? '-')} | ${a.accepted} | ${a.authenticated ? 'yes' : '**no**'} | ${escape(a.reason)} | ${a.at} |`,
    ),
    '',
    '## Windows',
    '',
    `passed ${report.verdicts.passed}, failed ${report.verdicts.failed}, inconclusive ${report.verdicts.inconclusive}, errored ${report.verdicts.errored} (rows per subject).`,
    '',
    '| # | subject | verdict | mode | compared | missing | extraneous | mismatched | unstable | unknown | reason |',
    '|---|---|---|---|---|---|---|---|---|---|---|',
    ...report.windows.map(
      (w) =>
        `| ${w.number} | ${escape(w.subject)} | ${w.verdict} | ${w.mode} | ${[w.compared, w.missing, w.extraneous, w.mismatched, w.unstable, w.unknown].map((n) => n ?? '-').join(' | ')} | ${escape(w.reason)} |`,
    ),
    ...(status.handedOver.length > 0
      ? [
          '',
          '## Handed over, running',
          '',
          ...status.handedOver.map((o) => `- ${o.kind} \`${escape(o.name)}\``),
          '',
          'The replication slot is yours now: watch `pg_replication_slots.wal_status` and its retained WAL, and drop the slot before you stop the connector for good.',
        ]
      : []),
    ...(status.leftovers.length > 0 ? ['', '## Left over', '', ...status.leftovers.map((o) => `- ${o.kind} \`${escape(o.name)}\``)] : []),
    '',
    '## Audit',
    '',
    '| at | what | detail |',
    '|---|---|---|',
    ...report.events.map((e) => `| ${e.at} | ${e.kind} | ${escape(e.detail)} |`),
  ];
  return lines.join('\n');
}
