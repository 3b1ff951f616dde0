// Runs in a thread that fold-threads.ts starts. Receives batches of a topic as bytes, and returns
// their changes as numbers, in the order of the batches.
import { parentPort, workerData } from 'node:worker_threads';
import { walkBatch, type VisibleBatch } from '../../../clients/kafka/record-batch.js';
import type { Shape } from '../../../compare/row-comparison.js';
import { CHANGE_WORDS, type Place } from '../../../compare/enc/change.js';
import { RecordBatch } from '../../../compare/kernel/record-batch.js';

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
}

export type Done =
  | { readonly words: Int32Array; readonly count: number; readonly buffer: ArrayBuffer }
  | {
      readonly error: {
        readonly message: string;
        readonly code: unknown;
        readonly remedy: unknown;
      };
    };

const batch = new RecordBatch(workerData as Shape);
const add = batch.add.bind(batch);

parentPort!.on('message', ({ buffer, length, batches, place, from, to }: Work) => {
  try {
    batch.begin(place, Buffer.from(buffer, 0, length));
    for (const visible of batches)
      walkBatch(batch.response, visible, from, to, add, batch.checksum);
    const changes = batch.finish();
    const words = changes.words.slice(0, changes.count * CHANGE_WORDS);
    const done: Done = { words, count: changes.count, buffer };
    parentPort!.postMessage(done, [words.buffer, buffer]);
  } catch (error) {
    const { message, code, remedy } = error as {
      message: string;
      code?: unknown;
      remedy?: unknown;
    };
    parentPort!.postMessage({ error: { message, code, remedy } } satisfies Done);
  }
});
