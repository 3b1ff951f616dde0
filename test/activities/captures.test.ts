// Tests the capture from the write-ahead log with each kind of initial load. Also tests that a new
// type of capture needs only one registration in src/domain and one in src/activities.
import type pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CAPTURE_ADAPTERS } from '../../src/activities/capture/index.js';
import type { CaptureDeps } from '../../src/activities/capture/capture-adapter.js';
import { sourceConnectorConfigs } from '../../src/activities/capture/connectors/source-connectors.js';
import { markSource } from '../../src/activities/capture/source-mark.js';
import { CAPTURES } from '../../src/domain/capture/index.js';
import { KINDS } from '../../src/domain/objects/kinds.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { aPlan, aRef, aSpec } from '../support/builders.js';
import { MAIL, MAIL_ADAPTER, byMail } from '../support/fake-capture.js';

const connector = { type: 'debezium-postgres', url: 'http://127.0.0.1:8083' };

describe('a capture', () => {
  it.each([
    ['initial', { claimsSlot: true, makesSlotFirst: false, watch: 'watchSnapshot' }],
    ['incremental', { claimsSlot: false, makesSlotFirst: true, isSignalled: true }],
    ['copy', { claimsSlot: false, makesSlotFirst: false, copies: true, watch: null }],
  ])(
    'from the log says who creates the slot and who watches the load, for the initial load %s',
    (snapshot, facts) => {
      const { capture } = aPlan({ spec: { connector: { ...connector, snapshot } } });
      expect(capture.loading).toMatchObject(facts);
      expect(capture.hasSlot).toBe(true);
    },
  );

  it('of a new type works after one registration in src/domain and one in src/activities', async () => {
    onTestFinished(CAPTURES.register('mail', MAIL));
    onTestFinished(CAPTURE_ADAPTERS.register('mail', MAIL_ADAPTER));
    const ref = aRef();
    const mailed = { ...ref, spec: byMail(aSpec({ tables: ['public.a', 'public.b'] })) };
    const plan = resolve(mailed);
    expect(plan.topics).toEqual(['mail.public.a', 'mail.public.b', 'mail.stamps']);
    expect(plan.notes).toContain('letters may be late');
    expect(KINDS.slot.planned(plan)).toEqual([]);
    const deps = { secret: () => null } as unknown as CaptureDeps;
    expect(await sourceConnectorConfigs(deps, plan)).toMatchObject([{ name: 'postman' }]);
    const nobody = {} as pg.ClientBase;
    const mark = await markSource(
      deps,
      { ref: mailed, plan },
      { snapshot: nobody, side: nobody, token: 'a letter' },
    );
    expect(await mark.reached(0)).toBe('a letter is on its way');
  });
});
