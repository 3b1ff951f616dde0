// Stops an attempt of an activity after a long suspension, for example of its process or of the
// machine. By then, Temporal may have started another attempt. Late writes of this attempt would
// then overwrite newer ones.

const BEAT_MS = 1000;
/**
 * Suspensions that last longer than this are noticed. It is as long as the heartbeat timeout of
 * `long` activities (workflows/call.ts).
 */
const SUSPENDED_MS = 10_000;

/** Notices suspensions of this process. */
export class Pulse {
  readonly #ticker: NodeJS.Timeout;
  readonly #now: () => number;
  #last: number;
  #suspensions = 0;

  constructor(now: () => number = () => Date.now()) {
    this.#now = now;
    this.#last = now();
    this.#ticker = setInterval(() => this.#beat(), BEAT_MS);
    this.#ticker.unref();
  }

  /** Returns the number of suspensions so far, which an attempt remembers when it begins. */
  get suspensions(): number {
    this.#beat();
    return this.#suspensions;
  }

  /** Throws if the process was suspended since `suspensions` returned `before`. */
  check(before = 0): void {
    if (this.suspensions > before)
      throw new Error(
        `this attempt was suspended for more than ${SUSPENDED_MS / 1000} s, so another attempt has taken over`,
      );
  }

  stop(): void {
    clearInterval(this.#ticker);
  }

  #beat(): void {
    const now = this.#now();
    if (now - this.#last > SUSPENDED_MS) this.#suspensions += 1;
    this.#last = now;
  }
}

let ofProcess: Pulse | undefined;
const began = new WeakMap<object, number>();

/** Records that an attempt begins. `context` is its Temporal context. */
export function attemptBegins(context: object, pulse = (ofProcess ??= new Pulse())): void {
  began.set(context, pulse.suspensions);
}

/**
 * Throws if the process was suspended since the attempt began. Does nothing for an attempt whose
 * beginning was not recorded.
 */
export function refuseSuspended(context: object, pulse = ofProcess): void {
  const before = began.get(context);
  if (before !== undefined) pulse?.check(before);
}
