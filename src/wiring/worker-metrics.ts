// Builds Sluice's own metrics in the text format of Prometheus. Most metrics come from the ledger,
// so every worker returns the same values for them. Alert rules therefore use `max by (migration)`.
import { newestOf, type Ledger } from '../clients/ledger/ledger.js';
import { failingNotices } from '../clients/ledger/notices.js';
import type { Status } from '../domain/evidence/ledger-rows.js';
import type { Gauges } from '../activities/runtime/gauges.js';

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

/** The metrics, with the help text of each. All are gauges. */
const HELP = {
  sluice_ledger_up: '1 if the ledger answers this worker.',
  sluice_migration_phase: '1 for the phase of each migration that has not ended.',
  sluice_migration_blocked_seconds: 'How long the migration has been blocked, by failure code.',
  sluice_migration_needs_approval: '1 if the migration waits for an approval.',
  sluice_migration_paused: '1 if a person paused the migration.',
  sluice_migration_lag_seconds: 'The lag that the last window measured.',
  sluice_migration_lag_records:
    'The records that were still on their way when the last window measured the lag.',
  sluice_migration_lag_bytes:
    'The bytes of WAL that were still on their way when the last window measured the lag.',
  sluice_migration_windows: 'Validation windows of the current iteration, by verdict.',
  sluice_status_age_seconds: "The age of the migration's status in the ledger.",
  sluice_wal_retained_bytes: 'The WAL that the slot of the migration retains on the source.',
  sluice_wal_budget_bytes: 'The walBudget of the migration.',
  sluice_fence_held: '1 while the migration holds a fence, which may block writers.',
  sluice_run_not_running: '1 if objects of the migration exist, but its workflow is not running.',
  sluice_notices_failing: 'Notices that the webhook has not accepted yet.',
} as const;

export type MetricName = keyof typeof HELP;
export const METRIC_NAMES = Object.keys(HELP) as MetricName[];

export class Samples {
  readonly #samples = new Map<MetricName, Sample[]>();

  add(name: MetricName, value: number, labels: Labels = {}): void {
    this.#samples.set(name, [...(this.#samples.get(name) ?? []), [labels, value]]);
  }

  /** Returns the text of all metrics that have a value. */
  render(): string {
    const lines: string[] = [];
    for (const [name, samples] of this.#samples) {
      lines.push(`# HELP ${name} ${HELP[name]}`, `# TYPE ${name} gauge`);
      for (const [labels, value] of samples) lines.push(`${name}${labelled(labels)} ${value}`);
    }
    return lines.map((line) => `${line}\n`).join('');
  }
}

function labelled(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

/** Adds the metrics of one status. `now` and `updatedAt` are Unix times in ms. */
export function addStatus(samples: Samples, status: Status, updatedAt: number, now: number): void {
  const { name: migration, phase, blocked, lag } = status;
  const of = { migration };
  samples.add('sluice_migration_phase', 1, { ...of, phase: phase ?? 'none' });
  samples.add(
    'sluice_migration_needs_approval',
    status.needsApproval && !status.approved ? 1 : 0,
    of,
  );
  samples.add('sluice_migration_paused', status.paused ? 1 : 0, of);
  samples.add('sluice_status_age_seconds', Math.max(0, now - updatedAt) / 1000, of);
  if (blocked)
    samples.add(
      'sluice_migration_blocked_seconds',
      Math.max(0, now - Date.parse(blocked.since)) / 1000,
      { ...of, code: blocked.code },
    );
  if (lag.ms !== null) samples.add('sluice_migration_lag_seconds', lag.ms / 1000, of);
  if (lag.records !== null) samples.add('sluice_migration_lag_records', lag.records, of);
  if (lag.bytes !== null) samples.add('sluice_migration_lag_bytes', lag.bytes, of);
}

export function addGauges(samples: Samples, gauges: Gauges): void {
  for (const [migration, { retainedBytes, budgetBytes }] of gauges.wal) {
    samples.add('sluice_wal_retained_bytes', retainedBytes, { migration });
    samples.add('sluice_wal_budget_bytes', budgetBytes, { migration });
  }
  for (const migration of gauges.fences) samples.add('sluice_fence_held', 1, { migration });
  for (const { migration, state } of gauges.orphans)
    samples.add('sluice_run_not_running', 1, { migration, state });
}

/** Reads the ledger, and returns the text of all metrics. Never throws. */
export async function readMetrics(
  ledger: Pick<Ledger, 'query' | 'migrations'>,
  gauges: Gauges,
  now = Date.now(),
): Promise<string> {
  const samples = new Samples();
  try {
    await addLedger(samples, ledger, now);
    samples.add('sluice_ledger_up', 1);
  } catch {
    samples.add('sluice_ledger_up', 0);
  }
  addGauges(samples, gauges);
  return samples.render();
}

async function addLedger(
  samples: Samples,
  ledger: Pick<Ledger, 'query' | 'migrations'>,
  now: number,
): Promise<void> {
  // `newestOf` omits earlier iterations. One that was terminated has no outcome, so its last status
  // would count forever.
  for (const { outcome, status, updated_at } of newestOf(await ledger.migrations()))
    if (outcome === null && status) addStatus(samples, status, updated_at.getTime(), now);
  const windows = await ledger.query<{ name: string; verdict: string; count: number }>(
    `SELECT e.name, e.result->'verdict'->>'verdict' AS verdict, count(*)::int AS count
     FROM sluice.evidence e JOIN (SELECT DISTINCT ON (name) name, iteration, outcome FROM sluice.migration ORDER BY name, iteration DESC) m
       USING (name, iteration) WHERE m.outcome IS NULL GROUP BY 1, 2`,
  );
  for (const { name, verdict, count } of windows)
    samples.add('sluice_migration_windows', count, { migration: name, verdict });
  samples.add('sluice_notices_failing', await failingNotices(ledger));
}
