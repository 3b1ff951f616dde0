// A fold holds what was read from a topic's log, and is valid only for that log. Tests which
// changes of the log leave a fold valid, and which ones make it unusable.
import { describe, expect, it } from 'vitest';
import { foldHashes, foldOutput } from '../../src/activities/windows/folds/fold-output.js';
import { foldTable } from '../../src/activities/windows/folds/fold-table.js';
import type { KafkaPort } from '../../src/clients/kafka/kafka.js';
import type { Shape } from '../../src/compare/row-comparison.js';
import { HashFold } from '../../src/compare/hash-fold.js';
import { OutputFold } from '../../src/compare/output-fold.js';
import { OutputHashes } from '../../src/compare/output-hashes.js';
import { TableFold } from '../../src/compare/table-fold.js';
import { parseSnapshot } from '../../src/domain/values/position.js';

const SHAPE: Shape = { key: ['id'], columns: [{ name: 'id', type: 'int8' }] };
const SNAPSHOT = parseSnapshot('10:10:');

interface Log {
  id: string | null;
  low: number;
  end: number;
  /** Leader epochs of the log, each with its first offset. */
  leaders: [epoch: number, start: number][];
}

/**
 * Gives the brokers' answers that a fold needs. The answers contain no records, because only
 * offsets matter here.
 */
function brokers(log: Log, whileRead: () => void = () => undefined): KafkaPort {
  return {
    topicId: () => Promise.resolve(log.id),
    lows: () => Promise.resolve(new Map([[0, log.low]])),
    offsets: () =>
      Promise.resolve([
        {
          partition: 0,
          low: log.low,
          high: log.end,
          committed: log.end,
          epoch: log.leaders.at(-1)![0],
        },
      ]),
    epochEnd(_topic: string, _partition: number, epoch: number) {
      if (epoch > log.leaders.at(-1)![0]) return Promise.resolve(-1);
      return Promise.resolve(log.leaders.find(([other]) => other > epoch)?.[1] ?? log.end);
    },
    readRange: () => Promise.resolve(whileRead()),
    readBatches: () => Promise.resolve(),
  } as unknown as KafkaPort;
}

type AnyFold = (typeof FOLDS)[keyof typeof FOLDS];

const FOLDS = {
  'hashes of a table': () => new HashFold(SHAPE, 8),
  'rows of a table': () => new TableFold(SHAPE),
  'an output': () => new OutputFold(SHAPE),
  'hashes of an output': () => new OutputHashes(SHAPE),
};

/** Reads a log to its end. */
async function readToEnd(kafka: KafkaPort, fold: ReturnType<AnyFold>): Promise<void> {
  const reading = { kafka, topic: 't', heartbeat: () => undefined };
  if (fold instanceof OutputFold) await foldOutput({ ...reading, format: 'json' }, fold);
  else if (fold instanceof OutputHashes) await foldHashes({ ...reading, format: 'json' }, fold);
  else await foldTable<TableFold | HashFold>(reading, fold, await kafka.offsets('t'), SNAPSHOT);
}

/** Reads a log to its end with a fold, then changes the log and reads again. */
async function readTwice(kind: keyof typeof FOLDS, change: (log: Log) => void): Promise<void> {
  const log: Log = { id: 'one', low: 0, end: 100, leaders: [[3, 0]] };
  const kafka = brokers(log);
  const fold = FOLDS[kind]();
  const read = () => readToEnd(kafka, fold);
  await read();
  change(log);
  await read();
}

describe.each(Object.keys(FOLDS) as (keyof typeof FOLDS)[])('a fold of %s', (kind) => {
  it.each<[string, (log: Log) => void, RegExp]>([
    ['emptied up to its end', (log) => (log.low = 100), /begins at offset 100, but it began at 0/],
    [
      'cut at its beginning, and longer than before',
      (log) => Object.assign(log, { low: 40, end: 200 }),
      /begins at offset 40, but it began at 0/,
    ],
    [
      'created again, with more records than before',
      (log) => Object.assign(log, { id: 'two', end: 500 }),
      /its id is two, but the topic that was read had the id one/,
    ],
    [
      'created again and shorter, on brokers that give topics no ids',
      (log) => Object.assign(log, { id: null, end: 60 }),
      /ends at offset 60, but it was already read up to 100/,
    ],
    [
      'created again, on brokers that give topics no ids',
      (log) => Object.assign(log, { id: null, end: 500, leaders: [[0, 0]] }),
      /does not know leader epoch 3/,
    ],
    [
      'truncated, because a replica that lagged became the leader, and then written to',
      (log) =>
        Object.assign(log, {
          end: 300,
          leaders: [
            [3, 0],
            [4, 80],
          ],
        }),
      /ends at offset 80, but it was already read up to 100 under leader epoch 3/,
    ],
  ])('fails with the code topic-lost if its log is %s', async (_what, change, why) => {
    await expect(readTwice(kind, change)).rejects.toThrow(why);
    await expect(readTwice(kind, change)).rejects.toMatchObject({ code: 'topic-lost', topic: 't' });
  });

  it.each<[string, (log: Log) => void]>([
    ['a second reading without a change', () => undefined],
    ['new records', (log) => (log.end = 200)],
    [
      'an ordinary move of the leader',
      (log) =>
        Object.assign(log, {
          end: 200,
          leaders: [
            [3, 0],
            [7, 100],
          ],
        }),
    ],
    [
      'a move of the leader in the middle of new records',
      (log) =>
        Object.assign(log, {
          end: 200,
          leaders: [
            [3, 0],
            [4, 130],
            [5, 160],
          ],
        }),
    ],
  ])('stays valid after %s', async (_what, change) => {
    await expect(readTwice(kind, change)).resolves.toBeUndefined();
  });

  it('never begins on a log whose beginning is gone', async () => {
    const kafka = brokers({ id: 'one', low: 5, end: 9, leaders: [[0, 0]] });
    const fold = FOLDS[kind]();
    const read = readToEnd(kafka, fold);
    await expect(read).rejects.toThrow('begins at offset 5, but offset 0 is needed');
  });

  it('fails if a different log replaces its log while the fold reads it', async () => {
    const log: Log = { id: 'one', low: 0, end: 100, leaders: [[3, 0]] };
    const replaced = brokers(log, () => void (log.id = 'two'));
    const fold = FOLDS[kind]();
    const read = readToEnd(replaced, fold);
    await expect(read).rejects.toThrow('its id is two, but the topic that was read had the id one');
  });
});

describe('a fold of an output', () => {
  it.each(['an output', 'hashes of an output'] as const)(
    'fails with a code that causes another attempt if its topic got more partitions: %s',
    async (kind) => {
      const log: Log = { id: 'one', low: 0, end: 100, leaders: [[3, 0]] };
      const kafka = brokers(log);
      const fold = FOLDS[kind]();
      await readToEnd(kafka, fold);
      const [first] = await kafka.offsets('t');
      kafka.offsets = () => Promise.resolve([first!, { ...first!, partition: 1 }]);
      await expect(readToEnd(kafka, fold)).rejects.toMatchObject({
        code: 'unreachable',
        message: expect.stringContaining('its number of partitions changed from 1 to 2') as string,
      });
    },
  );
});
