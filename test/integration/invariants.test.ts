// Checks on one whole run, with real servers, four invariants that must hold for every run (I13,
// I14, I16 and I17 in docs/explanation/cutover.md). Each check also runs on the same data with one
// deliberate error, and must find it.
import { spawnSync } from 'node:child_process';
import type pg from 'pg';
import { describe, expect, it } from 'vitest';
import { Ledger } from '../../src/clients/ledger/ledger.js';
import {
  auditIsWhole,
  historyIsSmall,
  positionsGrow,
  secretsKept,
  type RunRecord,
} from '../support/invariants.js';
import { dismantle, live } from '../support/live.js';
import { get, sluice, startMigration, waitFor } from '../support/sluice.js';

const { aDatabase } = live();
const NAME = 'watched';
const PASSWORD = process.env['PGPASSWORD'] ?? 'sluice-local';
const VALUE = 'planted-value-of-a-row-4712';

async function recordOf(client: pg.Client): Promise<RunRecord> {
  const shown = spawnSync(
    'temporal',
    [
      'workflow',
      'show',
      '-w',
      `migration-${NAME}`,
      '-o',
      'json',
      '--address',
      process.env['TEMPORAL_ADDRESS']!,
    ],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    },
  );
  const ledger = new Ledger(process.env['SLUICE_LEDGER_URL']!);
  try {
    return {
      history: JSON.parse(shown.stdout) as RunRecord['history'],
      shown: [
        ...(['md', 'html', 'json'] as const).map((as) => sluice('report', NAME, '-o', as).stdout),
        sluice('diff', NAME, '-o', 'text').stdout,
        sluice('get', NAME, '-o', 'json').stdout,
        sluice('explain', NAME).stdout,
      ],
      secrets: [PASSWORD, VALUE],
      windows: (await get(NAME)).windows.map(({ number, position }) => ({
        number,
        position,
        generation: 1,
      })),
      events: await ledger.query(
        `SELECT split_part(event_id, '/', 2) AS id, kind FROM sluice.event WHERE name = $1 ORDER BY split_part(event_id, '/', 2)::int`,
        [NAME],
      ),
      objects: await ledger.query(
        'SELECT kind, object_name AS name, state FROM sluice.object WHERE name = $1',
        [NAME],
      ),
      present: (
        await client.query<{ kind: string; name: string }>(
          `SELECT 'slot' AS kind, slot_name AS name FROM pg_replication_slots WHERE database = current_database() UNION ALL SELECT 'publication', pubname FROM pg_publication`,
        )
      ).rows,
    };
  } finally {
    await ledger.close();
  }
}

describe('the invariants of a whole run', () => {
  it('hold for secrets, history size, audit numbers and positions; each check finds a broken run', async () => {
    const database = await aDatabase(
      `CREATE TABLE notes (id int PRIMARY KEY, body text); INSERT INTO notes SELECT g, '${VALUE}' FROM generate_series(1, 50) g`,
    );
    startMigration(NAME, database.name, ['public.notes']);
    await waitFor(NAME, 'approval');
    expect(sluice('approve', NAME, '--approver', 'ann', '--reason', 'green', '--yes').code).toBe(0);
    await waitFor(NAME, 'outcome=migrated');
    const run = await recordOf(database.client);
    expect([secretsKept(run), historyIsSmall(run), auditIsWhole(run), positionsGrow(run)]).toEqual([
      null,
      null,
      null,
      null,
    ]);
    const data = Buffer.from(JSON.stringify({ password: PASSWORD })).toString('base64');
    const leaky = {
      events: [...run.history.events, { eventType: 'X', payloads: [{ metadata: {}, data }] }],
    } as RunRecord['history'];
    expect(secretsKept({ ...run, history: leaky })).toMatch(/^I13/);
    expect(secretsKept({ ...run, shown: [...run.shown, `line 1\n${VALUE}`] })).toMatch(/^I13/);
    const long = {
      events: Array.from({ length: 700 + 12 * run.windows.length }, () => run.history.events[0]!),
    };
    expect(historyIsSmall({ ...run, history: long })).toMatch(/^I14: \d+ events/);
    const fat = {
      events: [
        {
          eventType: 'X',
          input: { metadata: {}, data: Buffer.alloc(40_000, 'x').toString('base64') },
        },
      ],
    } as unknown as RunRecord['history'];
    expect(historyIsSmall({ ...run, history: fat })).toMatch(/^I14: a payload/);
    expect(auditIsWhole({ ...run, events: run.events.filter((_, at) => at !== 3) })).toMatch(
      /^I16: event 4/,
    );
    expect(auditIsWhole({ ...run, objects: run.objects.filter((o) => o.kind !== 'slot') })).toMatch(
      /^I16: slot/,
    );
    const back = run.windows.map((w, at) =>
      at === run.windows.length - 1 ? { ...w, number: w.number + 1, position: '0/1' } : w,
    );
    expect(positionsGrow({ ...run, windows: back })).toMatch(/^I17/);
    await dismantle(database.client, NAME);
  });
});
