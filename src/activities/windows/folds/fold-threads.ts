// Folds a long topic on several cores: computes the latest row hash of each key. The main thread
// fetches batches and keeps the key table. The other threads decode the records and hash their
// rows. The main thread takes the answers in the order of its requests, so the changes of a
// partition keep the topic's order.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { KafkaPort } from '../../../clients/kafka/kafka.js';
import type { Shape } from '../../../compare/row-comparison.js';
import type { HashFold } from '../../../compare/hash-fold.js';
import { Problem, isFailureCode } from '../../../domain/failure.js';
import type { SnapshotVisibility } from '../../../domain/values/position.js';
import type { CapturedRange, Decoding } from '../../capture/captured-records.js';
import type { Changed, Done, Start, Work } from './fold-thread.js';

/**
 * A fold of fewer records than this is faster without threads, because starting them takes about 50
 * ms.
 */
export const WORTH_THREADS = 100_000;
const MOST_THREADS = 4;
/** A thread has at most two answers of the broker: one that it works on, and one that waits. */
const AHEAD = 2;

/**
 * Few answers of the broker are longer than this, so a reused buffer is usually large enough for
 * the next answer.
 */
const LEAST_BUFFER = 9 << 20;

type Schema = Work['schemas'][number];

export class FoldThreads {
  readonly #decoding: Decoding | null;
  readonly #threads: Thread[];
  readonly #schemas: Schema[] = [];
  /**
   * Buffers that came back from the threads. They are reused, because creating a buffer takes more
   * time than copying the records.
   */
  readonly #free: ArrayBuffer[] = [];
  #turn = 0;

  /** Creates the threads. `decoding` reads a format other than JSON. */
  constructor(shape: Shape, decoding: Decoding | null = null) {
    this.#decoding = decoding;
    const { format = 'json', content = 'changes' } = decoding ?? {};
    this.#threads = Array.from(
      { length: Math.min(availableParallelism(), MOST_THREADS) },
      () => new Thread({ shape, format, content }),
    );
  }

  /**
   * Applies the records of a range to the fold. The caller MUST have called `readFrom` of the fold
   * for this partition. Throws errors of reading and decoding.
   */
  async fold(
    kafka: KafkaPort,
    { topic, partition, partitions, from, to }: CapturedRange,
    into: { fold: HashFold; snapshot: SnapshotVisibility; heartbeat: () => void },
  ): Promise<void> {
    const decoder = this.#decoding?.decoder;
    const asked: Promise<Changed>[] = [];
    const takeOldest = async (): Promise<void> => {
      const done = await asked.shift()!;
      if (decoder) decoder.keySchema = done.keySchema;
      this.#free.push(done.buffer);
      into.fold.addChanges(done.words, done.count, into.snapshot);
      into.heartbeat();
    };
    await kafka.readBatches(topic, partition, from, to, async (records, batches) => {
      // Copy the records, because only whole buffers can be transferred to a thread, and one buffer
      // may hold several answers of the broker.
      const buffer = this.#bufferFor(records.length);
      new Uint8Array(buffer).set(records);
      const answer = this.#changesOf(this.#threads[this.#turn++ % this.#threads.length]!, {
        buffer,
        length: records.length,
        batches,
        place: { partition, partitions },
        from,
        to,
        keySchema: decoder?.keySchema ?? null,
      });
      answer.catch(() => undefined); // the error is thrown when the turn of this answer comes
      asked.push(answer);
      // The first key decides which schema all other keys must have. So no further work is sent
      // before the thread has answered for the first key.
      const isFirst = decoder?.keySchema === null;
      if (isFirst || asked.length >= this.#threads.length * AHEAD) await takeOldest();
    });
    while (asked.length > 0) await takeOldest();
  }

  /**
   * Sends the work to the thread, together with the schemas that the thread does not have. Fetches
   * the schemas that the thread asks for.
   */
  async #changesOf(thread: Thread, work: Omit<Work, 'schemas'>): Promise<Changed> {
    let done = await thread.ask({ ...work, schemas: thread.learn(this.#schemas) });
    while ('wanted' in done) {
      const { wanted, buffer, keySchema } = done;
      for (const id of wanted)
        if (!this.#schemas.some(([known]) => known === id))
          this.#schemas.push([id, await this.#decoding!.schema(id)]);
      const schemas = thread.learn(this.#schemas);
      done = await thread.ask({ ...work, buffer, keySchema, schemas });
    }
    if ('error' in done) throw asProblem(done.error);
    return done;
  }

  #bufferFor(length: number): ArrayBuffer {
    const free = this.#free.pop();
    return free && free.byteLength >= length
      ? free
      : new ArrayBuffer(Math.max(length, LEAST_BUFFER));
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

/**
 * Returns the thread's file, which is JavaScript in the compiled product. In this repository's
 * tests and benchmarks, the file is TypeScript, so the thread first registers a loader.
 */
function entryPoint(): URL {
  if (!import.meta.url.endsWith('.ts')) return new URL('./fold-thread.js', import.meta.url);
  const loader = import.meta.resolve('tsx/esm/api');
  const thread = new URL('./fold-thread.ts', import.meta.url).href;
  return new URL(
    `data:text/javascript,${encodeURIComponent(`import { register } from '${loader}'; register(); await import('${thread}');`)}`,
  );
}

/** A thread whose answers come in the order of the requests. */
class Thread {
  readonly #worker: Worker;
  /** The number of schemas that the thread has. */
  #schemas = 0;
  /** Set after the thread has ended, for example because the system could not start it. */
  #ended: Error | null = null;
  readonly #waiting: { resolve: (done: Done) => void; reject: (error: Error) => void }[] = [];

  constructor(start: Start) {
    this.#worker = new Worker(entryPoint(), { workerData: start });
    this.#worker.on('message', (done: Done) => this.#waiting.shift()?.resolve(done));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', (code) => this.#fail(new Error(`a folding thread ended with ${code}`)));
  }

  /** Returns the schemas that the thread does not have. They MUST be in the next work. */
  learn(all: readonly Schema[]): readonly Schema[] {
    const missing = all.slice(this.#schemas);
    this.#schemas = all.length;
    return missing;
  }

  ask(work: Work): Promise<Done> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(work, [work.buffer]);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: unknown): void {
    this.#ended ??= error as Error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
  }
}

function asProblem({
  message,
  code,
  remedy,
}: {
  message: string;
  code: unknown;
  remedy: unknown;
}): Error {
  return typeof code === 'string' && isFailureCode(code)
    ? new Problem(code, message, typeof remedy === 'string' ? remedy : undefined)
    : new Error(message);
}
