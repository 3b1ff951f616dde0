// Tracks whether an attempt of an activity still makes progress. Clients report each answer of
// another system as progress. An attempt that gets no answer for too long counts as hung.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Readable } from 'node:stream';

/**
 * The progress of one attempt. After `abandon`, the attempt's next report of progress throws, which
 * ends the attempt.
 */
export class Progress {
  readonly #now: () => number;
  readonly #abandon: () => void;
  /** Resolves when the attempt is abandoned. */
  readonly abandoned: Promise<void>;
  #last: number;
  #isAbandoned = false;

  /** `now` returns the milliseconds of a clock that never goes backward. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#last = now();
    let resolve!: () => void;
    this.abandoned = new Promise((done) => (resolve = done));
    this.#abandon = resolve;
  }

  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  /** Returns the milliseconds since the last progress. */
  get silentMs(): number {
    return this.#now() - this.#last;
  }

  /**
   * Reports progress. Throws if the attempt was abandoned, so that it writes nothing more while
   * another attempt does its work.
   */
  made(): void {
    if (this.#isAbandoned)
      throw new Error('this attempt made no progress for too long, so another attempt took over');
    this.#last = this.#now();
  }

  abandon(): void {
    this.#isAbandoned = true;
    this.#abandon();
  }
}

const current = new AsyncLocalStorage<Progress>();

/** Runs `work`. Everything that it calls reports to `progress`. */
export const tracked = <T>(progress: Progress, work: () => T): T => current.run(progress, work);

/** Returns the progress of the running attempt. Undefined outside of an activity. */
export const currentProgress = (): Progress | undefined => current.getStore();

/** Reports progress of the running attempt. Throws if the attempt was abandoned. */
export const madeProgress = (): void => current.getStore()?.made();

/** Waits for an answer of another system. An answer counts as progress, even if it is an error. */
export async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } finally {
    madeProgress();
  }
}

/**
 * Reports all data that arrives on a connection as progress of the attempt that opened it. When the
 * attempt is abandoned, closes the connection, so that no further statement can run.
 */
export function reportData(stream: Readable): void {
  const progress = current.getStore();
  if (!progress) return;
  stream.on('data', () => {
    if (!progress.isAbandoned) progress.made();
  });
  void progress.abandoned.then(() => stream.destroy());
}
