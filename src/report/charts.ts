// Draws the charts of the report's HTML page as static SVG, without a script or library. The page
// also has a table for each chart, because a chart does not show exact numbers.
import { formatMs } from '../domain/values/duration.js';
import type { WindowRow } from '../domain/evidence/window.js';
import type { Report } from './build-report.js';
import { escapeHtml as e } from './escape.js';

const WIDTH = 960;
const MARK = {
  passed: 'M-3.5 0 L-1 3 L4 -3',
  failed: 'M-3 -3 L3 3 M-3 3 L3 -3',
  inconclusive: 'M-3 0 L3 0',
  errored: 'M0 -4 L0 1 M0 3 L0 4',
} as const;
const MOST_COLUMNS = 160;

/**
 * Draws one row for each subject, with a mark for each window. It draws the newest windows that
 * fit.
 */
export function windowChart(windows: readonly WindowRow[]): string {
  const numbers = [...new Set(windows.map((w) => w.number))];
  const shown = numbers.slice(-MOST_COLUMNS);
  const subjects = [...new Set(windows.map((w) => w.subject))];
  const left = 190;
  const step = Math.min(26, (WIDTH - left - 10) / Math.max(1, shown.length));
  const height = subjects.length * 22 + 24;
  const marks = windows
    .filter((w) => shown.includes(w.number))
    .map((w) => {
      const x = (left + (shown.indexOf(w.number) + 0.5) * step).toFixed(1);
      const y = subjects.indexOf(w.subject) * 22 + 12;
      const sign = `<path d="${MARK[w.verdict]}" fill="none" stroke="var(--paper)" stroke-width="1.6"/>`;
      const box = `<rect x="-7" y="-7" width="${Math.min(14, Math.max(2, step - 1)).toFixed(1)}" height="14" rx="2"/>`;
      return `<g class="${w.verdict}" transform="translate(${x} ${y})"><title>window ${w.number}, ${e(w.subject)}: ${w.verdict}, ${e(w.reason)}</title>${box}${step > 12 ? sign : ''}</g>`;
    });
  const names = subjects.map(
    (s, at) =>
      `<text x="0" y="${at * 22 + 16}">${e(s.length > 30 ? `${s.slice(0, 29)}…` : s)}</text>`,
  );
  const ticks = shown
    .map((n, at) => [n, at] as const)
    .filter(([, at]) => at % Math.ceil(30 / step) === 0)
    .map(
      ([n, at]) =>
        `<text x="${(left + (at + 0.5) * step).toFixed(1)}" y="${height - 4}" text-anchor="middle">${n}</text>`,
    );
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Verdict of each window by subject">${names.join('')}${marks.join('')}${ticks.join('')}</svg>`;
}

/** Draws the duration of each phase to scale. */
export function phaseChart(phases: Report['phases']): string {
  const total = phases.reduce((sum, p) => sum + (p.ms ?? 0), 0);
  if (total === 0) return '';
  let x = 150;
  const scale = (WIDTH - 160) / total;
  const rows = phases.map((p, at) => {
    const width = Math.max(1.5, (p.ms ?? 0) * scale);
    const bar = `<rect class="bar" x="${x.toFixed(1)}" y="${at * 18 + 3}" width="${width.toFixed(1)}" height="12"><title>${e(p.phase)}</title></rect>`;
    x += (p.ms ?? 0) * scale;
    return `<text x="0" y="${at * 18 + 13}">${e(p.phase)}</text>${bar}`;
  });
  return `<svg viewBox="0 0 ${WIDTH} ${phases.length * 18 + 4}" role="img" aria-label="Duration of each phase">${rows.join('')}</svg>`;
}

/**
 * Draws the time that a marker took through the whole path, for each of the newest windows that
 * measured it. The scale is logarithmic, and a line shows the spec's threshold (`catchUp.within`).
 */
export function lagChart(lags: Report['lags'], thresholdMs: number): string {
  const shown = lags
    .flatMap(({ number, lag }) => (lag.ms === null ? [] : [{ number, ms: Math.max(1, lag.ms) }]))
    .slice(-MOST_COLUMNS);
  if (shown.length === 0) return '';
  const [left, height] = [70, 150];
  const most = Math.log10(Math.max(thresholdMs, ...shown.map((s) => s.ms)) * 1.3);
  const y = (ms: number): string =>
    (height - 20 - (Math.log10(ms) / most) * (height - 30)).toFixed(1);
  const step = Math.min(26, (WIDTH - left - 10) / shown.length);
  const x = (at: number): string => (left + (at + 0.5) * step).toFixed(1);
  const grid = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]
    .filter((ms) => Math.log10(ms) <= most)
    .map(
      (ms) =>
        `<line class="grid" x1="${left}" x2="${WIDTH}" y1="${y(ms)}" y2="${y(ms)}"/><text x="0" y="${y(ms)}" dy="4">${formatMs(ms)}</text>`,
    );
  const limit = `<line class="limit" x1="${left}" x2="${WIDTH}" y1="${y(thresholdMs)}" y2="${y(thresholdMs)}"/><text x="${WIDTH}" y="${y(thresholdMs)}" dy="-4" text-anchor="end">threshold ${formatMs(thresholdMs)}</text>`;
  const line = `<polyline class="line" points="${shown.map((s, at) => `${x(at)},${y(s.ms)}`).join(' ')}"/>`;
  const dots = shown.map(
    (s, at) =>
      `<circle class="dot" cx="${x(at)}" cy="${y(s.ms)}" r="3"><title>window ${s.number}: ${formatMs(s.ms)}</title></circle>`,
  );
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Lag at each window, with the threshold">${grid.join('')}${limit}${line}${dots.join('')}</svg>`;
}
