// Tests `sluice compare` on the tables and topics that a migration handed over. The command uses a
// role that may only read. The first test checks that the command creates nothing.
import { spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { ComparisonDocument } from '../../src/domain/evidence/comparison-document.js';
import { connectorNames, kafkaClient, kafkaPort } from './access.js';
import { askConnect } from './ask-connect.js';
import { sleepUntil } from './builders.js';
import { commandsOf } from './pages.js';
import { dismantle, objects } from './live.js';
import { envelope } from './rows.js';
import { CLI, sluiceProcess, specOf } from './sluice.js';
import { temporaryFolder } from './temporary-folder.js';

interface LeftBehind {
  readonly name: string;
  readonly database: { readonly name: string; readonly client: pg.Client };
}

/** Runs `sluice` in a process of its own, so that several commands can run at the same time. */
function run(args: readonly string[]): Promise<{ code: number | null; stdout: string }> {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout })));
}

/**
 * Lists everything that a comparison could create. Other tests use the same Kafka and Connect at
 * the same time. So in these systems, only names of this migration or of a comparison count.
 */
async function everything({ name, database: { client } }: LeftBehind): Promise<object> {
  const own = (names: readonly string[]): string[] =>
    names.filter((one) => one.includes(name) || /compar|sluice/i.test(one)).sort();
  const admin = kafkaClient().admin();
  await admin.connect();
  const topics = own(await admin.listTopics());
  const groups = own((await admin.listGroups()).groups.map(({ groupId }) => groupId));
  await admin.disconnect();
  const { rows } = await client.query(
    "SELECT oid::regclass::text AS name FROM pg_class WHERE relnamespace::regnamespace::text NOT LIKE 'pg_%' ORDER BY 1",
  );
  const connectors = own(await connectorNames());
  return { topics, groups, rows, slots: await objects(client), connectors };
}

