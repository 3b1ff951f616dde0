// Renders an assessment as one self-contained HTML page: ranking, value against feasibility, waves
// (groups of processes that share tables), and every process with all its reasons. The page has no
// script and loads nothing.
import type { AssessedProcess, Assessment } from '../assess/assessment.js';
import { evidenceOf } from '../assess/score.js';
import { because, connector, countOf, freshness, stages } from './assessment-text.js';
import { escapeHtml as e } from './escape.js';
import { page, section, table } from './page-frame.js';

const MARK = {
  migrate: 'passed',
  'migrate-after': 'inconclusive',
  'do-not-migrate': 'failed',
} as const;
const SAID = {
  migrate: 'migrate',
  'migrate-after': 'migrate after',
  'do-not-migrate': 'do not migrate',
} as const;
const percent = (share: { score: number }): string => `${Math.round(share.score * 100)} %`;

export function renderAssessmentHtml(assessment: Assessment): string {
  const { processes, waves } = assessment;
  const tally = (['migrate', 'migrate-after', 'do-not-migrate'] as const)
    .map((v) => `${processes.filter((p) => p.verdict === v).length} ${SAID[v]}`)
    .join(', ');
  const body = [
    `<h1>${e(assessment.name)}</h1><p class="soft">Measured: ${e(assessment.measured)} · ${e(assessment.at)}</p>`,
    `<p class="verdict open"><b>${countOf(processes)}: ${tally}.</b></p>`,
    section('Ranking', rankingTable(processes)),
    section(
      'Value against feasibility',
      `${scatter(processes)}<p class="soft">Processes in the upper right are worth migrating, and their migration is feasible. A larger mark means that more facts are known.</p>`,
    ),
    section(
      'Waves',
      waves.length === 0
        ? '<p>None.</p>'
        : table(
            ['wave', 'processes', 'tables that they read'],
            waves.map((w) => [String(w.number), w.processes.join(', '), w.tables.join(', ')]),
          ),
    ),
    ...processes.map(oneProcess),
  ];
  return page(assessment.name, body.join('\n'), assessment);
}

function rankingTable(processes: readonly AssessedProcess[]): string {
  const rows = processes.map((p) => {
    const cells = [
      String(p.rank),
      `<a href="#p${p.rank}">${e(p.name)}</a>`,
      `<b class="${MARK[p.verdict]}">${SAID[p.verdict]}</b>`,
      String(p.score),
      percent(p.value),
      percent(p.feasibility),
      percent(p.confidence),
      `${p.effort.days} d`,
      e(because(p)),
    ];
    return `<tr>${cells.map((c, at) => `<td${at === 0 || (at > 2 && at < 8) ? ' class="n"' : ''}>${c}</td>`).join('')}</tr>`;
  });
  const head = [
    '#',
    'process',
    'verdict',
    'score',
    'value',
    'feasible',
    'known',
    'effort',
    'because',
  ].map((h, at) => `<th${at === 0 || (at > 2 && at < 8) ? ' class="n"' : ''}>${h}</th>`);
  return `<div class="wide"><table><thead><tr>${head.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

/**
 * Draws a mark for each process. The mark contains the rank, its shape shows the verdict, and its
 * size shows how many facts are known.
 */
function scatter(processes: readonly AssessedProcess[]): string {
  const [width, height, left, bottom] = [960, 380, 60, 40];
  const x = (share: number): number => left + share * (width - left - 20);
  const y = (share: number): number => height - bottom - share * (height - bottom - 20);
  const ticks = [0, 0.25, 0.5, 0.75, 1].flatMap((t) => [
    `<line x1="${x(t)}" x2="${x(t)}" y1="${y(0)}" y2="${y(1)}" stroke="var(--line)"/><text x="${x(t)}" y="${height - 22}" text-anchor="middle">${t * 100} %</text>`,
    `<line x1="${x(0)}" x2="${x(1)}" y1="${y(t)}" y2="${y(t)}" stroke="var(--line)"/><text x="${left - 8}" y="${y(t) + 4}" text-anchor="end">${t * 100} %</text>`,
  ]);
  const taken = new Map<string, number>();
  const marks = processes.map((p) => {
    const spot = `${Math.round(p.value.score * 25)},${Math.round(p.feasibility.score * 12)}`;
    const nth = taken.get(spot) ?? 0;
    taken.set(spot, nth + 1);
    const size = 6 + 6 * p.confidence.score;
    const form = {
      migrate: `<circle r="${size}"/>`,
      'migrate-after': `<rect x="${-size}" y="${-size}" width="${2 * size}" height="${2 * size}"/>`,
      'do-not-migrate': `<path d="M0 ${-size * 1.3} L${size * 1.2} ${size} L${-size * 1.2} ${size} Z"/>`,
    }[p.verdict];
    const title = `${p.name}: ${SAID[p.verdict]}, value ${percent(p.value)}, feasibility ${percent(p.feasibility)}`;
    return `<g class="${MARK[p.verdict]}" transform="translate(${(x(p.value.score) + nth * 22).toFixed(1)} ${y(p.feasibility.score).toFixed(1)})"><title>${e(title)}</title>${form}<text y="4" text-anchor="middle" style="fill:var(--paper);font-weight:600">${p.rank}</text></g>`;
  });
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="Value against feasibility of each process">${ticks.join('')}<text x="${width / 2}" y="${height - 4}" text-anchor="middle">value</text><text x="14" y="${height / 2}" text-anchor="middle" transform="rotate(-90 14 ${height / 2})">feasibility</text>${marks.join('')}</svg>`;
}

function oneProcess(p: AssessedProcess): string {
  const state = { fired: 'yes', 'not-fired': 'no', 'could-not-tell': 'could not tell' } as const;
  const list = (title: string, lines: readonly string[]): string =>
    lines.length === 0
      ? ''
      : `<h3>${title}</h3><ul>${lines.map((line) => `<li>${e(line)}</li>`).join('')}</ul>`;
  const rules = table(
    ['rule', 'part', 'fired', 'finding', 'why it counts'],
    p.trace.map((t) => [t.id, t.part, state[t.answer.state], evidenceOf(t.answer), t.rationale]),
  );
  const body = [
    `<p class="verdict${p.verdict === 'migrate' ? '' : p.verdict === 'migrate-after' ? ' open' : ' bad'}"><b>${SAID[p.verdict]}</b>, score ${p.score} = value ${percent(p.value)} × feasibility ${percent(p.feasibility)} × confidence ${percent(p.confidence)}. ${e(because(p))}</p>`,
    list(
      'Before a migration',
      p.work.map((w) => w.what),
    ),
    list('What would change the verdict', p.sensitivity),
    list('Stages of its algorithm', stages(p)),
    list(
      'In a stream',
      (p.sql?.flags ?? []).map((f) => `${f.found}: ${f.why}. ${f.advice}.`),
    ),
    list('Could not be read', p.sql?.unread ?? []),
    list('Connector', connector(p)),
    list('Freshness and cost', freshness(p)),
    list('Effort', [`about ${p.effort.days} days`, ...p.effort.counted]),
    `<h3>Every rule</h3>${rules}`,
  ];
  return `<section id="p${p.rank}"><h2>${p.rank}. ${e(p.name)}${p.owner ? ` <span class="soft">(${e(p.owner)})</span>` : ''}</h2>${body.join('')}</section>`;
}
