// Tests a failover of the source during a migration: a standby that has kept the slot is promoted.
// The connector's configuration, and the query that shows whether a standby keeps the slot, are
// those of docs/how-to/managed-postgres.md.
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { sleepUntil } from '../support/builders.js';
import { accounts } from '../support/live.js';
import { blocksOf } from '../support/pages.js';
import {
  TestWorker,
  freshDatabase,
  get,
  reach,
  serverVersion,
  sluiceBeside,
  specFile,
  testPostgres,
  waitFor,
} from '../support/sluice.js';
import { openPair, query } from './standby.js';

const NAME = 'failover';
const SLOT = 'sluice_failover';
const version = await serverVersion();
const PAGE = 'docs/how-to/managed-postgres.md';
const { config } = (
  parse(blocksOf(PAGE, 'yaml')[0]!) as { spec: { connector: { config: object } } }
).spec.connector;
const KEPT_SLOTS = blocksOf(PAGE, 'sql').find((text) => text.includes('is_kept'))!;
const CONNECTOR = {
  type: 'debezium-postgres',
  url: process.env['CONNECT_URL'],
  config: { 'poll.interval.ms': '200', ...config },
};
const cleanUps: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

const fileFor = (database: string, port: number): string =>
  specFile(NAME, database, [], {
    source: { postgres: { ...testPostgres(database), port }, tables: ['public.accounts'] },
    connector: CONNECTOR,
  });

describe('the connector setting slot.failover', () => {
  it('is refused by doctor up to Postgres 16, and on later versions if no standby would keep the slot', async () => {
    const database = await freshDatabase(accounts(10));
    cleanUps.push(database.drop);
    const file = fileFor(database.name, Number(process.env['PGPORT']));
    const { stdout } = await sluiceBeside('doctor', '-f', file, '-o', 'json');
    const { checks } = JSON.parse(stdout) as { checks: Record<string, string>[] };
    expect(checks.find(({ name }) => name === 'source.failover')).toMatchObject({
      status: 'failed',
      detail: expect.stringMatching(
        version < 170_000
          ? /needs Postgres 17 or later, and the server is version 1[456]/
          : /synchronized_standby_slots is empty/,
      ) as string,
    });
  });

  it.skipIf(version < 170_000)(
    'lets the same generation continue on the promoted standby, in a new epoch, without losing a row',
    async () => {
      const pair = await openPair();
      cleanUps.push(pair.remove);
      const worker = new TestWorker();
      await worker.start();
      cleanUps.push(() => worker.kill('SIGTERM'));
      await query(pair.primary, 'postgres', 'CREATE DATABASE bank');
      await query(pair.primary, 'bank', accounts(500));
      const started = await sluiceBeside('start', '-f', fileFor('bank', pair.port));
      expect(started, started.stderr).toMatchObject({ code: 0 });
      await waitFor(NAME, 'approval');
      const before = await get(NAME);
      const seen = before.windows.at(-1)!.number;
      await sleepUntil('the standby keeps the slot', async () => {
        const slots = await query(pair.standby, 'bank', KEPT_SLOTS);
        return slots.some((slot) => slot['slot_name'] === SLOT && slot['is_kept'] === true);
      });
      const addRows = (from: number): string =>
        `INSERT INTO accounts SELECT g, g, 'late' FROM generate_series(${from}, ${from + 99}) g`;
      await query(pair.primary, 'bank', addRows(1001));
      await sleepUntil('the standby has the rows', async () => {
        const [row] = await query(pair.standby, 'bank', 'SELECT count(*)::int AS n FROM accounts');
        return row?.['n'] === 600;
      });
      await pair.failOver();
      await query(pair.standby, 'bank', addRows(2001));
      const after = await reach(
        NAME,
        'a passed window over all rows on the new primary',
        ({ windows, blocked }) => {
          if (blocked && blocked.code !== 'unreachable')
            throw new Error(`blocked: ${blocked.code}: ${blocked.detail}`);
          const { number, verdict, matched } = windows.at(-1)!;
          return number > seen && verdict === 'passed' && matched === 700;
        },
      );
      expect(after.generation).toBe(before.generation);
      expect(after.epoch).toBeGreaterThan(before.epoch);
      expect((await sluiceBeside('cancel', NAME, '--yes')).code).toBe(0);
      await waitFor(NAME, 'outcome=aborted');
      expect(
        await query(
          pair.standby,
          'bank',
          `SELECT FROM pg_replication_slots WHERE slot_name = '${SLOT}'`,
        ),
      ).toEqual([]);
    },
  );
});
