// Tests with real servers what happens before the commit if a slot retains too much WAL: Sluice
// drops the slot (`onExhaustion: drop-slot`). The WAL of other tests would also count against the
// slot's budget, so this test file runs alone. The migration also encrypts its payloads, and the
// test checks that its history in Temporal shows no details.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Status } from '../../src/domain/evidence/ledger-rows.js';
import { askConnect } from '../support/ask-connect.js';
import { sleepUntil } from '../support/builders.js';
import { live } from '../support/live.js';
import { get, reach, sluice, specFile, testPostgres, waitFor } from '../support/sluice.js';

process.env['TEST_CODEC_KEY'] = randomBytes(32).toString('base64');
process.env['SLUICE_CODEC_KEYS'] = 'k1=env:TEST_CODEC_KEY';
const { aDatabase } = live();

/** Returns what the command `temporal workflow` prints about the migration's last run, as JSON. */
const temporal = (command: 'show' | 'describe', name: string): string =>
  spawnSync(
    'temporal',
    ['workflow', command, '-w', `migration-${name}`, '--output', 'json'].concat(
      '--address',
      process.env['TEMPORAL_ADDRESS']!,
    ),
    { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  ).stdout;

function isInWindow(name: string): boolean {
  const { pendingActivities = [] } = JSON.parse(temporal('describe', name)) as {
    pendingActivities?: { activityType: { name: string }; state: string }[];
  };
  return pendingActivities.some(
    ({ activityType, state }) => activityType.name === 'runWindow' && /STARTED/.test(state),
  );
}

/** Returns the history of the migration's last run, as Temporal shows it without the codec keys. */
function storedHistory(name: string): string {
  const stdout = temporal('show', name);
  // `temporal` shows a payload as JSON if it can read the payload, and otherwise in base64.
  return stdout.replace(/"data": "([^"]*)"/g, (_, data: string) =>
    Buffer.from(data, 'base64').toString('latin1'),
  );
}

const TABLE =
  'CREATE TABLE items (id int PRIMARY KEY, v text); INSERT INTO items SELECT g, repeat(md5(g::text), 4) FROM generate_series(1, 2000) g';

describe('the guard', () => {
  it('drops a slot over the WAL budget, and the run is blocked until a retry begins a new generation', async () => {
    const database = await aDatabase(TABLE);
    const file = specFile('greedy', database.name, ['public.items'], {
      source: {
        postgres: testPostgres(database.name),
        tables: ['public.items'],
        walBudget: { bytes: '20MiB', onExhaustion: 'drop-slot' },
      },
    });
    expect(sluice('start', '-f', file).code).toBe(0);
    await waitFor('greedy', 'approval');
    await askConnect('PUT', 'greedy/stop');
    // A window that waits for the stopped connector fails when the slot is dropped. Its failure is
    // then in the history.
    await sleepUntil('a window', () => isInWindow('greedy'), 60_000, 300);
    for (let n = 0; n < 8; n += 1)
      await database.client.query(
        `SELECT pg_logical_emit_message(true, 'filler', repeat('x', 4000000))`,
      );
    const isLost = (s: Status) => ['wal-budget', 'slot-lost'].includes(s.blocked?.code ?? '');
    await reach('greedy', 'blocked', isLost);
    expect(
      (
        await database.client.query(
          `SELECT 1 FROM pg_replication_slots WHERE slot_name = 'sluice_greedy'`,
        )
      ).rows,
    ).toEqual([]);
    const { stdout: explained } = sluice('explain', 'greedy');
    expect(explained).toMatch(/slot sluice_greedy/);
    const hasFailure = () => storedHistory('greedy').includes('Encoded failure');
    await sleepUntil('an encoded failure in the history', hasFailure, 60_000, 300);
    expect(storedHistory('greedy')).not.toMatch(
      /public\.items|slot sluice_greedy|retains|"tables"/,
    );
    expect(sluice('retry', 'greedy').code).toBe(0);
    await reach(
      'greedy',
      'a new generation that needs an approval',
      (s) => s.generation === 2 && s.needsApproval,
    );
    expect(
      (
        await database.client.query(
          `SELECT slot_name FROM pg_replication_slots WHERE database = current_database()`,
        )
      ).rows,
    ).toEqual([{ slot_name: 'sluice_greedy_g2' }]);
    expect(sluice('cancel', 'greedy', '--yes').code).toBe(0);
    await waitFor('greedy', 'outcome=aborted');
    expect((await get('greedy')).leftovers).toEqual([]);
  });
});
