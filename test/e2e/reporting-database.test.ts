// Tests a migration whose result, sink, view and lease row are not in the source's database. The
// role of each database cannot log in to the other database.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { Ledger } from '../../src/clients/ledger/ledger.js';
import { kafkaPort } from '../support/access.js';
import { askConnect } from '../support/ask-connect.js';
import { sleepUntil } from '../support/builders.js';
import { dismantle, live } from '../support/live.js';
import { commandsOf } from '../support/pages.js';
import { sluice, waitFor, type Ran } from '../support/sluice.js';
import { twoDatabases, viewOf, type TwoDatabases } from '../support/two-databases.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const NAME = 'reporting';
const folder = temporaryFolder('sluice-reporting-');
const file = join(folder, 'migration.yaml');
live();
let both: TwoDatabases;
let pipeline: ChildProcess | undefined;

beforeAll(async () => {
  both = await twoDatabases();
  writeSpec('2s');
});
afterAll(async () => {
  pipeline?.kill('SIGKILL');
  for (const part of [`${NAME}-sink`, `${NAME}-sink-g2`]) await askConnect('DELETE', part);
  await both.drop();
});

/** Writes the spec with a soak of this duration. */
const writeSpec = (soak: string): void =>
  writeFileSync(file, stringify(both.spec(NAME, { soak: { for: soak, passes: 1 } })));

/** Runs a command that docs/how-to/reporting-database.md shows. */
function fromPage(command: string, ...more: string[]): Ran {
  const shown = commandsOf('docs/how-to/reporting-database.md');
  expect(shown).toContain(`${command} -f migration.yaml`);
  return sluice(...command.split(' '), '-f', file, ...more);
}

/** Runs SQL as a person would paste it. */
const psql = (database: string, sql: string): string => {
  const script = join(folder, `${database}.sql`);
  writeFileSync(script, sql);
  const { status, stderr } = spawnSync(
    'psql',
    ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', database, '-f', script],
    { encoding: 'utf8' },
  );
  return status === 0 ? 'ok' : stderr;
};

/** Starts the migration with a pipeline that reads `input`, and approves it. */
async function cutOver(input: string): Promise<void> {
  expect(sluice('start', '-f', file)).toMatchObject({ code: 0 });
  const kafka = kafkaPort();
  await sleepUntil('the topic is there', async () => (await kafka.listTopics()).includes(input));
  await kafka.disconnect();
  const args = [input, `${NAME}-counts`, `${NAME}-counts`];
  pipeline = spawn(process.execPath, ['test/support/counts-pipeline.mjs', ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  await waitFor(NAME, 'approval');
  expect(sluice('approve', NAME, '--approver', 'ann', '--reason', 'proven', '--yes')).toMatchObject(
    { code: 0 },
  );
}

const count = async (client: TwoDatabases['source']['client'], sql: string): Promise<number> =>
  (await client.query(sql)).rows.length;
const LEASES = `SELECT FROM pg_namespace WHERE nspname LIKE 'sluice%'`;

describe('a migration with a reporting database', () => {
  it('gets its rights from the SQL of `init --sql`, which has one part for each database', () => {
    const { code, stdout } = fromPage('init --sql');
    expect(code).toBe(0);
    const [ofSource, ofTarget] = stdout.split(/^-- Run this SQL in database /m).slice(1);
    expect([
      psql(both.source.name, `-- ${ofSource}`),
      psql(both.target.name, `-- ${ofTarget}`),
    ]).toEqual(['ok', 'ok']);
    expect(ofSource).not.toContain(both.roles.target);
    expect(ofTarget).not.toContain(both.roles.source);
    const { checks } = JSON.parse(fromPage('doctor', '-o', 'json').stdout) as {
      checks: { name: string; status: string; detail: string }[];
    };
    const open = checks.filter(({ status }) => status === 'failed' || status === 'unknown');
    expect(open).toEqual([]);
    expect(checks.find(({ name }) => name === 'target.reachable')).toMatchObject({
      status: 'passed',
    });
  });

  it('says in its plan which database has which object', () => {
    const plan = JSON.parse(fromPage('plan', '-o', 'json').stdout) as {
      creates: { kind: string; where: string }[];
      cutover: { name: string; does: string }[];
    };
    const where = (kind: string) => plan.creates.find((o) => o.kind === kind)?.where;
    expect(where('slot')).toBe(both.source.name);
    expect(
      [where('lease'), where('sink-table')].every((w) => w?.startsWith(`${both.target.name} on `)),
    ).toBe(true);
    expect(plan.cutover.find(({ name }) => name === 'commit')?.does).toContain(both.target.name);
  });

  it('restores the view at a rollback, and leaves neither lease nor sink table in the target', async () => {
    const before = await viewOf(both);
    writeSpec('1h'); // a rollback is possible only before the end of the soak
    await cutOver(`${NAME}.public.orders`);
    await waitFor(NAME, 'phase=soak');
    expect(await viewOf(both)).not.toEqual(before);
    expect(await count(both.source.client, LEASES)).toBe(0);
    expect(await count(both.target.client, LEASES)).toBe(1);
    pipeline?.kill('SIGKILL');
    expect(sluice('rollback', NAME, '--reason', 'test', '--yes')).toMatchObject({ code: 0 });
    await waitFor(NAME, 'outcome=rolled-back');
    expect(await viewOf(both)).toEqual(before);
    expect(await count(both.target.client, LEASES)).toBe(0);
    expect(
      await count(both.target.client, `SELECT FROM pg_class WHERE relname = 'counts_stream'`),
    ).toBe(0);
  });

  it('ends as migrated, and its evidence names the database of the sink', async () => {
    writeSpec('2s');
    await cutOver(`${NAME}.g2.public.orders`);
    await waitFor(NAME, 'outcome=migrated');
    const rows = (sql: string) => both.target.client.query<object>(sql);
    const [now, wanted] = [
      await rows('SELECT bucket, n FROM counts ORDER BY 1'),
      await both.source.client.query(
        'SELECT bucket, count(*) AS n FROM orders GROUP BY 1 ORDER BY 1',
      ),
    ];
    expect(now.rows).toEqual(wanted.rows);
    expect(((await viewOf(both)) as { text: string }).text).toContain('counts_stream');
    expect(await count(both.target.client, LEASES)).toBe(0);
    const ledger = new Ledger(process.env['SLUICE_LEDGER_URL']!);
    const documents = JSON.stringify(await ledger.evidence(NAME, 2));
    await ledger.close();
    expect(documents).toContain(`"sinkIn":"${both.target.name} on `);
    await askConnect('DELETE', `${NAME}-sink-g2`);
    await dismantle(both.source.client, `${NAME}-g2`);
  });
});
