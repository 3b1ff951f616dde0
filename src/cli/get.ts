// sluice get ID [-w]: prints the state of a migration, live or from the ledger.
import { formatMs } from '../domain/values/duration.js';
import type { StatusWithWindows } from '../domain/evidence/ledger-rows.js';
import { printable } from '../domain/values/foreign-text.js';
import { PHASES } from '../domain/migration/phase.js';
import { nameOf } from '../domain/migration/workflow-ids.js';
import { readStatus } from './support/migration-source.js';
import { REMOVE_LEFTOVERS, stateOf } from '../report/state-words.js';
import { pollStatus } from './support/poll-status.js';
import { EXIT, print, say, table, write, type Format } from './support/output.js';

const WATCH_MS = 1000;

export async function get(
  id: string,
  options: { output: Format; watch?: boolean },
): Promise<number> {
  if (options.watch) return watch(id, options.output);
  const status = await readStatus(id);
  await print(status, options.output, () => render(status));
  return EXIT.ok;
}

/**
 * Prints each new state until the migration ends or can never continue. A state is new if its text
 * is new. Ctrl-C ends only this command.
 */
export async function watch(id: string, format: Format = 'text'): Promise<number> {
  process.removeAllListeners('SIGINT').once('SIGINT', () => {
    say(`detached; the migration continues. Re-attach with: sluice get ${nameOf(id)} -w`);
    process.exit(EXIT.interrupted);
  });
  let shown = '';
  return pollStatus(id, WATCH_MS, async (status) => {
    if (status.standing?.isEarlierRun) return null;
    const text = render(status);
    if (text !== shown) {
      if (format === 'text' && process.stdout.isTTY) process.stdout.write('\x1b[2J\x1b[H');
      if (format === 'yaml' && shown !== '') write('---'); // begins the next YAML document
      await print(status, format, () => `${text}\n`);
      shown = text;
    }
    // The status of a run that can never continue stays the same forever.
    if (status.standing?.isDead && !status.outcome) return EXIT.failed;
    if (!status.outcome) return null;
    return status.outcome === 'migrated' ? EXIT.ok : EXIT.endedOtherwise;
  });
}

export function render(status: StatusWithWindows): string {
  const lines = [
    `Name:       ${status.name} (iteration ${status.iteration}, generation ${status.generation})`,
    `Phase:      ${status.phase ?? '-'}`,
    `State:      ${stateOf(status)}`,
    `Phases:     ${phases(status)}`,
    ...standingLines(status),
  ];
  if (status.blocked)
    lines.push(`Blocked:    ${status.blocked.detail}`, `Remedy:     ${status.blocked.remedy}`);
  if (status.evidenceId) lines.push(`Evidence:   ${status.evidenceId} (epoch ${status.epoch})`);
  if (status.lag.ms !== null)
    lines.push(
      `Lag:        last window: ${formatMs(status.lag.ms)}${status.lag.records === null ? '' : `, ${status.lag.records} records`}${status.lag.bytes === null ? '' : `, ${status.lag.bytes} bytes`}`,
    );
  if (status.route)
    lines.push(`Consumers:  ${status.route.side} side, observed ${status.route.observedAt}`);
  for (const t of status.tables)
    lines.push(
      `Table:      ${t.table} ${t.rowsScanned ?? '-'} of ${t.rowsTotal ?? '?'} rows loaded`,
    );
  const after: string[] = [];
  for (const o of status.handedOver) after.push(`Handed over: ${o.kind} ${o.name}`);
  for (const o of status.leftovers) after.push(`Left over:  ${o.kind} ${o.name}`);
  if (status.leftovers.length > 0) after.push(`Remedy:     ${REMOVE_LEFTOVERS}`);
  for (const command of status.next) after.push(`Next:       ${command}`);
  return [...lines.map(printable), ...windowLines(status), ...after.map(printable)].join('\n');
}

/** Says whether the run moves, what it waits for, and how old the answer is. */
function standingLines({ standing, waiting, outcome }: StatusWithWindows): string[] {
  const lines: string[] = [];
  if (standing?.from === 'ledger' && !outcome)
    lines.push(
      `As of:      ${standing.at}, ${ageOf(standing.at)} ago, from the ledger: the workflow does not answer`,
    );
  if (standing?.problem)
    lines.push(
      `Problem:    ${standing.problem}`,
      ...standing.remedy.map((remedy) => `Remedy:     ${remedy}`),
    );
  if (waiting && !standing?.isDead) lines.push(`Waits for:  ${waiting}`);
  for (const wait of outcome ? [] : (standing?.waits ?? [])) lines.push(`Doing:      ${wait}`);
  return lines;
}

const ageOf = (at: string): string => formatMs(Math.max(0, Date.now() - Date.parse(at)));

function phases(status: StatusWithWindows): string {
  if (status.phase === 'roll-back' || status.phase === null) return status.phase ?? '-';
  const at = PHASES.indexOf(status.phase);
  return PHASES.filter((p) => p !== 'roll-back')
    .map((p, index) => `${status.outcome || index < at ? '✔' : index === at ? '▶' : '○'} ${p}`)
    .join('  ');
}

function windowLines(status: StatusWithWindows): string[] {
  const numbers = [...new Set(status.windows.map((w) => w.number))];
  if (numbers.length === 0) return [];
  const recent = status.windows.filter((w) => numbers.slice(-3).includes(w.number));
  const rows = recent.map((w) => [
    `  ${w.number}`,
    w.subject,
    w.verdict,
    w.compared === null ? '-' : String(w.compared),
    formatMs(w.durationMs),
    w.reason,
  ]);
  return [
    `Windows:    ${numbers.length}`,
    table(['  #', 'SUBJECT', 'VERDICT', 'COMPARED', 'TOOK', 'REASON'], rows),
  ];
}
