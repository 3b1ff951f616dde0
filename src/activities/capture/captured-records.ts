// Reads the records of a source connector or of a pipeline, in the format that the spec names. The
// callback that visits the records always receives JSON.
import type { KafkaPort } from '../../clients/kafka/kafka.js';
import { rangeOf, walkBatch, type RecordVisitor } from '../../clients/kafka/record-batch.js';
import type { KafkaRecord, RecordRange } from '../../clients/kafka/records.js';
import type { Content, RecordDecoder } from '../../compare/record-decoder.js';
import { decoderOf } from '../../compare/record-formats.js';
import { Problem } from '../../domain/failure.js';
import type { RecordFormat } from '../../domain/migration/topic-format.js';

/** A range of a topic, and the number of partitions of that topic. */
export interface CapturedRange extends RecordRange {
  /** If 0, nothing checks whether each record is in the right partition. */
  readonly partitions: number;
}

/**
 * The decoder of a topic whose format needs a schema registry, and the functions that fetch schemas
 * for it. A topic in JSON has no `Decoding`.
 */
export interface Decoding {
  readonly decoder: RecordDecoder;
  /** `format` and `content` (changes or rows) let another thread make a decoder of its own. */
  readonly format: RecordFormat;
  readonly content: Content;
  /** True if the registry lacked a schema that a record names. */
  readonly lacksSchema: boolean;
  /**
   * Fetches the schemas that the decoder asked for. Throws Problem if the registry does not answer.
   */
  learn(): Promise<void>;
  /** Fetches the text of a schema. Null means that no schema has this id. Throws like `learn`. */
  schema(id: number): Promise<string | null>;
}

/** The settings of a cluster (with the format of the tables' topics), and its schema registry. */
type Formatted = Pick<KafkaPort, 'spec' | 'registry'>;

/**
 * Returns a new decoder for the topics of tables, or null if they are in JSON. The same decoder
 * MUST read all partitions of a topic. Otherwise, it could not notice that keys have different
 * schemas.
 */
export const decodingOf = (kafka: Partial<Formatted>): Decoding | null =>
  decoding(kafka, kafka.spec?.format ?? 'json', 'changes');

/** Returns a new decoder for a topic that a pipeline writes to in `format`, or null for JSON. */
export const decodingOfRows = (kafka: Partial<Formatted>, format: RecordFormat): Decoding | null =>
  decoding(kafka, format, 'rows');

function decoding(
  { registry }: Partial<Formatted>,
  format: RecordFormat,
  content: Content,
): Decoding | null {
  const decoder = decoderOf(format, content);
  if (decoder === null) return null;
  let lacksSchema = false;
  async function schema(id: number): Promise<string | null> {
    if (!registry)
      throw new Problem(
        'spec-invalid',
        `the format ${format} needs kafka.registry, which is missing`,
      );
    const text = await registry.schema(id, decoder!.schemaType);
    lacksSchema ||= text === null;
    return text;
  }
  return {
    decoder,
    format,
    content,
    schema,
    get lacksSchema() {
      return lacksSchema;
    },
    async learn() {
      for (const id of decoder.wanted) decoder.learn(id, await schema(id));
    },
  };
}

/** A record with key and value as JSON. */
export interface DecodedRecord extends KafkaRecord {
  /**
   * The hash of the key's bytes as the topic holds them. Undefined if `key` has exactly these
   * bytes.
   */
  readonly spelling: number | undefined;
}

/**
 * Receives the parts of a record. If a decoder rewrote the key, also receives the hash of the key's
 * original bytes.
 */
type DecodedVisitor = (...record: [...Parameters<RecordVisitor>, spelling?: number]) => void;

/**
 * A fold checks that each record is in the partition of its key, for which it needs the topic's
 * number of partitions. Returns this number, or 0 (no check) if a decoder makes the check.
 */
export const checkedPartitions = (decoding: Decoding | null, partitions: number): number =>
  decoding === null ? partitions : 0;

/** Visits the records of a range as `KafkaPort.readRange` does, with keys and values as JSON. */
export async function readCaptured(
  kafka: KafkaPort,
  { topic, partition, partitions, from, to }: CapturedRange,
  decoding: Decoding | null,
  visit: DecodedVisitor,
  onProgress: () => void = () => undefined,
): Promise<void> {
  if (decoding === null) {
    await kafka.readRange(topic, partition, from, to, visit, onProgress);
    return;
  }
  const { decoder } = decoding;
  await kafka.readBatches(topic, partition, from, to, async (records, batches) => {
    const read = (): void => {
      decoder.begin({ partition, partitions });
      for (const batch of batches)
        walkBatch(records, batch, from, to, (...record) => decoder.add(...record));
    };
    read();
    while (decoder.wanted.size > 0) {
      await decoding.learn();
      read();
    }
    decoder.visit(visit);
    onProgress();
  });
}

/** Visits the records of a range as objects, with keys and values as JSON. */
export const readCapturedRecords = (
  kafka: KafkaPort,
  range: CapturedRange,
  visit: (record: KafkaRecord) => void,
  onProgress?: () => void,
): Promise<void> => readDecoded(kafka, range, decodingOf(kafka), visit, onProgress);

/**
 * Visits the records of a pipeline's topic as objects, with keys and values as JSON. Does not check
 * the partition of a record, because a pipeline may choose it by its own rule.
 */
export const readPipelineRecords = (
  kafka: KafkaPort,
  range: RecordRange,
  decoding: Decoding | null,
  visit: (record: DecodedRecord) => void,
  onProgress?: () => void,
): Promise<void> => readDecoded(kafka, { ...range, partitions: 0 }, decoding, visit, onProgress);

const readDecoded = (
  kafka: KafkaPort,
  range: CapturedRange,
  decoding: Decoding | null,
  visit: (record: DecodedRecord) => void,
  onProgress?: () => void,
): Promise<void> =>
  readCaptured(
    kafka,
    range,
    decoding,
    (offset, bytes, keyStart, keyEnd, start, end, spelling) => {
      const key = rangeOf(bytes, keyStart, keyEnd);
      const { partition } = range;
      visit({ partition, offset, key, value: rangeOf(bytes, start, end), spelling });
    },
    onProgress,
  );
