// Runs in a thread that fold-threads.ts starts. Receives batches of a topic as bytes. Returns the
// keys and row hashes of their changes as numbers, in the order of the batches.
import { parentPort, workerData } from 'node:worker_threads';
import { walkBatch, type VisibleBatch } from '../../../clients/kafka/record-batch.js';
import type { Content, RecordDecoder } from '../../../compare/record-decoder.js';
import type { Shape } from '../../../compare/row-comparison.js';
import { CHANGE_WORDS, type Place } from '../../../compare/enc/change.js';
import { RecordBatch } from '../../../compare/kernel/record-batch.js';
import { RegistryEncoding } from '../../../compare/kernel/record-encoding.js';
import type { RecordFormat } from '../../../domain/migration/topic-format.js';

/** The data with which a thread starts. */
export interface Start {
  readonly shape: Shape;
  readonly format: RecordFormat;
  readonly content: Content;
}

export interface Work {
  /**
   * A buffer that begins with the broker's answer. The thread sends the buffer back with the
   * changes, so that it can be reused.
   */
  readonly buffer: ArrayBuffer;
  readonly length: number;
  readonly batches: readonly VisibleBatch[];
  /** The partition that the batches come from. */
  readonly place: Place;
  /** The wanted range of offsets: `[from, to)`. */
  readonly from: number;
  readonly to: number;
  /** The id of the schema of earlier keys. Null if there is none. */
  readonly keySchema: number | null;
  /** Schemas that the thread asked for. A null text means that no schema has this id. */
  readonly schemas: readonly (readonly [id: number, text: string | null])[];
}

export interface Changed {
  readonly words: Int32Array<ArrayBuffer>;
  readonly count: number;
  readonly buffer: ArrayBuffer;
  /** The id of the schema of the keys. Null if there is none. */
  readonly keySchema: number | null;
}

/** The thread needs these schemas. It MUST get the same work again, together with them. */
export interface Wanted {
  readonly wanted: readonly number[];
  readonly buffer: ArrayBuffer;
  readonly keySchema: number | null;
}

export type Done =
  | Changed
  | Wanted
  | {
      readonly error: {
        readonly message: string;
        readonly code: unknown;
        readonly remedy: unknown;
      };
    };

const { shape, format, content } = workerData as Start;
const decoder = await decoderFor(format, content);
const encoding = decoder && new RegistryEncoding(shape, decoder);
const batch = new RecordBatch(shape, encoding ?? undefined);
const add = batch.add.bind(batch);

parentPort!.on('message', (work: Work) => {
  try {
    const done = encoded(work);
    parentPort!.postMessage(
      done,
      'words' in done ? [done.words.buffer, done.buffer] : [done.buffer],
    );
  } catch (error) {
    const { message, code, remedy } = error as {
      message: string;
      code?: unknown;
      remedy?: unknown;
    };
    parentPort!.postMessage({ error: { message, code, remedy } } satisfies Done);
  }
});

function encoded(work: Work): Changed | Wanted {
  const { buffer, length, place, batches, from, to } = work;
  if (encoding) {
    for (const [id, text] of work.schemas) encoding.learn(id, text);
    encoding.decoder.keySchema = work.keySchema;
  }
  batch.begin(place, Buffer.from(buffer, 0, length));
  for (const visible of batches) walkBatch(batch.response, visible, from, to, add, batch.checksum);
  const changes = batch.finish();
  const keySchema = decoder?.keySchema ?? null;
  if (decoder && decoder.wanted.size > 0) return { wanted: [...decoder.wanted], buffer, keySchema };
  const words = changes.words.slice(0, changes.count * CHANGE_WORDS);
  return { words, count: changes.count, buffer, keySchema };
}

/** Loads only the code that the format needs, because a parser of schemas takes long to load. */
async function decoderFor(format: RecordFormat, content: Content): Promise<RecordDecoder | null> {
  if (format === 'json') return null;
  if (format === 'avro')
    return new (await import('../../../compare/avro/avro-records.js')).AvroRecords(content);
  return (await import('../../../compare/record-formats.js')).decoderOf(format, content);
}
