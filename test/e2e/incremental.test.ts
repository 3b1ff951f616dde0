// Tests `connector.snapshot: incremental` with real Debezium: the initial load in chunks while a
// writer is active. The load continues after the connector was restarted.
import { describe, expect, it } from 'vitest';
import { connectAccess, kafkaPort } from '../support/access.js';
import { askConnect } from '../support/ask-connect.js';
import { sleepUntil } from '../support/builders.js';
import { accounts, busy, dismantle, live, objects } from '../support/live.js';
import { get, sluice, specFile, startMigration, waitFor } from '../support/sluice.js';

const { aDatabase } = live();

const spec = (): Record<string, unknown> => ({
  connector: {
    type: 'debezium-postgres',
    ...connectAccess(),
    snapshot: 'incremental',
  },
});
const restart = () => askConnect('POST', 'chunks/restart?includeTasks=true');

describe('an initial load in chunks', () => {
  it('is exact with a busy writer and a connector restart, and its signal topic is not handed over', async () => {
    const database = await aDatabase(
      `${accounts(30_000)} CREATE TABLE nothing (id int PRIMARY KEY)`,
    );
    const stop = busy(database, 100);
    const file = specFile('chunks', database.name, ['public.accounts', 'public.nothing'], spec());
    expect(sluice('start', '-f', file).code).toBe(0);
    const kafka = kafkaPort();
    await sleepUntil(
      'the first chunks',
      async () =>
        ((await kafka.offsets('chunks.public.accounts').catch(() => [])).at(0)?.high ?? 0) > 9_000,
    );
    await restart();
    await waitFor('chunks', 'approval');
    expect(
      sluice('approve', 'chunks', '--approver', 'ann', '--reason', 'proven', '--yes').code,
    ).toBe(0);
    await waitFor('chunks', 'outcome=migrated');
    await stop();
    const status = await get('chunks');
    expect(status).toMatchObject({ outcome: 'migrated', leftovers: [] });
    expect(
      status.windows
        .filter((w) => w.subject === 'public.accounts')
        .every((w) => w.mode === 'exact' && w.verdict === 'passed'),
    ).toBe(true);
    expect(status.tables.find((t) => t.table === 'public.accounts')!.rowsScanned).toBeGreaterThan(
      0,
    );
    // the final window rests on the full pass before the fence, and reads only rows that changed
    // after that pass
    const { events } = JSON.parse(sluice('report', 'chunks', '-o', 'json').stdout) as {
      events: { kind: string; part?: string; detail: string }[];
    };
    const final = events.find((e) => e.kind === 'proof' && e.detail.includes('final window'))!;
    const [, rest] = /proven by the full pass of window (\d+)/.exec(final.detail)!;
    const [before, under] = [Number(rest), Number(rest) + 1].map((number) =>
      status.windows.find((w) => w.number === number && w.subject === 'public.accounts')!,
    );
    expect(before).toMatchObject({ verdict: 'passed', provenEarlier: 0 });
    expect(under!.reason).toMatch(/read \d+ rows under the fence, of \d+ keys that changed since/);
    expect(under!.rowsRead).toBeGreaterThan(0);
    expect(under!.rowsRead).toBeLessThan(before!.rowsRead! / 2);
    expect(under!.rowsRead! + under!.provenEarlier!).toBe(under!.matched);
    expect(status.handedOver.map((o) => o.name)).not.toContain('chunks.signals');
    expect(await kafka.listTopics()).not.toContain('chunks.signals');
    expect(await kafka.describeGroup('chunks-signals')).toMatchObject({ type: 'absent' });
    await kafka.disconnect();
    await dismantle(database.client, 'chunks');
  });

  it('leaves nothing if it is rolled back in the middle', async () => {
    const database = await aDatabase(accounts(30_000));
    startMigration('chunks-back', database.name, ['public.accounts'], spec());
    await waitFor('chunks-back', 'phase=connect');
    expect(sluice('rollback', 'chunks-back', '--reason', 'test', '--yes').code).toBe(0);
    await waitFor('chunks-back', 'outcome=rolled-back');
    expect(await get('chunks-back')).toMatchObject({ leftovers: [] });
    expect(await objects(database.client)).toEqual([]);
  });
});
