// Connectors that fail while they load the tables: which failure ends the load, and why it failed.
import type { ConnectRest } from '../../clients/http/connect-rest.js';
import { remedyOf } from '../../domain/capture/connector-causes.js';
import { Problem } from '../../domain/failure.js';
import { taskFailure } from '../objects/connector-state.js';
import { pollUntil } from '../runtime/poll-until.js';

const FAILED_LIMIT_MS = 90_000;
const CAUSE_WITHIN_MS = 10_000;

/**
 * The time since which each connector has failed. The guard restarts it, so a short failure is not
 * a reason to give up.
 */
export class Failures {
  readonly #since = new Map<string, number>();
  #last: string | null = null;

  /** Throws Problem `connector-failed` for one that has been failed for too long. */
  async check(rest: ConnectRest, name: string): Promise<void> {
    const failure = await taskFailure(rest, name);
    if (failure === null) return void this.#since.delete(name);
    const since = this.#since.get(name) ?? Date.now();
    this.#since.set(name, since);
    this.#last = failure;
    if (Date.now() - since > FAILED_LIMIT_MS)
      throw new Problem('connector-failed', `${name}: ${failure}`, remedyOf(failure));
  }

  /**
   * The failed load, with what made the task fail: that comes a moment later, and may be gone again
   * when the guard has restarted it.
   */
  async explain(rest: ConnectRest, name: string, failure: string): Promise<Problem> {
    const cause =
      this.#last ??
      (await pollUntil(Date.now() + CAUSE_WITHIN_MS, 100, () => taskFailure(rest, name)));
    return new Problem(
      'snapshot-failed',
      cause ? `${failure}: ${cause}` : failure,
      remedyOf(cause ?? ''),
    );
  }
}
