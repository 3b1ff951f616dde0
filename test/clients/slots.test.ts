// Tests when a replication slot counts as lost. The barriers, the guard and the initial load `copy`
// use the same rule.
import { expect, it } from 'vitest';
import { lossOf, type Slot } from '../../src/clients/postgres/slots.js';

const aSlot = (change: Partial<Slot>): Slot => ({
  plugin: 'pgoutput',
  database: 'bank',
  activePid: null,
  restartLsn: '0/1',
  confirmedLsn: '0/2',
  walStatus: 'reserved',
  reason: null,
  ...change,
});

it('a slot is lost if it or its WAL is gone', () => {
  expect(lossOf('s', null)).toBe('replication slot s no longer exists');
  for (const change of [{ walStatus: 'lost' }, { restartLsn: null }])
    expect(lossOf('s', aSlot(change))).toMatch(/^replication slot s was invalidated/);
  expect(lossOf('s', aSlot({}))).toBeNull();
});

it('a slot that is being created is lost only if the server says so', () => {
  expect(lossOf('s', null, { isBeginning: true })).toBeNull();
  expect(lossOf('s', aSlot({ restartLsn: null }), { isBeginning: true })).toBeNull();
  expect(lossOf('s', aSlot({ walStatus: 'lost' }), { isBeginning: true })).toMatch(/invalidated/);
});
