// Lists corruptions of the topic itself: it loses records, is deleted, is created again, or gets
// more partitions. After such a corruption, the records that windows have read so far prove
// nothing.
import { sleepUntil } from '../../support/builders.js';
import { readTopic } from '../../../src/clients/kafka/records.js';
import { kindsOf, type Kind, type Wanted } from './kinds.js';
import { keyOf, type Lab } from './lab.js';
import { notCompacted, settingsOf, withAdmin } from './topic-policy.js';

type Pair = readonly [key: string, value: string | null];

const lost = (says: RegExp): { wanted: Wanted; undo: 'new generation' } => ({
  wanted: { blocked: 'topic-lost', says },
  undo: 'new generation',
});

async function allRecords({ port }: Lab, topic: string): Promise<Pair[]> {
  const records: Pair[] = [];
  await readTopic(port, topic, ({ key, value }) => {
    records.push([key!.toString(), value?.toString() ?? null]);
  });
  return records;
}

/**
 * Creates the topic again with the same name and settings, and with these records, while no worker
 * is running.
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

export const LOG_KINDS: readonly Kind[] = kindsOf({
  'a topic that was emptied': async (lab) => {
    await emptied(lab, ({ high }) => high);
    return lost(/begins at offset \d+, but/);
  },
  'a topic whose oldest records were deleted': async (lab) => {
    await emptied(lab, ({ low }) => low + 10);
    return lost(/begins at offset \d+, but/);
  },
  'a topic that was deleted': async ({ port, topic }) => {
    await port.deleteTopic(await topic());
    return lost(/does not exist/);
  },
  'a topic created again with every record': async (lab) => {
    await madeAgain(lab, await allRecords(lab, await lab.topic()));
    return lost(/was created again/);
  },
  'a topic created again that has only the records of a few keys, many times': async (lab) => {
    const all = await allRecords(lab, await lab.topic());
    const hot = all.filter(([key]) => [1, 2, 3, 4, 5, 6, 7, 8].map(keyOf).includes(key));
    const records = Array.from({ length: 4 * all.length }, (_, at) => hot[at % hot.length]!);
    await madeAgain(lab, records);
    return lost(/was created again/);
  },
  'a topic with a different number of partitions': async ({ topic }) => {
    const topicPartitions = [{ topic: await topic(), count: 3 }];
    await withAdmin((admin) => admin.createPartitions({ topicPartitions }));
    return { wanted: { errored: /has 3 partitions, but 2 are planned/ }, undo: 'new generation' };
  },
});

/** Deletes records up to an offset of each partition. */
async function emptied(
  lab: Lab,
  before: (ends: { low: number; high: number }) => number,
): Promise<void> {
  const name = await lab.topic();
  const ends = await lab.port.offsets(name);
  const limits = new Map(ends.map((end) => [end.partition, before(end)]));
  await notCompacted(lab, name, () => lab.port.deleteRecords(name, limits));
}
