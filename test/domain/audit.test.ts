// Tests the entries of the audit: their fields, and the text that a person reads.
import { describe, expect, it } from 'vitest';
import { auditEvent, auditText, eventsOf, type AuditEntry } from '../../src/domain/audit.js';

const AT = '2026-11-22T10:00:00Z';
const ann = { by: 'ann', authenticated: true, accepted: true, reason: 'approval 1 of 2' };
const commit = { kind: 'committed', evidenceId: 'ev-1', rows: null, after: null } as const;

describe('the text of an audit entry', () => {
  it.each<[string, AuditEntry]>([
    [
      '9 failed: missing 2 rows',
      { kind: 'window', number: 9, verdict: 'failed', reason: 'missing 2 rows' },
    ],
    ['drain: marker', { kind: 'step', step: 'drain', does: 'marker' }],
    ['P2 acknowledged 0/4', { kind: 'proof', part: 'P2', holds: 'acknowledged 0/4' }],
    ['ann: accepted, approval 1 of 2', { kind: 'approve', ...ann, comment: null }],
    [
      'ann (unauthenticated): refused, no key (now)',
      {
        kind: 'reject',
        by: 'ann',
        authenticated: false,
        accepted: false,
        reason: 'no key',
        comment: 'now',
      },
    ],
    [
      '0/1 on s: a 5 rows (f), b about 7 rows (g), c an unknown number of rows (h)',
      {
        kind: 'baseline',
        lsn: '0/1',
        server: 's',
        tables: [
          { table: 'a', rows: 5, fingerprint: 'f' },
          { table: 'b', rows: 7, isEstimate: true, fingerprint: 'g' },
          { table: 'c', rows: null, isEstimate: true, fingerprint: 'h' },
        ],
      },
    ],
    ['ev-1', commit],
    [
      'ev-1: 5 rows written, 2 removed (their copies are kept until complete)',
      { ...commit, rows: { written: 5, removed: 2 } },
    ],
    ['found in the lease row after: timeout', { ...commit, evidenceId: null, after: 'timeout' }],
    ['nothing is blocked', { kind: 'retry', code: null }],
    ['', { kind: 'paused' }],
    [
      'rollBack by eve: unsigned',
      { kind: 'ignored', message: 'rollBack', by: 'eve', reason: 'unsigned' },
    ],
    [
      'approveCutover: no approver',
      { kind: 'ignored', message: 'approveCutover', by: null, reason: 'no approver' },
    ],
  ])('is "%s"', (text, entry) => expect(auditText(entry)).toBe(text));

  it('is JSON if this version does not know the kind', () => {
    const entry = JSON.parse('{"kind":"of-tomorrow","number":1}') as AuditEntry;
    expect(auditText(entry)).toBe('{"kind":"of-tomorrow","number":1}');
  });
});

describe('an audit event', () => {
  it("has shortened texts and lists, so that a message from outside cannot bloat a run's history", () => {
    const readers = Array.from({ length: 300 }, () => 'x'.repeat(5000));
    const event = auditEvent('1', AT, { kind: 'readers', left: readers });
    expect(eventsOf([event], 'readers')[0]!.left).toHaveLength(200);
    expect(eventsOf([event], 'readers')[0]!.left[0]).toHaveLength(2000);
  });
  it('contains nothing that a JSON column of Postgres refuses', () => {
    const reason = `a\0b${'\u{1F600}'.slice(0, 1)}c`;
    const event = auditEvent('1', AT, { kind: 'back-to-validate', reason });
    expect(event).toEqual({ id: '1', at: AT, kind: 'back-to-validate', reason: 'a\uFFFDb\uFFFDc' });
  });
});
