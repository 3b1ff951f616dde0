// Tests migrations that have no batch, on real servers under load. The tests use the public command
// line and the plain `temporal` command.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import type { StatusWithWindows } from '../../src/domain/evidence/ledger-rows.js';
import { connectorNames, kafkaClient } from '../support/access.js';
import { sleepUntil } from '../support/builders.js';
import { accounts, busy, dismantle, live, objects } from '../support/live.js';
import { envelope } from '../support/rows.js';
import { get, reach, sluice, specFile, startMigration, waitFor } from '../support/sluice.js';

const { aDatabase, worker } = live();

const temporal = (...args: string[]) =>
  spawnSync('temporal', ['--address', process.env['TEMPORAL_ADDRESS']!, ...args], {
    encoding: 'utf8',
  });
/** Sends a signal with Temporal's own command, as every other client can. */
function signal(name: string, message: string, input: string): void {
  const to = ['-w', `migration-${name}`, '--name', message, '--input', input];
  expect(temporal('workflow', 'signal', ...to).status).toBe(0);
}

const hasFailed = ({ windows }: StatusWithWindows) => windows.some((w) => w.verdict === 'failed');

describe('a migration of tables', () => {
  it('passes every window under a busy writer, is approved by a Temporal signal, and ends as migrated', async () => {
    // the table has enough rows that later windows read only changed rows and a scrub
    const database = await aDatabase(accounts(30_000));
    const stop = busy(database);
    const file = specFile('hot', database.name, ['public.accounts']);
    expect(sluice('start', '-f', file).code).toBe(0);
    await waitFor('hot', 'approval');
    expect(sluice('start', '-f', file)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('already running; nothing was changed') as string,
    });
    signal('hot', 'approveCutover', '{"rubbish": true}');
    signal('hot', 'approveCutover', '{"approver": "ann"}');
    await waitFor('hot', 'outcome=migrated');
    expect(await stop()).toBeGreaterThan(1000);
    const status = await get('hot');
    expect(status).toMatchObject({
      outcome: 'migrated',
      leftovers: [],
      epoch: 1,
      route: { side: 'stream' },
    });
    expect(status.windows.every((w) => w.verdict === 'passed' && w.compared! >= 29_990)).toBe(true);
    expect(
      status.windows.some((w) =>
        /re-read [1-9]\d* changed rows and \d+ rows of scrub/.test(w.reason),
      ),
    ).toBe(true);
    expect(status.handedOver.map((o) => o.kind).sort()).toEqual([
      'connector',
      'publication',
      'slot',
      'topic',
      'topic',
    ]);
    expect(sluice('start', '-f', file)).toMatchObject({ code: 1 });
    const { evidence } = JSON.parse(sluice('report', 'hot', '-o', 'json').stdout) as {
      evidence: { number: number; digest: string; chain: string }[];
    };
    expect(evidence.map((link) => link.number)).toEqual(status.windows.map((w) => w.number));
    let chain = '';
    for (const link of evidence)
      expect(link.chain).toBe(
        (chain = createHash('sha256')
          .update(chain + link.digest)
          .digest('hex')),
      );
    await dismantle(database.client, 'hot');
  });

  it('ends a window early if a column is wrong in every row, and names the column and the difference', async () => {
    const database = await aDatabase(
      `CREATE TABLE wide (id int PRIMARY KEY, n int NOT NULL, filler text); INSERT INTO wide SELECT g, g, repeat(md5(g::text), 24) FROM generate_series(1, 60000) g`,
    );
    startMigration('shifted', database.name, ['public.wide']);
    await reach('shifted', 'a passed window', (s) => s.windows.some((w) => w.verdict === 'passed'));
    await database.client.query(
      'ALTER PUBLICATION sluice_shifted DROP TABLE wide; UPDATE wide SET n = n + 7; ALTER PUBLICATION sluice_shifted ADD TABLE wide',
    );
    await reach('shifted', 'a failed window', hasFailed);
    const failed = (await get('shifted')).windows.find((w) => w.verdict === 'failed')!;
    expect(failed.reason).toMatch(
      /^mismatched \d+ rows > 0 allowed: stopped after \d+ of 60000 rows, .* of the examined rows differ in n \(stream = batch − 7\)$/,
    );
    expect(failed.mismatched! + failed.matched!).toBeLessThan(60_000);
    expect(sluice('rollback', 'shifted', '--reason', 'test', '--yes').code).toBe(0);
    await waitFor('shifted', 'outcome=rolled-back');
  });

  it('continues after kill -9, finds a row that is older in the topic, and then asks for no approval', async () => {
    const database = await aDatabase(accounts(30_000));
    startMigration('wrong-row', database.name, ['public.accounts']);
    await reach('wrong-row', 'a window that read only what changed', (s) =>
      s.windows.some((w) => w.reason.includes('of scrub')),
    );
    await worker.restart();
    const before = (await get('wrong-row')).windows.at(-1)!.number;
    await reach('wrong-row', 'a later window', (s) => s.windows.at(-1)!.number > before);
    // without the key table in its state file, the worker would have read every row
    expect((await get('wrong-row')).windows.find((w) => w.number > before)!.reason).toContain(
      'of scrub',
    );
    // The stream cannot see these writes, because the publication lacks the table for a moment.
    await database.client.query(
      `ALTER PUBLICATION sluice_wrong_row DROP TABLE accounts; UPDATE accounts SET balance = 7 WHERE id = 77; DELETE FROM accounts WHERE id = 78; ALTER PUBLICATION sluice_wrong_row ADD TABLE accounts`,
    );
    // the ledger has the window a moment before the run withdraws its evidence
    await reach('wrong-row', 'a failed window', (s) => hasFailed(s) && !s.needsApproval);
    const diff = JSON.parse(sluice('diff', 'wrong-row', '-o', 'json').stdout) as {
      counts: object;
      differences: object[];
    };
    expect(diff.counts).toEqual({ stale: 1, extraneous: 1 });
    expect(diff.differences).toContainEqual({
      class: 'stale',
      key: { id: '77' },
      column: 'balance',
      batch: '7',
      stream: '84.7',
    });
    expect(sluice('wait', 'wrong-row', '--for', 'approval', '--timeout', '5s').code).toBe(5);
    expect(sluice('rollback', 'wrong-row', '--reason', 'test').code).toBe(2);
    expect(sluice('rollback', 'wrong-row', '--reason', 'test', '--yes').code).toBe(0);
    await waitFor('wrong-row', 'outcome=rolled-back');
    expect(await objects(database.client)).toEqual([]);
  });

  it('finds a record that a foreign program wrote to the topic, although the source never changed', async () => {
    const database = await aDatabase(accounts(30_000));
    startMigration('foreign', database.name, ['public.accounts']);
    await reach('foreign', 'a window that read only what changed', (s) =>
      s.windows.some((w) => w.reason.includes('of scrub')),
    );
    const producer = kafkaClient().producer();
    await producer.connect();
    const value = envelope('u', '{"id":123,"balance":"1.00","note":null}', 1).toString();
    await producer.send({
      topic: 'foreign.public.accounts',
      messages: [{ key: '{"id":123}', value }],
    });
    await producer.disconnect();
    await reach('foreign', 'a failed window', hasFailed);
    const diff = JSON.parse(sluice('diff', 'foreign', '-o', 'json').stdout) as {
      differences: object[];
    };
    expect(diff.differences).toEqual([
      { class: 'mismatched', key: { id: '123' }, column: 'balance', batch: '135.3', stream: '1' },
    ]);
    expect(sluice('cancel', 'foreign', '--yes').code).toBe(0);
    await waitFor('foreign', 'outcome=aborted');
  });

  it('reports a row as missing if a foreign tombstone deleted it, and shows a record under a wrong key', async () => {
    const database = await aDatabase(accounts(300));
    const file = specFile('buried', database.name, ['public.accounts'], {
      validation: { every: '1s', passesInARow: 1000 },
    });
    expect(sluice('start', '-f', file).code).toBe(0);
    await reach('buried', 'a passed window', (s) => s.windows.some((w) => w.verdict === 'passed'));
    // the connector's own tombstone after this delete must not count as a difference
    await database.client.query('DELETE FROM accounts WHERE id = 5');
    const count = (await get('buried')).windows.at(-1)!.number;
    await reach('buried', 'two more windows', (s) => s.windows.at(-1)!.number > count + 2);
    expect((await get('buried')).windows.at(-1)).toMatchObject({ verdict: 'passed', matched: 299 });
    const producer = kafkaClient().producer({
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    const send = (key: string, value: string | null) =>
      producer.send({ topic: 'buried.public.accounts', messages: [{ key, value }] });
    await send('{"id":7}', null);
    await reach('buried', 'a failed window', hasFailed);
    const diff = () =>
      JSON.parse(sluice('diff', 'buried', '-o', 'json').stdout) as { differences: object[] };
    expect(diff().differences).toMatchObject([{ class: 'missing', key: { id: '7' } }]);
    await send('{"id":8}', envelope('u', '{"id":9,"balance":"9.90","note":null}', 1).toString());
    await producer.disconnect();
    await sleepUntil('the foreign key is shown', () =>
      diff().differences.some((d) => JSON.stringify(d).includes('not the key of its row')),
    );
    expect(sluice('cancel', 'buried', '--yes').code).toBe(0);
    await waitFor('buried', 'outcome=aborted');
  });

  it('leaves nothing after reject, cancel and rollback, and starts again with a new generation', async () => {
    const database = await aDatabase(accounts());
    const file = specFile('again', database.name, ['public.accounts'], {
      validation: { every: '1s', passesInARow: 1 },
    });
    const ends: [string, () => number | null][] = [
      [
        'rejected',
        () => sluice('reject', 'again', '--approver', 'ann', '--reason', 'no', '--yes').code,
      ],
      ['aborted', () => sluice('cancel', 'again', '--yes').code],
      ['rolled-back', () => sluice('rollback', 'again', '--reason', 'no', '--yes').code],
    ];
    for (const [at, [outcome, end]] of ends.entries()) {
      expect(sluice('start', '-f', file).code).toBe(0);
      await waitFor('again', 'approval');
      expect(await get('again')).toMatchObject({
        iteration: at + 1,
        generation: at + 1,
        phase: 'approve',
      });
      expect(end()).toBe(0);
      await waitFor('again', `outcome=${outcome}`);
      expect(await get('again')).toMatchObject({
        outcome,
        phase: 'roll-back',
        leftovers: [],
        route: { side: 'batch' },
      });
      expect(sluice('wait', 'again', '--for', 'outcome=migrated', '--timeout', '5s').code).toBe(6);
      expect(await objects(database.client)).toEqual([]);
      expect(await connectorNames()).not.toContainEqual(expect.stringMatching(/^again/));
    }
  });
});

describe('bad input', () => {
  it('blocks a started migration until a person fixes it, and the migration can be cancelled', async () => {
    const database = await aDatabase('CREATE TABLE accounts (id int)');
    startMigration('parked', database.name, ['public.accounts']);
    await waitFor('parked', 'blocked');
    expect((await get('parked')).blocked).toMatchObject({
      code: 'preflight-failed',
      detail: expect.stringContaining('no primary key') as string,
    });
    expect(await objects(database.client)).toEqual([]);
    await database.client.query('ALTER TABLE accounts ADD PRIMARY KEY (id)');
    expect(sluice('retry', 'parked').code).toBe(0);
    await waitFor('parked', 'phase=validate');
    expect(sluice('cancel', 'parked', '--yes').code).toBe(0);
    await waitFor('parked', 'outcome=aborted');
    expect(await objects(database.client)).toEqual([]);
  });
});
