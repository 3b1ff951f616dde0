// A window may be cancelled at any time, for example because its heartbeat came too late. The next
// attempt of the activity may run on the same worker. What the cancelled attempt has read from the
// topic is its fold. The next attempt must not treat this fold as proven.
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { FoldCache } from '../../src/activities/windows/folds/folds.js';
import { FoldFiles } from '../../src/activities/windows/folds/fold-files.js';
import { measure } from '../../src/activities/windows/measure-window.js';
import type { WindowSession } from '../../src/activities/windows/session.js';
import { walkAhead, type WalkInput } from '../../src/activities/windows/tables/range-scan.js';
import { HashFold } from '../../src/compare/hash-fold.js';
import type { Shape } from '../../src/compare/row-comparison.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { aRef } from '../support/builders.js';

const SHAPE: Shape = { key: ['id'], columns: [{ name: 'id', type: 'int8' }] };
const ref = aRef();

/** A table of three blocks, whose topic is empty. */
const answers = (sql: string): object =>
  sql.includes('pg_current_snapshot')
    ? { snapshot: '10:10:', before: '10' }
    : { n: '3', files: '1' };
const session = { query: (sql: string) => Promise.resolve({ rows: [answers(sql)] }) };
const kafka = {
  topicId: () => Promise.resolve('one'),
  lows: () => Promise.resolve(new Map()),
  offsets: () => Promise.resolve([]),
};

describe('a window that is cancelled', () => {
  it('while it reads a table range by range leaves no fold that counts as proven', async () => {
    const fold = new HashFold(SHAPE, 8);
    const input = {
      ref,
      plan: resolve(ref),
      kafka,
      reader: session,
      side: session,
      deps: { snapshotBytes: 8192 },
      catalog: { name: { schema: 'public', table: 't' } },
      topic: 't',
      shape: SHAPE,
      heartbeat: () => undefined,
      mark: () =>
        Promise.resolve({ lsn: '0/1', reached: () => Promise.reject(new Error('cancelled')) }),
    } as unknown as WalkInput;
    await expect(walkAhead(input, () => Promise.resolve(fold))).rejects.toThrow('cancelled');
    expect(fold.provenAt).toBeNull();
  });

  it('leaves no fold to the next attempt', async () => {
    const folds = new FoldCache(new FoldFiles(undefined), 2 ** 20);
    await folds.hashes(ref, 't', SHAPE, 8);
    const environment = new MockActivityEnvironment();
    const cancelled = {
      ref,
      plan: resolve(ref),
      folds,
      kafka: {
        refresh: () => {
          environment.cancel();
          return Promise.reject(new Error('cancelled'));
        },
      },
    } as unknown as WindowSession;
    await expect(environment.run(() => measure(cancelled, null))).rejects.toThrow('cancelled');
    expect(folds.ofTable(ref, 't')).toBeNull();
  });
});
