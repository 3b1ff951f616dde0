// Ledger → report model. PURE.
import type { AuditEvent, EvidenceLink, Status } from '../domain/ledger.js';
import type { VerdictName } from '../domain/verdict.js';
import type { WindowRow } from '../domain/window.js';

export interface Report {
  readonly apiVersion: 'sluice.dev/v1alpha1';
  readonly kind: 'Report';
  readonly name: string;
  readonly planHash: string;
  readonly startedAt: string;
  readonly status: Status;
  readonly phases: readonly { readonly phase: string; readonly at: string; readonly ms: number | null }[];
  readonly verdicts: Readonly<Record<VerdictName, number>>;
  readonly windows: readonly WindowRow[];
  /** Digest and chain link per window; the documents stay in the ledger. */
  readonly evidence: readonly Pick<EvidenceLink, 'number' | 'digest' | 'chain'>[];
  readonly events: readonly AuditEvent[];
}

export function buildReport(
  record: { status: Status; planHash: string; startedAt: string },
  windows: readonly WindowRow[],
  evidence: readonly EvidenceLink[],
  events: readonly AuditEvent[],
): Report {
  const { status, planHash, startedAt } = record;
  const entered = events.filter((e) => e.kind === 'phase');
  const end = events.at(-1);
  const verdicts: Record<VerdictName, number> = { passed: 0, failed: 0, inconclusive: 0, errored: 0 };
  for (const window of windows) verdicts[window.verdict] += 1;
  return {
    apiVersion: 'sluice.dev/v1alpha1',
    kind: 'Report',
    name: status.name,
    planHash,
    startedAt,
    status,
    phases: entered.map((event, at) => {
      const next = entered[at + 1] ?? (status.outcome ? end : undefined);
      return { phase: event.detail, at: event.at, ms: next ? Date.parse(next.at) - Date.parse(event.at) : null };
    }),
    verdicts,
    windows,
    evidence: evidence.map(({ number, digest, chain }) => ({ number, digest, chain })),
    events,
  };
}
