// Renders an assessment for a terminal and as Markdown.
import type { AssessedProcess, Assessment } from '../assess/assessment.js';
import { evidenceOf, type Share } from '../assess/score.js';
import { formatMs } from '../domain/values/duration.js';
import { columns, escapeMarkdown as e } from './escape.js';

const percent = (share: Share): string => `${Math.round(share.score * 100)} %`;

export const countOf = ({ length }: readonly AssessedProcess[]): string =>
  `${length} batch process${length === 1 ? '' : 'es'}`;

export function ranking(assessment: Assessment): string {
  const rows = assessment.processes.map((p) => [
    String(p.rank),
    p.name,
    p.verdict,
    String(p.score),
    percent(p.value),
    percent(p.feasibility),
    percent(p.confidence),
    `${p.effort.days} d`,
    p.advice.connector ?? '-',
    because(p),
  ]);
  return [
    `${assessment.name}: ${countOf(assessment.processes)}, ${assessment.measured.startsWith('PostgreSQL') ? 'measured on ' : ''}${assessment.measured}`,
    '',
    columns(
      [
        '#',
        'PROCESS',
        'VERDICT',
        'SCORE',
        'VALUE',
        'FEASIBLE',
        'KNOWN',
        'EFFORT',
        'CONNECTOR',
        'BECAUSE',
      ],
      rows,
    ),
    '',
    ...assessment.waves.map(
      (w) =>
        `wave ${w.number}: ${w.processes.join(', ')} (they read ${w.tables.length} tables; each migration has its own slot)`,
    ),
    ...(assessment.waves.length > 0 ? [''] : []),
    'Show one process with all details: sluice assess -f FILE --process NAME. Write a page to share: -o html',
  ].join('\n');
}

/** Summarizes the verdict of one process in one sentence. */
export function because(p: AssessedProcess): string {
  const line = (id: string): string => evidenceOf(p.trace.find((t) => t.id === id)!.answer);
  if (p.verdict === 'do-not-migrate') return line(p.decidedBy[0]!);
  if (p.work.length > 0)
    return `first: ${p.work[0]!.what}${p.work.length > 1 ? ` (and ${p.work.length - 1} more)` : ''}`;
  return (
    [...p.value.parts].sort((a, b) => b.grade - a.grade)[0]?.says ??
    'no rule speaks against the migration'
  );
}

export function oneProcess(p: AssessedProcess): string {
  const mark = { fired: '●', 'not-fired': '○', 'could-not-tell': '?' } as const;
  return [
    `${p.name}: ${p.verdict}, score ${p.score} = value ${percent(p.value)} × feasibility ${percent(p.feasibility)} × confidence ${percent(p.confidence)}`,
    '',
    columns(
      ['', 'RULE', 'PART', 'FINDING'],
      p.trace.map((t) => [mark[t.answer.state], t.id, t.part, evidenceOf(t.answer)]),
    ),
    '',
    ...section(
      'Before a migration',
      p.work.map((w) => `${w.rule}: ${w.what}`),
    ),
    ...section('What would change the verdict', p.sensitivity),
    ...section('Stages', stages(p)),
    ...section(
      'In a stream',
      (p.sql?.flags ?? []).map((f) => `${f.id} (${f.gravity}): ${f.found}: ${f.why}. ${f.advice}`),
    ),
    ...section('Not read', p.sql?.unread ?? []),
    ...section('Connector', connector(p)),
    ...section('Effort', [`about ${p.effort.days} days`, ...p.effort.counted]),
    ...section('Freshness and cost', freshness(p)),
  ].join('\n');
}

export const stages = (p: AssessedProcess): string[] =>
  (p.sql?.blocks ?? []).map(
    (b) =>
      `${b.name} ← ${b.reads.join(', ') || 'nothing'}: ${b.operators.map((o) => `${o.detail} [${o.class}]`).join('; ') || 'a plain selection [stateless]'}`,
  );

export function connector({ advice }: AssessedProcess): string[] {
  const chosen = [
    advice.connector,
    advice.snapshot && `snapshot ${advice.snapshot}`,
    advice.pipeline && `pipeline ${advice.pipeline}`,
  ]
    .filter(Boolean)
    .join(', ');
  const holds = { true: 'holds', false: 'DOES NOT HOLD', null: 'not known' } as const;
  return [
    chosen || 'none chosen',
    ...advice.reasons,
    ...advice.preconditions.map(
      (c) => `${c.what}: ${holds[String(c.holds) as keyof typeof holds]}`,
    ),
    ...advice.jdbcWouldMiss.map((m) => `a JDBC source would miss: ${m}`),
  ];
}

export function freshness({ freshness: f }: AssessedProcess): string[] {
  return [
    f.batchMeanMs === null
      ? "the age of the batch's numbers is unknown"
      : `the batch's numbers are ${formatMs(f.batchMeanMs)} old on average, ${formatMs(f.batchWorstMs!)} at worst`,
    "a stream's numbers are seconds old; sluice prove measures this on a slice",
    f.recordsPerDay === null
      ? 'the daily volume of the parallel run is unknown'
      : `the parallel run writes about ${Math.round(f.recordsPerDay).toLocaleString('en')} records ${f.bytesPerDay === null ? '(of unknown size)' : `and ${(f.bytesPerDay / 2 ** 20).toFixed(1)} MiB`} a day in Kafka, before replication`,
  ];
}

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${line}`), ''];

export function assessmentMarkdown(assessment: Assessment): string {
  return [
    `# ${e(assessment.name)}`,
    '',
    `${countOf(assessment.processes)}. Measured: ${e(assessment.measured)}. ${assessment.at}`,
    '',
    '| # | process | verdict | score | value | feasible | known | effort | because |',
    '|---|---|---|---|---|---|---|---|---|',
    ...assessment.processes.map(
      (p) =>
        `| ${p.rank} | ${e(p.name)} | **${p.verdict}** | ${p.score} | ${percent(p.value)} | ${percent(p.feasibility)} | ${percent(p.confidence)} | ${p.effort.days} d | ${e(because(p))} |`,
    ),
    '',
    ...assessment.waves.map(
      (w) =>
        `- wave ${w.number}: ${w.processes.map(e).join(', ')} (they read ${w.tables.length} tables; each migration has its own slot)`,
    ),
    ...assessment.processes.flatMap((p) => [
      '',
      `## ${p.rank}. ${e(p.name)}`,
      '',
      '```',
      oneProcess(p).replaceAll('```', "'''"),
      '```',
    ]),
  ].join('\n');
}