/** Registers the tests. `left` returns a migration that has ended, and its database. */
export function compareRuns(left: () => LeftBehind): void {
  const role = `only_reads_${process.pid}`;
  const specFile = (tables: string[], more: Record<string, unknown> = {}): string => {
    const { name, database } = left();
    const spec = specOf(name, database.name, tables, more) as {
      spec: { source: { postgres: object } };
    };
    Object.assign(spec.spec.source.postgres, { user: role });
    const file = join(temporaryFolder('sluice-test-'), 'migration.yaml');
    writeFileSync(file, stringify(spec));
    return file;
  };
  const compare = (file: string, ...options: string[]) => {
    const { code, stdout, stderr } = sluiceProcess('compare', '-f', file, '-o', 'json', ...options);
    if (!stdout.startsWith('{')) throw new Error(`exit ${code}: ${stderr}`);
    return { code, ...(JSON.parse(stdout) as ComparisonDocument) };
  };
  const verdicts = ({ windows }: ComparisonDocument) =>
    Object.fromEntries(windows.map((w) => [w.subject, [w.verdict, w.reason]]));

  beforeAll(async () => {
    const password = process.env['PGPASSWORD']!;
    await left().database.client.query(
      `CREATE ROLE ${role} LOGIN PASSWORD '${password}' NOSUPERUSER NOCREATEDB NOCREATEROLE; GRANT SELECT ON accounts TO ${role}`,
    );
  });
  afterAll(async () => {
    const { name, database } = left();
    await dismantle(database.client, name);
    await database.client.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });

  it('exits with code 0 and creates nothing if all rows are equal and the role may only read', async () => {
    const before = await everything(left());
    const commands = commandsOf('docs/how-to/compare-only.md');
    expect(commands.length).toBeGreaterThan(2);
    const file = specFile(['public.accounts']);
    const ended = await Promise.all(
      commands.map((command) => run(command.replace('migration.yaml', file).split(' '))),
    );
    expect(ended.map(({ code }) => code)).toEqual(commands.map(() => 0));
    const json = ended[commands.findIndex((command) => command.includes('-o json'))]!.stdout;
    const found = JSON.parse(json) as ComparisonDocument;
    expect(found).toMatchObject({ verdict: 'passed', barrier: { kind: 'slot' } });
    expect(found.windows).toMatchObject([
      { subject: 'public.accounts', verdict: 'passed', matched: 200, rowsRead: 200 },
    ]);
    expect(found.evidence.document).toMatchObject({ barrier: { kind: 'slot' } });
    expect(await everything(left())).toEqual(before);
  });

  it('exits with code 3 and shows a row that differs, or is inconclusive if the spec names no slot', async () => {
    const { database } = left();
    const hidden = (sql: string) =>
      database.client.query(
        `ALTER PUBLICATION sluice_${left().name.replaceAll('-', '_')} DROP TABLE accounts; ${sql}; ALTER PUBLICATION sluice_${left().name.replaceAll('-', '_')} ADD TABLE accounts`,
      );
    await hidden('UPDATE accounts SET balance = 7 WHERE id = 77');
    const difference = { key: { id: '77' }, column: 'balance', batch: '7', stream: '84.7' };
    const text = sluiceProcess('compare', '-f', specFile(['public.accounts']));
    expect([text.code, text.stdout]).toEqual([
      3,
      expect.stringMatching(/(mismatched|stale) +id=77 +balance +7 +84\.7/),
    ]);
    // this spec names no slot, so Sluice cannot prove that the new value is not on its way to the
    // topic
    const unproven = compare(specFile(['public.accounts'], { existing: {} }));
    expect(unproven).toMatchObject({
      code: 1,
      verdict: 'inconclusive',
      barrier: { kind: 'none' },
      differences: [difference],
    });
    expect(unproven.reason).toContain('may be in flight');
    await hidden('UPDATE accounts SET balance = 84.70 WHERE id = 77');
    expect(compare(specFile(['public.accounts'], { existing: {} })).code).toBe(0);
  });

  it('is inconclusive if no connector reads the slot, and leaves nothing behind on SIGINT', async () => {
    const { name, database } = left();
    await askConnect('PUT', `${name}/stop`);
    try {
      await sleepUntil('the slot is idle', async () => (await slotsInUse(database.client)) === 0);
      await database.client.query("INSERT INTO accounts VALUES (1000, 1.10, 'late')");
      const found = compare(specFile(['public.accounts']), '--within', '1s');
      expect(found).toMatchObject({ code: 1, verdict: 'inconclusive', differences: [] });
      expect(found.reason).toMatch(
        /acknowledged .* needed; this was still so at the time limit; no process reads/,
      );

      const child = spawn(process.execPath, [CLI, 'compare', '-f', specFile(['public.accounts'])], {
        stdio: 'ignore',
      });
      const ended = new Promise((resolve) => child.once('exit', resolve));
      const sessions = async () =>
        (
          await database.client.query('SELECT FROM pg_stat_activity WHERE application_name = $1', [
            `sluice/${name}`,
          ])
        ).rowCount;
      await sleepUntil('it waits for the slot', async () => (await sessions()) === 2);
      child.kill('SIGINT');
      expect(await ended).toBe(130);
      await sleepUntil('no session is left', async () => (await sessions()) === 0);
      expect(readdirSync(tmpdir()).filter((f) => f.startsWith('sluice-compare-'))).toEqual([]);
    } finally {
      await database.client.query('DELETE FROM accounts WHERE id = 1000');
      await askConnect('PUT', `${name}/resume`);
    }
  });

  it('names each table and topic that it cannot compare, and still compares the others', async () => {
    const { name, database } = left();
    const two = '(id bigint PRIMARY KEY, note text)';
    const made = ['secret', 'unsent', 'wide', 'beheaded', 'other_key'];
    await database.client.query(
      `CREATE VIEW seen AS SELECT * FROM accounts; ${made.map((t) => `CREATE TABLE ${t} ${two}; INSERT INTO ${t} VALUES (1, 'a')`).join('; ')};
       GRANT SELECT ON seen, unsent, wide, beheaded, other_key TO ${role}`,
    );
    await topicsThatDoNotFit(name);
    const file = specFile(['public.accounts', 'public.seen', ...made.map((t) => `public.${t}`)], {
      existing: {
        slot: `sluice_${name.replaceAll('-', '_')}`,
        topics: Object.fromEntries(
          ['wide', 'beheaded', 'other_key'].map((t) => [`public.${t}`, `${name}-${t}`]),
        ),
      },
    });
    const found = compare(file);
    expect(found).toMatchObject({ code: 1, verdict: 'inconclusive' });
    const open = (reason: RegExp) => ['inconclusive', expect.stringMatching(reason)];
    expect(verdicts(found)).toEqual({
      'public.accounts': ['passed', expect.any(String)],
      'public.seen': open(/is a view: no topic contains its rows/),
      'public.secret': open(/GRANT SELECT ON public\.secret TO only_reads/),
      'public.unsent': open(/topic .*\.public\.unsent does not exist/),
      'public.wide': open(/has 3 partitions, .* set kafka\.partitions: 3/),
      'public.beheaded': open(/begins at offset 1: .* deleted its beginning/),
      'public.other_key': open(/1 records or rows cannot be read, which may explain/),
    });
  });
}

const slotsInUse = async (client: pg.Client): Promise<number> =>
  (
    await client.query(
      'SELECT FROM pg_replication_slots WHERE database = current_database() AND active',
    )
  ).rowCount ?? 0;

/**
 * Creates three topics: one has three partitions, one has a deleted beginning, and one has keys of
 * other columns.
 */
async function topicsThatDoNotFit(name: string): Promise<void> {
  const client = kafkaClient();
  const admin = client.admin();
  const producer = client.producer();
  await Promise.all([admin.connect(), producer.connect()]);
  const topics = [
    ['wide', 3],
    ['beheaded', 1],
    ['other_key', 1],
  ] as const;
  await admin.createTopics({
    topics: topics.map(([table, numPartitions]) => ({
      topic: `${name}-${table}`,
      numPartitions,
      configEntries: [{ name: 'cleanup.policy', value: 'delete' }], // records can be deleted
    })),
  });
  const value = envelope('c', '{"id":1,"note":"a"}', 1).toString();
  const messages = [{ key: '{"id":1}', value }];
  await producer.send({ topic: `${name}-beheaded`, messages: [...messages, ...messages] });
  await producer.send({ topic: `${name}-other_key`, messages: [{ key: '{"note":"a"}', value }] });
  // Sluice's client deletes the record, because kafkajs finds no leader for a topic that its
  // connection has not used yet
  const port = kafkaPort();
  await port.deleteRecords(`${name}-beheaded`, new Map([[0, 1]]));
  await Promise.all([admin.disconnect(), producer.disconnect(), port.disconnect()]);
}
