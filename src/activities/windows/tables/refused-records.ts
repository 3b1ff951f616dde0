// Lists records that a fold refused as differences that a person can look up: key, value, place and
// reason.
import { rangeOf } from '../../../clients/kafka/record-batch.js';
import type { KafkaPort } from '../../../clients/kafka/kafka.js';
import type { Shape } from '../../../compare/comparison.js';
import type { FoldProgress } from '../../../compare/fold.js';
import { refusedDifferences, type Refused } from '../../../compare/refused.js';
import type { Difference } from '../../../domain/evidence/window.js';

/**
 * Returns the refused records as differences. Reads those again whose text the fold did not keep.
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
  await kafka.readRange(
    topic,
    partition,
    offset,
    offset + 1,
    (at, bytes, keyStart, keyEnd, start, end) => {
      if (at !== offset) return;
      const key = rangeOf(bytes, keyStart, keyEnd)?.toString('utf8') ?? null;
      found = { ...record, key, value: rangeOf(bytes, start, end)?.toString('utf8') ?? null };
    },
  );
  return found;
}
