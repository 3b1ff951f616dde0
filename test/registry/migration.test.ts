// Tests migrations whose topics contain Avro, with a real schema registry and its converter.
import { readFileSync } from 'node:fs';
import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { KafkaPort } from '../../src/clients/kafka/kafka.js';
import { readTopic, type KafkaRecord } from '../../src/clients/kafka/records.js';
import type { Check } from '../../src/domain/evidence/check.js';
import { accounts, busy, live } from '../support/live.js';
import {
  get,
  reach,
  sluice,
  specFile,
  startMigration,
  waitFor,
  type Ran,
} from '../support/sluice.js';
import { blocksOf } from '../support/pages.js';

const { aDatabase } = live();

const PAGE = readFileSync('docs/how-to/registry.md', 'utf8');

/** Returns `spec.kafka` of docs/how-to/registry.md, with the addresses of this stack. */
function kafkaSpec(): { registry: object } {
  const text = blocksOf('docs/how-to/registry.md', 'yaml')[0]!
    .replace('kafka.internal:9092', process.env['KAFKA_BROKERS']!)
    .replace('https://registry.internal/apis/ccompat/v7', process.env['REGISTRY_URL']!);
  return (parse(text) as { spec: { kafka: { registry: object } } }).spec.kafka;
}

/** Runs a command that docs/how-to/registry.md shows, with a spec of this test. */
function fromPage(command: string, file: string, ...more: string[]): Ran {
  expect(PAGE).toContain(`sluice ${command} -f migration.yaml\n`);
  return sluice(command, '-f', file, ...more);
}

/** Returns copies of all records of a topic. */
async function recordsOf(topic: string): Promise<KafkaRecord[]> {
  const brokers = [process.env['KAFKA_BROKERS']!];
  const port = new KafkaPort({ brokers, replication: 1, partitions: 3, tls: false }, () => '');
  const found: KafkaRecord[] = [];
  try {
    await readTopic(port, topic, ({ key, value, ...place }) => {
      found.push({ ...place, key: key && Buffer.from(key), value: value && Buffer.from(value) });
    });
  } finally {
    await port.disconnect();
  }
  return found;
}

async function write(topic: string, message: KafkaRecord): Promise<void> {
  const kafka = new kafkajs.Kafka({ brokers: [process.env['KAFKA_BROKERS']!] });
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages: [message] });
  await producer.disconnect();
}

/** Replaces a text in the bytes of a record with a different text of the same length. */
function changed(record: KafkaRecord, from: string, to: string): KafkaRecord {
  const value = Buffer.from(record.value!);
  expect([from.length, value.includes(from)]).toEqual([to.length, true]);
  value.write(to, value.lastIndexOf(from));
  return { ...record, value };
}

describe('doctor', () => {
  it('names a missing converter, a missing registry, and columns that Avro would rename or change', async () => {
    const { name } = await aDatabase(
      `CREATE TABLE odd (id int PRIMARY KEY, "a-b" int, note text DEFAULT 'none')`,
    );
    const open = (registry: object): string => {
      const kafka = { ...kafkaSpec(), registry: { ...kafkaSpec().registry, ...registry } };
      const file = specFile('avro-odd', name, ['public.odd'], { kafka });
      const ran = fromPage('doctor', file, '-o', 'json');
      const { checks } = JSON.parse(ran.stdout) as { checks: Check[] };
      const found = checks.filter((check) => check.name.startsWith('registry.'));
      return found
        .filter(({ status }) => status !== 'passed')
        .map((check) => `${check.name} ${check.status}: ${check.detail}; ${check.remedy}`)
        .join('\n');
    };
    expect(open({ converter: 'confluent' })).toMatch(
      /registry\.converter failed: .*io\.confluent\.connect\.avro\.AvroConverter is not installed.*plugin\.path/,
    );
    const away = open({ url: 'http://127.0.0.1:1/apis/ccompat/v7' });
    expect(away).toMatch(/registry\.reachable failed: .*127\.0\.0\.1:1.*kafka\.registry\.url/);
    expect(away).toMatch(/registry\.names failed: .*public\.odd\.a-b/);
    expect(away).toMatch(/registry\.defaults failed: .*public\.odd\.note/);
  });
});

describe('a migration in Avro', () => {
  it('passes its windows with a busy writer and ends as migrated, with Avro in its topics', async () => {
    const database = await aDatabase(accounts());
    const stop = busy(database);
    const file = specFile('avro', database.name, ['public.accounts'], { kafka: kafkaSpec() });
    expect(fromPage('doctor', file).code).toBe(0);
    const started = fromPage('start', file);
    expect(started.code, started.stderr).toBe(0);
    await waitFor('avro', 'approval');
    expect(sluice('approve', 'avro', '--approver', 'ann', '--reason', 'proven', '--yes').code).toBe(
      0,
    );
    await waitFor('avro', 'outcome=migrated');
    await stop();
    const { outcome, leftovers, windows } = await get('avro');
    expect({ outcome, leftovers }).toEqual({ outcome: 'migrated', leftovers: [] });
    expect(windows.every((w) => w.verdict === 'passed' && w.compared! >= 4990)).toBe(true);
    const records = await recordsOf('avro.public.accounts');
    expect(records.length).toBeGreaterThan(5000);
    expect(
      records.every(({ key, value }) => key![0] === 0 && (value === null || value[0] === 0)),
    ).toBe(true);
  });

  it('fails a window for a tampered record, and passes no window after a record that is not Avro', async () => {
    const database = await aDatabase(accounts(200));
    startMigration('avro-wrong', database.name, ['public.accounts'], {
      kafka: kafkaSpec(),
      validation: { every: '1s', passesInARow: 1 },
    });
    await waitFor('avro-wrong', 'approval');
    const topic = 'avro-wrong.public.accounts';
    const last = (await recordsOf(topic)).find(({ value }) => value?.includes('n199'))!;
    await write(topic, changed(last, 'n199', 'n198'));
    const { windows } = await reach('avro-wrong', 'a failed window', (s) =>
      s.windows.some((w) => w.verdict === 'failed'),
    );
    expect(windows.find((w) => w.verdict === 'failed')).toMatchObject({ mismatched: 1 });
    const diff = sluice('diff', 'avro-wrong').stdout;
    expect(diff).toContain('n198');

    const before = (await get('avro-wrong')).windows.at(-1)!.number;
    await write(topic, { ...last, value: Buffer.from('{"after":{"id":199}}') });
    const status = await reach('avro-wrong', 'a window with an unknown row', (status) =>
      status.windows.some(({ number, unknown }) => number > before && (unknown ?? 0) > 0),
    );
    const later = status.windows.filter(({ number }) => number > before);
    expect(later.map(({ verdict }) => verdict)).not.toContain('passed');
    const { number } = later.find(({ unknown }) => (unknown ?? 0) > 0)!;
    const said = sluice('diff', 'avro-wrong', '--window', String(number)).stdout;
    expect(said).toContain('does not begin with a zero byte');
    expect(sluice('cancel', 'avro-wrong', '--yes').code).toBe(0);
    await waitFor('avro-wrong', 'outcome=aborted');
  });
});
