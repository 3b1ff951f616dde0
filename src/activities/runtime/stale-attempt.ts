// Whether this attempt of an activity may still act. One that stood still for longer than its heartbeat allows (a stopped process, a suspended machine) has a
// successor, and what it wrote now would come after what that one wrote.

const BEAT_MS = 1000;
/** Below the heartbeat timeout of `long` activities. */
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

  /** Throws where this attempt stood still. */
  check(): void {
    this.#beat();
    if (this.#stood)
      throw new Error(
        `this attempt was suspended for more than ${STANDSTILL_MS / 1000} s: another one continues`,
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
