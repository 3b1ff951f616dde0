// Stops an attempt of an activity after a long suspension, for example of its process or of the
// machine. By then, Temporal has started another attempt, and late writes of this attempt would
// overwrite newer ones.

const BEAT_MS = 1000;
/**
 * The shortest suspension that is noticed. It is shorter than the heartbeat timeout of `long`
 * activities.
 */
const SUSPENDED_MS = 10_000;

export class Pulse {
  readonly #ticker: NodeJS.Timeout;
  readonly #now: () => number;
  #last: number;
  #wasSuspended = false;

  constructor(now: () => number = () => Date.now()) {
    this.#now = now;
    this.#last = now();
    this.#ticker = setInterval(() => this.#beat(), BEAT_MS);
    this.#ticker.unref();
  }

  /** Throws if this attempt was suspended for too long. */
  check(): void {
    this.#beat();
    if (this.#wasSuspended)
      throw new Error(
        `this attempt was suspended for more than ${SUSPENDED_MS / 1000} s, so another attempt has taken over`,
      );
  }

  stop(): void {
    clearInterval(this.#ticker);
  }

  #beat(): void {
    const now = this.#now();
    if (now - this.#last > SUSPENDED_MS) this.#wasSuspended = true;
    this.#last = now;
  }
}
