// Decides which failure of a connector ends the initial load, and finds the cause of the failure.
// Also notices that a person has deleted, paused or stopped the connector.
import type { ConnectControl } from '../../../clients/http/connect-control.js';
import { remedyOf } from '../../../domain/capture/connector-remedies.js';
import { Problem } from '../../../domain/failure.js';
import { storedConfig, taskFailure } from '../connectors/connector-state.js';
import { pollUntil } from '../../runtime/poll-until.js';

const FAILED_LIMIT_MS = 90_000;
const CAUSE_WITHIN_MS = 10_000;

/**
 * Remembers when the current failure of each connector began. The guard restarts failed connectors,
 * so a short failure does not end the load.
 */
export class Failures {
  readonly #since = new Map<string, number>();
  #last: string | null = null;

  /** Throws Problem `connector-failed` if the connector's failure lasts longer than the limit. */
  async check(rest: ConnectControl, name: string): Promise<void> {
    const failure = await taskFailure(rest, name);
    if (failure === null) return void this.#since.delete(name);
    const since = this.#since.get(name) ?? Date.now();
    this.#since.set(name, since);
    this.#last = failure;
    if (Date.now() - since > FAILED_LIMIT_MS)
      throw new Problem('connector-failed', `${name}: ${failure}`, remedyOf(failure));
  }

  /**
   * Returns a Problem for a load that the connector reported as failed, with the cause of the
   * task's failure. Connect may report the cause a moment later than the connector reports the
   * failure. A restart by the guard may then clear the cause again. Therefore this method uses the
   * last cause that `check` saw, or waits for one.
   */
  async explain(rest: ConnectControl, name: string, failure: string): Promise<Problem> {
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

export const goneDuringLoad = (connector: string): Problem =>
  new Problem('connector-gone', `connector ${connector} was deleted during the load`);

/** Throws Problem if a person has deleted, paused or stopped the connector. */
export async function demandUnstopped(rest: ConnectControl, connector: string): Promise<void> {
  const status = await rest.status(connector);
  if (status === null && (await storedConfig(rest, connector)) === null)
    throw goneDuringLoad(connector);
  const state = status?.connector.state;
  if (state === 'PAUSED' || state === 'STOPPED')
    throw new Problem(
      'connector-paused',
      `connector ${connector} is ${state} during the load`,
      `${rest.howToResume(connector)}; the migration continues by itself`,
    );
}
