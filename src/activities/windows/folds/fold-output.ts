// Reads the pipeline's output topic into a fold, which keeps the latest row of each key, or its
// hash.
import type { OutputFold } from '../../../compare/output-fold.js';
import type { OutputHashes } from '../../../compare/output-hashes.js';
import { Problem } from '../../../domain/failure.js';
import type { RecordFormat } from '../../../domain/migration/topic-format.js';
import {
  decodingOfRows,
  readPipelineRecords,
  type DecodedRecord,
} from '../../capture/captured-records.js';
import type { TopicEnds, TopicReading } from './fold-table.js';
import { readPart, sameLog, startOf } from './same-topic-log.js';

/** A topic that a pipeline writes to, and the format of its records. */
export interface OutputReading extends TopicReading {
  readonly format: RecordFormat;
}

/**
 * Reads the output topic to its last stable offsets, or to the given ends. Returns the keys that
 * were written since the last call.
 */
export async function foldOutput(
  reading: OutputReading,
  fold: OutputFold,
  ends?: TopicEnds,
): Promise<Set<string>> {
  const touched = new Set<string>();
  await readOutputTo(reading, fold, ends, ({ key, value, offset, spelling }) => {
    const written = fold.add(key, value, offset, spelling);
    if (written !== null) touched.add(written);
  });
  return touched;
}

/**
 * Reads the output topic into a fold of hashes. Does the same as `foldOutput`, but does not return
 * the keys.
 */
export const foldHashes = (
  reading: OutputReading,
  fold: OutputHashes,
  ends?: TopicEnds,
): Promise<void> =>
  readOutputTo(
    reading,
    fold,
    ends,
    ({ key, value, offset, spelling }) => void fold.add(key, value, offset, spelling),
  );

async function readOutputTo(
  { kafka, topic, format, heartbeat }: OutputReading,
  fold: OutputFold | OutputHashes,
  ends: TopicEnds | undefined,
  add: (record: DecodedRecord) => void,
): Promise<void> {
  const log = await sameLog(kafka, topic, fold);
  const decoding = decodingOfRows(kafka, format);
  const parts = ends ?? (await kafka.offsets(topic));
  refuseMorePartitions(topic, fold, parts);
  for (const end of parts) {
    const { partition, committed } = end;
    const from = startOf(topic, fold, end);
    fold.readFrom(partition, parts.length);
    await readPipelineRecords(
      kafka,
      { topic, partition, from, to: committed },
      decoding,
      add,
      heartbeat,
    );
    fold.readUpTo(readPart(end));
  }
  fold.lacksSchema ||= decoding?.lacksSchema ?? false;
  await log.verify();
}

/**
 * Throws Problem `unreachable` if the topic's number of partitions has changed since the last
 * reading. The next window then reads the topic from its beginning. With several partitions, a fold
 * must notice a key that is written to a second partition. For that, it keeps the partition of each
 * key, even of a deleted one. A fold of one partition does not keep it.
 */
function refuseMorePartitions(
  topic: string,
  { read }: OutputFold | OutputHashes,
  { length }: TopicEnds,
): void {
  if (read.length === 0 || read.length === length) return;
  throw new Problem(
    'unreachable',
    `${topic} must be read again, because its number of partitions changed from ${read.length} to ${length}`,
  );
}
