// Lists the records that a fold refused. Each of them becomes a difference that a person can look
// up, with key, value, place and reason.
import type { KafkaPort } from '../../../clients/kafka/kafka.js';
import type { Shape } from '../../../compare/row-comparison.js';
import type { FoldProgress } from '../../../compare/fold.js';
import { refusedDifferences, type Refused } from '../../../compare/refused.js';
import { readCapturedRecords } from '../../capture/captured-records.js';
import type { Difference } from '../../../domain/evidence/window.js';

/**
 * Returns the refused records as differences. If the fold did not keep the text of a record, reads
 * that record again.
 */
export async function refusedRecords(
  kafka: KafkaPort,
  topic: string,
  shape: Shape,
  fold: FoldProgress,
): Promise<Difference[]> {
  const refused: Refused[] = [];
  for (const record of fold.refused)
    refused.push(record.key === undefined ? await readAgain(kafka, topic, record) : record);
  return refusedDifferences(shape, refused);
}

async function readAgain(kafka: KafkaPort, topic: string, record: Refused): Promise<Refused> {
  let found = record;
  const { partition, offset } = record;
  const { length: partitions } = await kafka.offsets(topic);
  const range = { topic, partition, partitions, from: offset, to: offset + 1 };
  await readCapturedRecords(kafka, range, ({ offset: at, key, value }) => {
    if (at !== offset) return;
    found = {
      ...record,
      key: key?.toString('utf8') ?? null,
      value: value?.toString('utf8') ?? null,
    };
  });
  return found;
}
