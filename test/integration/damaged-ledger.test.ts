// Tests the ledger with texts that Postgres refuses in JSON, and a ledger that has lost records.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recordWindow } from '../../src/clients/ledger/window-rows.js';
import { Ledger } from '../../src/clients/ledger/ledger.js';
import { emptyStatus } from '../../src/cli/support/migration-source.js';
import type { Difference, WindowRow } from '../../src/domain/evidence/window.js';
import { aRef } from '../support/builders.js';
import { freshDatabase, urlOf } from '../support/sluice.js';

const RUN = '3f2b8c1e-0000-4000-8000-0123456789ab';
const ref = { ...aRef(), runKey: RUN };
const at = '2026-11-22T10:00:00.000Z';
const status = (comment: string) => ({
  ...emptyStatus('bank', 1, 1),
  approvals: [
    {
      approver: 'ann',
      decision: 'approve' as const,
      evidenceId: null,
      accepted: false,
      reason: 'r',
      authenticated: false,
      at,
      comment,
    },
  ],
});
let database: Awaited<ReturnType<typeof freshDatabase>>;
let ledger: Ledger;
beforeAll(async () => {
  database = await freshDatabase('SELECT 1');
  ledger = new Ledger(urlOf(database.name));
});
afterAll(async () => {
  await ledger.close();
  await database.drop();
});
beforeEach(async () => {
  await ledger.session((client) => client.query('DROP SCHEMA IF EXISTS sluice CASCADE'));
  await ledger.migrate();
});

describe('a text with NUL or half of an emoji', () => {
  it('is stored in a difference, and the window is recorded', async () => {
    const subject = 'public.accounts';
    const row = { number: 1, subject, verdict: 'inconclusive', reason: 'r' } as WindowRow;
    const difference: Difference = {
      class: 'undecodable',
      key: { id: '\0' },
      column: null,
      batch: null,
      stream: 'value \0\ud83d',
    };
    const chain = await recordWindow(
      ledger,
      ref,
      {
        rows: [row],
        differences: new Map([[subject, [difference]]]),
        evidence: { digest: 'd', document: {} },
        sample: {
          number: 1,
          at,
          lag: { bytes: 0, records: 0, ms: 1 },
          batchAge: null,
          rowsRead: 1,
          sourceMs: 1,
        },
        result: {},
      },
      'run/1',
    );
    expect(chain).toMatch(/^[0-9a-f]{64}$/);
    const [stored] = await ledger.differences('bank', 1, 1);
    expect(stored?.difference).toMatchObject({
      key: { id: '\\u0000' },
      stream: 'value \\u0000\\ud83d',
    });
  });
  it('is stored in a status, so that the run can end', async () => {
    await ledger.recordStatus(ref, status('yes \0\ud83d'));
    const [run] = await ledger.migrations('bank');
    expect(run?.status?.approvals[0]?.comment).toBe('yes \\u0000\\ud83d');
  });
});

describe('a ledger that was dropped or restored from an older backup', () => {
  it('stores a lost run again with its next status, and keeps one row for each run', async () => {
    await ledger.recordStatus(ref, status(''));
    await ledger.recordStatus(ref, { ...status(''), outcome: 'aborted' });
    expect(await ledger.migrations('bank')).toMatchObject([
      { name: 'bank', iteration: 1, run_key: RUN, outcome: 'aborted' },
    ]);
  });
  it('is named in the error if it has no tables', async () => {
    await ledger.session((client) => client.query('DROP SCHEMA sluice CASCADE'));
    await expect(ledger.openObjects('bank')).rejects.toMatchObject({
      message: expect.stringContaining('has no tables, so it was dropped or replaced') as string,
    });
  });
});
