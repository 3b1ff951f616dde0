// Tests that an attempt of an activity removes and creates nothing after its process was suspended.
import { asyncLocalStorage, type Context } from '@temporalio/activity';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ensureOwned, removeOwned } from '../../src/activities/ownership/owned.js';
import { attemptBegins } from '../../src/activities/runtime/stale-attempt.js';
import type { Ledger } from '../../src/clients/ledger/ledger.js';
import type { OwnedObject } from '../../src/domain/evidence/ledger-rows.js';
import { aRef } from '../support/builders.js';

const TABLE: OwnedObject = { kind: 'sink-table', name: 'public.totals', where: 'bank' };
const ledgerWith = (state: 'created' | null) =>
  ({
    objectState: () => Promise.resolve(state),
    setObjectState: () => Promise.resolve(),
  }) as unknown as Ledger;

/** Runs `work` in an activity attempt. `suspend` lets a minute pass at once. */
function inAttempt<T>(work: (suspend: () => void) => Promise<T>): Promise<T> {
  vi.useFakeTimers({ toFake: ['Date'] });
  const context = { cancellationSignal: { aborted: false } } as Context;
  attemptBegins(context);
  const suspend = (): void => void vi.setSystemTime(Date.now() + 60_000);
  return asyncLocalStorage.run(context, () => work(suspend));
}
afterEach(() => void vi.useRealTimers());

describe('an attempt that was suspended after it looked for the object', () => {
  it('does not remove it, because a later run may have made an object of that name', async () => {
    let removed = 0;
    const remove = (isSuspended: boolean) =>
      inAttempt((suspend) =>
        removeOwned(
          ledgerWith('created'),
          aRef(),
          TABLE,
          () => Promise.resolve(removed === 0),
          () => Promise.resolve(void (removed += 1)),
          () => {
            if (isSuspended) suspend();
            return Promise.resolve(true);
          },
        ),
      );
    await expect(remove(true)).rejects.toThrow('another attempt has taken over');
    expect(removed).toBe(0);
    await remove(false);
    expect(removed).toBe(1);
  });

  it('does not create it, because a rollback may have removed its claim', async () => {
    let made = 0;
    const create = inAttempt((suspend) =>
      ensureOwned(ledgerWith(null), aRef(), TABLE, {
        exists: () => {
          suspend();
          return Promise.resolve(false);
        },
        create: () => Promise.resolve(void (made += 1)),
      }),
    );
    await expect(create).rejects.toThrow('another attempt has taken over');
    expect(made).toBe(0);
  });
});
