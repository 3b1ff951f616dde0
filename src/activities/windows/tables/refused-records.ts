// Lists the first records that could not be read or used when a topic was read (refused records).
// Each of them becomes a difference that a person can look up, with key, value, place and reason.
// Further refused records are only counted.
import type { KafkaPort } from '../../../clients/kafka/kafka.js';
import type { KafkaRecord } from '../../../clients/kafka/records.js';
import type { Shape } from '../../../compare/row-comparison.js';
import type { FoldProgress } from '../../../compare/fold.js';
import { refusedDifferences, type Refused } from '../../../compare/refused.js';
import {
  decodingOfRows,
  readCapturedRecords,
  readPipelineRecords,
} from '../../capture/captured-records.js';
import type { OutputReading } from '../folds/fold-output.js';
import type { Difference } from '../../../domain/evidence/window.js';

/**
 * Returns the first refused records of a table's topic as differences. If the fold did not keep the
 * text of a record, reads that record again.
 */
export const refusedRecords = (
  kafka: KafkaPort,
  topic: string,
  shape: Shape,
  fold: FoldProgress,
): Promise<Difference[]> =>
  differencesOf(shape, fold, async ({ partition, offset }, visit) => {
    const { length: partitions } = await kafka.offsets(topic);
    const range = { topic, partition, partitions, from: offset, to: offset + 1 };
    await readCapturedRecords(kafka, range, visit);
  });

/** Returns the first refused records of a pipeline's topic, like `refusedRecords`. */
export const refusedOutput = (
  { kafka, topic, format }: Omit<OutputReading, 'heartbeat'>,
  shape: Shape,
  fold: FoldProgress,
): Promise<Difference[]> =>
  differencesOf(shape, fold, ({ partition, offset }, visit) => {
    const range = { topic, partition, from: offset, to: offset + 1 };
    return readPipelineRecords(kafka, range, decodingOfRows(kafka, format), visit);
  });

type ReadAgain = (record: Refused, visit: (record: KafkaRecord) => void) => Promise<void>;

async function differencesOf(
  shape: Shape,
  fold: FoldProgress,
  read: ReadAgain,
): Promise<Difference[]> {
  const refused: Refused[] = [];
  for (const record of fold.refused)
    refused.push(record.key === undefined ? await readAgain(record, read) : record);
  return refusedDifferences(shape, refused);
}

async function readAgain(record: Refused, read: ReadAgain): Promise<Refused> {
  let found = record;
  await read(record, ({ offset, key, value }) => {
    if (offset !== record.offset) return;
    found = {
      ...record,
      key: key?.toString('utf8') ?? null,
      value: value?.toString('utf8') ?? null,
    };
  });
  return found;
}
