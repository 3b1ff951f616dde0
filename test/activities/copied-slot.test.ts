// Tests from which slot the initial load `copy` continues after an attempt has failed.
import { describe, expect, it } from 'vitest';
import { positionOf } from '../../src/activities/capture/load/copy-readers.js';
import type { Slot } from '../../src/clients/postgres/slots.js';

const SLOT: Slot = {
  plugin: 'pgoutput',
  database: 'shop',
  activePid: null,
  restartLsn: '0/10',
  confirmedLsn: '0/20',
  walStatus: 'reserved',
  reason: null,
};

describe('the slot of a copy', () => {
  it('is not created again if it was lost after an earlier attempt had created it', () => {
    const lost = expect.objectContaining({ code: 'slot-lost' });
    expect(() => positionOf('s', null, 'created')).toThrow(lost);
    const invalidated = { ...SLOT, restartLsn: null, walStatus: 'lost' };
    expect(() => positionOf('s', invalidated, 'created')).toThrow(lost);
  });

  it('is created if no attempt has created it', () => {
    for (const state of [null, 'registered', 'removed'] as const)
      expect(positionOf('s', null, state)).toBeNull();
  });

  it('is used again if the ledger says that this migration created or claimed it', () => {
    for (const state of ['created', 'registered'] as const)
      expect(positionOf('s', SLOT, state)).toBe('0/20');
  });

  it('is refused if the ledger does not say that this migration owns it', () => {
    const foreign = expect.objectContaining({ code: 'object-not-ours' });
    for (const state of [null, 'removed', 'handed-over'] as const)
      expect(() => positionOf('s', SLOT, state)).toThrow(foreign);
  });
});
