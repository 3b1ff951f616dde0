// Tests that a window is recorded once. A repeated attempt, a late attempt or a run that was reset
// must not change the record. Every link of the chain must stay valid.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  beginWindow,
  endWindow,
  type Answer,
  type Attempt,
} from '../../src/activities/windows/record-window.js';
import { Ledger } from '../../src/clients/ledger/ledger.js';
import type { MigrationRef } from '../../src/domain/evidence/ledger-rows.js';
import type { VerdictName } from '../../src/domain/evidence/verdict.js';
import { verifyReport } from '../../src/report/verify.js';
import { buildReport } from '../../src/report/build-report.js';
import { aSource } from '../support/report-source.js';
import { freshDatabase, urlOf } from '../support/sluice.js';

const ref = { name: 'orders', iteration: 1 } as MigrationRef;
let database: Awaited<ReturnType<typeof freshDatabase>>;
let ledger: Ledger;
beforeAll(async () => {
  database = await freshDatabase('SELECT 1');
  ledger = new Ledger(urlOf(database.name));
  await ledger.migrate();
});
afterAll(async () => {
  await ledger.close();
  await database.drop();
});

const attempt = (run: string, activity: string, number = 1): Attempt => ({
  by: `${run}/${activity}`,
  attempt: number,
});
const measured = (number: number, verdict: VerdictName, who: Attempt) =>
  endWindow<Answer>(
    ledger,
    ref,
    {
      rows: [],
      differences: new Map(),
      evidence: { digest: `${number} ${verdict} ${who.attempt}`, document: { subjects: [] } },
      sample: {
        number,
        at: '2026-11-22T10:00:00Z',
        lag: { bytes: 0, records: 0, ms: 1 },
        batchAge: null,
        rowsRead: 1,
        sourceMs: 1,
      },
      result: { number, verdict: { verdict, reason: verdict }, at: '2026-11-22T10:00:00Z' },
    },
    who,
  );
const begun = (number: number, who: Attempt) => beginWindow<Answer>(ledger, ref, number, who);

describe('the ledger', () => {
  it('gives a retry the record of an attempt that recorded the window and then died', async () => {
    expect(await begun(1, attempt('r1', 'a1'))).toEqual({ answered: null, number: 1 });
    const first = await measured(1, 'passed', attempt('r1', 'a1'));
    expect(await begun(1, attempt('r1', 'a1', 2))).toEqual({ answered: first });
  });

  it('keeps the first record if a late attempt differs, audits the attempt, and returns the worse verdict', async () => {
    const first = await measured(2, 'passed', attempt('r1', 'a2', 2));
    const late = await measured(2, 'failed', attempt('r1', 'a2', 1));
    expect(late).toMatchObject({ number: 2, chain: first.chain, verdict: { verdict: 'failed' } });
    expect(await ledger.events('orders', 1)).toMatchObject([
      { kind: 'window-repeated', number: 2, attempt: 1, verdict: 'failed', first: 'passed' },
    ]);
    await measured(3, 'passed', attempt('r1', 'a3'));
    expect((await ledger.evidence('orders', 1)).map((e) => [e.number, e.digest])).toEqual([
      [1, '1 passed 1'],
      [2, '2 passed 2'],
      [3, '3 passed 1'],
    ]);
  });

  it('gives a reset run the next free window number, and refuses to overwrite a window of another run', async () => {
    expect(await begun(2, attempt('r2', 'a2'))).toEqual({ answered: null, number: 4 });
    await expect(measured(3, 'failed', attempt('r2', 'a3'))).rejects.toThrow(
      /recorded by another run/,
    );
    await measured(4, 'failed', attempt('r2', 'a2'));
    expect((await ledger.evidence('orders', 1)).map((e) => e.number)).toEqual([1, 2, 3, 4]);
  });

  it('has a chain in which every link follows from the one before it', async () => {
    const source = { ...aSource(0), evidence: await ledger.evidence('orders', 1) };
    const report = buildReport(source, { version: '1', showValues: false });
    expect(
      verifyReport({ report, html: null }, source, '1').find((f) => f.what === 'chain'),
    ).toMatchObject({ holds: true });
  });
});
