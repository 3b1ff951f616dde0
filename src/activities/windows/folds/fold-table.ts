// Reads a table's topic into its fold, which keeps the latest row of each key, or its hash.
import type { KafkaPort } from '../../../clients/kafka/kafka.js';
import { HashFold } from '../../../compare/hash-fold.js';
import type { TableFold } from '../../../compare/table-fold.js';
import type { MigrationRef } from '../../../domain/evidence/ledger-rows.js';
import { Problem } from '../../../domain/failure.js';
import type { SnapshotVisibility } from '../../../domain/values/position.js';
import { checkedPartitions, decodingOf, readCaptured } from '../../capture/captured-records.js';
import { FoldThreads, WORTH_THREADS } from './fold-threads.js';
import { readPart, sameLog, startOf } from './same-topic-log.js';

export type TopicEnds = Awaited<ReturnType<KafkaPort['offsets']>>;

/** Throws Problem `unsupported` if the topic's number of partitions is not as planned. */
export function refuseRepartitioned(ref: MigrationRef, topic: string, ends: TopicEnds): void {
  const { partitions } = ref.spec.spec.kafka;
  if (ends.length === partitions) return;
  throw new Problem(
    'unsupported',
    `${topic} has ${ends.length} partitions, but ${partitions} are planned, so the records of one key can be in several partitions and have no order`,
  );
}

/** A topic and its cluster. `heartbeat` is called regularly while the topic is read. */
export interface TopicReading {
  readonly kafka: KafkaPort;
  readonly topic: string;
  readonly heartbeat: () => void;
}

/**
 * Reads the table's topic up to the given ends (the last stable offsets), and applies the changes
 * that the snapshot sees. Returns the fold.
 */
export async function foldTable<F extends TableFold | HashFold>(
  { kafka, topic, heartbeat }: TopicReading,
  fold: F,
  ends: TopicEnds,
  snapshot: SnapshotVisibility,
): Promise<F> {
  fold.applyOverlay(snapshot);
  if (fold.waiting === 0) fold.settle();
  const log = await sameLog(kafka, topic, fold);
  const ranges = ends.map((end) => ({
    end,
    partition: end.partition,
    from: startOf(topic, fold, end),
    to: end.committed,
  }));
  const records = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  const decoding = decodingOf(kafka);
  if (decoding) decoding.decoder.keySchema = fold.keySchema;
  const isLong = records >= WORTH_THREADS;
  const threads = fold instanceof HashFold && isLong ? new FoldThreads(fold.shape, decoding) : null;
  try {
    for (const { end, partition, from, to } of ranges) {
      fold.readFrom(partition, checkedPartitions(decoding, ends.length));
      const range = { topic, partition, partitions: ends.length, from, to };
      if (threads && fold instanceof HashFold)
        await threads.fold(kafka, range, { fold, snapshot, heartbeat });
      else
        await readCaptured(
          kafka,
          range,
          decoding,
          (offset, bytes, keyStart, keyEnd, start, stop) =>
            void fold.add(offset, bytes, keyStart, keyEnd, start, stop, snapshot),
          heartbeat,
        );
      fold.readUpTo(readPart(end));
    }
  } finally {
    await threads?.close();
  }
  if (decoding) fold.keySchema = decoding.decoder.keySchema;
  fold.lacksSchema ||= decoding?.lacksSchema ?? false;
  await log.verify();
  if (fold.waiting === 0) fold.settle();
  return fold;
}
