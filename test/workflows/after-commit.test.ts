// Tests the time around the commit: a commit that happened after all, and a route that another
// system switches.
import { describe, expect, it } from 'vitest';
import { aSpecInput } from '../support/builders.js';
import { fakes, failure } from '../support/fake-activities.js';
import { play, useBench } from '../support/time-skipping.js';

const bench = useBench();

const anInput = (name: string, more: object = {}) =>
  aSpecInput({
    name,
    spec: { validation: { every: '1h', passesInARow: 1 }, soak: { for: '1s', passes: 0 }, ...more },
  }) as { metadata: { name: string } };

describe('a commit that happened after all', () => {
  it('is found at the release, and the migration continues as committed', async () => {
    const fake = fakes();
    const activities = {
      ...fake.activities,
      commitCutover: () => {
        // an earlier call of this attempt committed late, and the retry was refused
        fake.switched = true;
        return Promise.resolve({ refused: 'batch run 7 started after the fence' });
      },
      releaseFence: () => Promise.resolve({ committed: fake.switched }),
    };
    await play(bench, activities, anInput('after-all'), async ({ handle, status, reach }) => {
      await reach((s) => s.needsApproval);
      await handle.signal('approveCutover', { approver: 'ann' });
      expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
      expect((await status()).route).toMatchObject({ side: 'stream' });
    });
  });
});

describe('a route by HTTP', () => {
  it('is ordered after the commit until the system accepts it, and is then observed', async () => {
    let refusals = 2;
    const fake = fakes();
    const activities = {
      ...fake.activities,
      orderRoute: () => {
        fake.calls.push('orderRoute');
        if (refusals-- > 0) throw failure('route-unexpected', 'PUT http://route answered 403');
        return Promise.resolve();
      },
    };
    const input = aSpecInput({
      name: 'by-http',
      spec: {
        batch: { result: { table: 'public.r', key: ['id'] }, query: { sql: 'SELECT 1 AS id' } },
        pipeline: { type: 'external', groups: ['g'], output: { topic: 'o', key: ['id'] } },
        cutover: { route: { type: 'http', url: 'http://127.0.0.1:9/route' } },
        validation: { every: '1h', passesInARow: 1 },
        soak: { for: '1s', passes: 0 },
      },
    }) as { metadata: { name: string } };
    await play(bench, activities, input, async ({ handle, reach }) => {
      await reach((s) => s.needsApproval);
      expect(await handle.query<string>('explain')).toContain(
        'not in one transaction with the commit',
      );
      await handle.signal('approveCutover', { approver: 'ann' });
      await reach((s) => s.blocked?.code === 'route-unexpected');
      expect(fake.switched).toBe(true);
      await handle.signal('retry');
      expect(await handle.result()).toMatchObject({ outcome: 'migrated' });
      expect(fake.calls.indexOf('commitCutover')).toBeLessThan(fake.calls.indexOf('orderRoute'));
      expect(fake.calls.lastIndexOf('orderRoute')).toBeLessThan(
        fake.calls.lastIndexOf('observeRoute'),
      );
    });
  });
});
