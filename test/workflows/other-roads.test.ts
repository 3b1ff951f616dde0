// Tests less usual paths: polled tables, an incremental load, and pipelines that must be moved to a
// new generation.
import { describe, expect, it } from 'vitest';
import { BATCH_PARTS, aSpecInput } from '../support/builders.js';
import { failure, fakes } from '../support/fake-activities.js';
import { play, skipUntil, useBench } from '../support/time-skipping.js';

const bench = useBench();

const anInput = (name: string, more: object): { metadata: { name: string } } =>
  aSpecInput({
    name,
    spec: { validation: { every: '1h', passesInARow: 1 }, soak: { for: '2h', passes: 1 }, ...more },
  }) as { metadata: { name: string } };

describe('a migration', () => {
  it('creates a connector for each table, and no slot or publication, if tables are polled', async () => {
    const fake = fakes();
    const connector = {
      type: 'jdbc-source',
      url: 'http://127.0.0.1:8083',
      mode: 'incrementing',
      incrementingColumn: 'id',
      deletes: 'none',
    };
    await play(bench, fake.activities, anInput('polled', { connector }), async (scene) => {
      await skipUntil(scene, (s) => s.needsApproval);
      await scene.handle.signal('approveCutover', { approver: 'ann' });
      await scene.handle.result();
      const { handedOver } = await scene.status();
      expect(handedOver).toEqual([
        { kind: 'topic', name: 'polled.public.accounts' },
        { kind: 'connector', name: 'polled-public-accounts' },
      ]);
    });
    for (const unwanted of [
      'ensurePublication',
      'claimSlot',
      'identifySlot',
      'watchSnapshot',
      'handOverConnector',
    ])
      expect(fake.calls).not.toContain(unwanted);
  });

  it('repeats the changes that an incremental load overwrote, before the first window', async () => {
    const fake = fakes({ repeatOverwritten: () => Promise.resolve(3) });
    const connector = {
      type: 'debezium-postgres',
      url: 'http://127.0.0.1:8083',
      snapshot: 'incremental',
    };
    await play(bench, fake.activities, anInput('chunks', { connector }), async (scene) => {
      await skipUntil(scene, (s) => s.needsApproval);
      const audit = await scene.handle.query<{ kind: string }[]>('audit');
      expect(audit).toContainEqual(expect.objectContaining({ kind: 'load-repeated', rows: 3 }));
      await scene.handle.signal('rollBack', { by: 'ann', reason: 'test' });
      await scene.handle.result();
    });
    const places = ['watchSnapshot', 'repeatOverwritten', 'identifySlot', 'runWindow'].map((name) =>
      fake.calls.indexOf(name),
    );
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(-1);
  });

  it('waits visibly in a new generation until an external pipeline reads the new topics', async () => {
    let [lost, moved] = [true, false];
    const fake = fakes();
    const window = fake.activities.runWindow.bind(fake.activities);
    fake.activities.runWindow = (input) =>
      lost ? Promise.reject(failure('slot-lost', 'slot gone')) : window(input);
    fake.activities.pipelineHasMoved = () =>
      moved
        ? Promise.resolve()
        : Promise.reject(
            failure('pipeline-must-move', 'group totals has not read moves.g2.public.accounts'),
          );
    await play(bench, fake.activities, anInput('moves', BATCH_PARTS), async (scene) => {
      await scene.reach((s) => s.blocked?.code === 'slot-lost');
      lost = false;
      await scene.handle.signal('retry');
      await scene.reach((s) => s.blocked?.code === 'pipeline-must-move');
      expect(await scene.status()).toMatchObject({
        generation: 2,
        phase: 'catch-up',
        blocked: { detail: expect.stringContaining('moves.g2.public.accounts') as string },
      });
      moved = true;
      await scene.handle.signal('retry');
      await skipUntil(scene, (s) => s.needsApproval);
    });
  });
});
