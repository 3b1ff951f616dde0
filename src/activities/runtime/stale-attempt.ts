// Stops an attempt of an activity that was suspended past its heartbeat timeout (a stopped process,
// a suspended machine). Temporal has already started another attempt, and late writes would
// overwrite newer ones.

const BEAT_MS = 1000;
/** A suspension longer than this is noticed. It is less than the heartbeat timeout of `long` activities. */
const STANDSTILL_MS = 10_000;

export class Pulse {
  readonly #ticker: NodeJS.Timeout;
  readonly #now: () => number;
  #last: number;
  #stood = false;

  constructor(now: () => number = () => Date.now()) {
    this.#now = now;
    this.#last = now();
    this.#ticker = setInterval(() => this.#beat(), BEAT_MS);
    this.#ticker.unref();
  }

  /** Throws if this attempt was suspended for too long. */
  check(): void {
    this.#beat();
    if (this.#stood)
      throw new Error(
        `this attempt was suspended for more than ${STANDSTILL_MS / 1000} s, so another attempt has taken over`,
      );
  }

  stop(): void {
    clearInterval(this.#ticker);
  }

  #beat(): void {
    const now = this.#now();
    if (now - this.#last > STANDSTILL_MS) this.#stood = true;
    this.#last = now;
  }
}
