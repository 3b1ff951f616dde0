// Tests statements that reach the ledger too late: one attempt of an activity hung, and meanwhile
// another attempt succeeded and the run continued. The file also tests the statuses of a run that
// was reset, and of a run that the ledger has lost.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recordAdopted, releaseAdopted } from '../../src/clients/ledger/adopted-objects.js';
import { Ledger } from '../../src/clients/ledger/ledger.js';
import { emptyStatus } from '../../src/cli/support/migration-source.js';
import type { OwnedObject } from '../../src/domain/evidence/ledger-rows.js';
import { aRef } from '../support/builders.js';
import { freshDatabase, urlOf } from '../support/sluice.js';

const ref = { ...aRef(), runKey: '3f2b8c1e-0000-4000-8000-0123456789ab' };
const next = { ...ref, iteration: 2, runKey: '3f2b8c1e-0000-4000-8000-0123456789ac' };
const TABLE: OwnedObject = { kind: 'sink-table', name: 'public.totals', where: 'bank' };
const status = { ...emptyStatus('bank', 1, 1), outcome: null };
const ended = { ...status, outcome: 'rolled-back' as const };
const after = (ms: number) => ({ askedAt: new Date(Date.parse('2026-11-22T10:00:00Z') + ms) });
const outcome = async (): Promise<unknown> => (await ledger.migrations('bank')).at(-1)?.outcome;

let database: Awaited<ReturnType<typeof freshDatabase>>;
let ledger: Ledger;
beforeAll(async () => {
  database = await freshDatabase('SELECT 1');
  ledger = new Ledger(urlOf(database.name));
  await ledger.migrate();
});
beforeEach(() => ledger.query('TRUNCATE sluice.migration, sluice.object, sluice.adopted'));
afterAll(async () => {
  await ledger.close();
  await database.drop();
});

describe('a status that the run asked to store', () => {
  it('does not replace a newer one if it comes too late, so an outcome stays', async () => {
    await ledger.recordStatus(ref, status, after(0));
    await ledger.recordStatus(ref, ended, after(60_000));
    await ledger.recordStatus(ref, status, after(20_000));
    expect(await outcome()).toBe('rolled-back');
  });
  it('is stored although the clock of one server of Temporal is a second behind', async () => {
    await ledger.recordStatus(ref, status, after(1000));
    await ledger.recordStatus(ref, ended, after(0));
    expect(await outcome()).toBe('rolled-back');
  });
  it('replaces an outcome if the run was reset later', async () => {
    await ledger.recordStatus(ref, ended, after(0));
    await ledger.recordStatus(ref, status, after(60_000));
    expect(await outcome()).toBeNull();
  });
  it('restores a run that the ledger has lost, and the run keeps the namespace of its first status', async () => {
    await ledger.recordStatus(ref, status, { namespace: { name: 'eu', id: 'n-1' } });
    await ledger.recordStatus(ref, status, { namespace: { name: 'us', id: 'n-2' } });
    expect(await ledger.migrations('bank')).toMatchObject([
      { namespace: 'eu', namespace_id: 'n-1' },
    ]);
  });
});

describe('an object', () => {
  it('cannot be claimed by an attempt of a run that has ended', async () => {
    await ledger.recordStatus(ref, ended);
    await expect(ledger.setObjectState(ref, TABLE, 'registered')).rejects.toMatchObject({
      code: 'object-not-ours',
      message: expect.stringContaining('run 1 of bank has ended') as string,
    });
    expect(await ledger.openObjects('bank')).toEqual([]);
  });
  it('cannot be claimed by a generation that the run has replaced, even after a reset', async () => {
    const old = { ...status, generation: 1 };
    await ledger.recordStatus({ ...ref, generation: 2 }, { ...status, generation: 2 }, after(0));
    await ledger.recordStatus({ ...ref, generation: 1 }, old, after(60_000));
    expect(await ledger.migrations('bank')).toMatchObject([{ generation: 2 }]);
    await expect(
      ledger.setObjectState({ ...ref, generation: 1 }, TABLE, 'registered'),
    ).rejects.toMatchObject({ code: 'object-not-ours' });
    await ledger.setObjectState({ ...ref, generation: 2 }, TABLE, 'registered');
  });
  it('that was removed stays removed, even if an attempt reports its creation late', async () => {
    await ledger.setObjectState(ref, TABLE, 'registered');
    await ledger.setObjectState(ref, TABLE, 'removed');
    await ledger.setObjectState(ref, TABLE, 'created');
    expect(await ledger.openObjects('bank')).toEqual([]);
  });
  it('of a later run is not removed by an attempt of an earlier run', async () => {
    await ledger.setObjectState(ref, TABLE, 'created');
    await ledger.recordStatus(ref, ended);
    await ledger.setObjectState(next, TABLE, 'registered');
    expect(await ledger.objectState(ref, TABLE)).toBe('removed');
    await ledger.setObjectState(ref, TABLE, 'removed');
    expect(await ledger.objectState(next, TABLE)).toBe('registered');
  });
  it('that a later run has adopted is not released by an earlier run', async () => {
    const adopted = { ...TABLE, identity: 'i' };
    await ledger.recordStatus(next, status);
    expect(await recordAdopted(ledger, next, [adopted], '2026-01-01')).toBe('recorded');
    expect(await releaseAdopted(ledger, ref)).toEqual([]);
    expect(await releaseAdopted(ledger, next)).toMatchObject([{ name: TABLE.name }]);
  });
});
