// Builds the content of the ledger from which the report of one migration is made. The hashes and
// verdicts of its evidence are correct.
import { auditEvent } from '../../src/domain/audit.js';
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../src/domain/values/canonical-json.js';
import type { EvidenceLink, Status } from '../../src/domain/evidence/ledger-rows.js';
import { NO_COUNTS } from '../../src/domain/evidence/counts.js';
import type { WindowRow } from '../../src/domain/evidence/window.js';
import type { ReportSource } from '../../src/report/build-report.js';
import { aSpec } from './builders.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Builds the content. `text` stands for each name, reason and detail that comes from outside. */
export function aSource(windows: number, text = 'public.accounts'): ReportSource {
  const status: Status = {
    apiVersion: 'sluice.dev/v1alpha1',
    id: 'migration-x',
    name: text,
    iteration: 1,
    generation: 1,
    phase: 'validate',
    outcome: null,
    blocked: { code: 'unreachable', since: '2026-11-22T10:00:00Z', detail: text, remedy: text },
    paused: false,
    epoch: 1,
    needsApproval: false,
    evidenceId: null,
    lag: { bytes: 0, records: null, ms: 1 },
    tables: [],
    approvals: [
      {
        approver: text,
        decision: 'approve',
        evidenceId: text,
        accepted: false,
        reason: text,
        authenticated: false,
        at: '2026-11-22T10:00:00Z',
      },
    ],
    route: { side: 'batch', observedAt: '2026-11-22T10:00:00Z' },
    handedOver: [{ kind: 'slot', name: text }],
    leftovers: [{ kind: 'topic', name: text }],
    next: [],
    waiting: null,
  };
  const rows = Array.from({ length: windows }, (_, at): WindowRow => ({
    number: at + 1,
    subject: text,
    verdict: at % 7 === 3 ? 'failed' : 'passed',
    reason: text,
    mode: 'exact',
    at: '2026-11-22T10:00:00Z',
    durationMs: 5,
    position: '0/1',
    compared: 10,
    matched: at % 7 === 3 ? 9 : 10,
    missing: 0,
    extraneous: 0,
    mismatched: at % 7 === 3 ? 1 : 0,
    unstable: 0,
    unknown: null,
    rowsRead: 10,
    provenEarlier: 0,
  }));
  const evidence: EvidenceLink[] = [];
  for (const { number, subject, verdict, mismatched, matched } of rows) {
    const counts = { ...NO_COUNTS, matched: matched!, mismatched: mismatched! };
    const proofs = {
      barrier: null,
      countedRows: 10,
      readRows: 10,
      canaryPlanted: 9,
      canaryFound: 9,
    };
    const document = { subjects: [{ subject, verdict, counts, proofs }] };
    const digest = sha256(canonicalJson(document));
    evidence.push({
      number,
      digest,
      chain: sha256(`${evidence.at(-1)?.chain ?? ''}${digest}`),
      document,
    });
  }
  const events = [
    auditEvent('1', '2026-11-22T10:00:00Z', { kind: 'phase', phase: 'validate' }),
    auditEvent('2', '2026-11-22T10:01:00Z', { kind: 'back-to-validate', reason: text }),
  ];
  const lag = { bytes: 100, records: 0, ms: 120 };
  const batchAge = {
    averageMs: 50_000_000,
    worstMs: 90_000_000,
    runs: 30,
    lastFinishedAt: '2026-11-22T03:10:00Z',
  };
  return {
    status,
    spec: aSpec(),
    planHash: 'abc',
    startedAt: '2026-11-22T09:00:00Z',
    windows: rows,
    evidence,
    events,
    samples: rows.map(({ number, at }) => ({
      number,
      at,
      lag,
      sourceMs: 900,
      rowsRead: 10,
      batchAge,
    })),
    differing: [{ subject: text, class: 'mismatched', column: text, kept: 3, last: 2 }],
    differences: [
      { class: 'mismatched', key: { id: text }, column: text, batch: 'a secret', stream: text },
    ],
  };
}
