// Corruptions of the topic itself: it is emptied, deleted, created again, or gets more partitions.
// An earlier reading of a fold proves nothing about it then.
import kafkajs from 'kafkajs';
import { RETENTION_SETTINGS } from '../../../src/domain/plan/topic-settings.js';
import { sleepUntil } from '../../support/builders.js';
import { kindsOf, type Kind, type Wanted } from './kinds.js';
import { keyOf, type Lab } from './lab.js';

type Settings = Readonly<Record<string, string>>;
type Pair = readonly [key: string, value: string | null];

const lost = (says: RegExp): { wanted: Wanted; undo: 'new generation' } => ({
  wanted: { blocked: 'topic-lost', says },
  undo: 'new generation',
});

async function allRecords({ port }: Lab, topic: string): Promise<Pair[]> {
  const records: Pair[] = [];
  for (const { partition, low, committed } of await port.offsets(topic)) {
    await port.readRange(topic, partition, low, committed, (_at, bytes, from, to, start, end) => {
      const value = start < 0 ? null : bytes.toString('utf8', start, end);
      records.push([bytes.toString('utf8', from, to), value]);
    });
  }
  return records;
}

/**
 * Creates the topic again with the same name and settings but other records, while no worker can
 * notice it.
 */
const madeAgain = ({ port, topic, unseen }: Lab, records: readonly Pair[]): Promise<void> =>
  unseen(async () => {
    const name = await topic();
    const { length } = await port.offsets(name);
    const settings = await settingsOf(port, name);
    await port.deleteTopic(name);
    await sleepUntil('the topic is gone', async () => !(await port.listTopics()).includes(name));
    await port.createTopic(name, length, 1, settings);
    const writer = port.openWriter();
    for (const [key, value] of records) await writer.write(name, { key, value });
    await writer.flush();
  });

async function settingsOf(port: Lab['port'], topic: string): Promise<Settings> {
  return (await port.describeTopics([topic], RETENTION_SETTINGS)).get(topic)!.settings;
}

async function withAdmin(use: (admin: kafkajs.Admin) => Promise<unknown>): Promise<void> {
  const brokers = [process.env['KAFKA_BROKERS']!];
  const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    await use(admin);
  } finally {
    await admin.disconnect();
  }
}

export const LOG_KINDS: readonly Kind[] = kindsOf({
  'a topic that was emptied': async (lab) => {
    await emptied(lab, ({ high }) => high);
    return lost(/begins at \d+ > \d+/);
  },
  'a topic whose oldest records were deleted': async (lab) => {
    await emptied(lab, ({ low }) => low + 10);
    return lost(/begins at \d+ > \d+/);
  },
  'a topic that was deleted': async ({ port, topic }) => {
    await port.deleteTopic(await topic());
    return lost(/does not exist/);
  },
  'a topic created again with every record': async (lab) => {
    await madeAgain(lab, await allRecords(lab, await lab.topic()));
    return lost(/was created again: its id is/);
  },
  'a topic created again with only the changing keys': async (lab) => {
    const all = await allRecords(lab, await lab.topic());
    const hot = all.filter(([key]) => [1, 2, 3, 4, 5, 6, 7, 8].map(keyOf).includes(key));
    const records = Array.from({ length: 4 * all.length }, (_, at) => hot[at % hot.length]!);
    await madeAgain(lab, records);
    return lost(/was created again: its id is/);
  },
  'a topic with another number of partitions': async ({ topic }) => {
    const topicPartitions = [{ topic: await topic(), count: 3 }];
    await withAdmin((admin) => admin.createPartitions({ topicPartitions }));
    return { wanted: { errored: /has 3 partitions ≠ 2 planned/ }, undo: 'new generation' };
  },
});

/**
 * Deletes all records. A compacted topic does not allow that, so its policy is changed meanwhile.
 */
async function emptied(
  { port, topic }: Lab,
  before: (ends: { low: number; high: number }) => number,
): Promise<void> {
  const name = await topic();
  const settings = await settingsOf(port, name);
  await setSettings(name, { ...settings, 'cleanup.policy': 'delete' });
  const ends = await port.offsets(name);
  const limits = new Map(ends.map((end) => [end.partition, before(end)]));
  const isDone = () =>
    port.deleteRecords(name, limits).then(
      () => true,
      () => false, // the brokers do not know the new policy yet
    );
  await sleepUntil('the records are deleted', isDone);
  await setSettings(name, settings);
}

const setSettings = (name: string, settings: Settings): Promise<void> =>
  withAdmin((admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name,
          configEntries: Object.entries(settings).map(([key, value]) => ({ name: key, value })),
        },
      ],
    }),
  );
