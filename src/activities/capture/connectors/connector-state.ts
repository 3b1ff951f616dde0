// Reads a connector's configuration, whether it is running, and why it failed. Compares the
// configuration with Sluice's. Stops and reconfigures connectors, and deletes their offsets.
import type { ConnectControl } from '../../../clients/http/connect-control.js';
import type { WantedConnector } from '../capture-adapter.js';
import { remedyOf } from '../../../domain/capture/connector-remedies.js';
import { Problem } from '../../../domain/failure.js';
import { cut, quoteForeign, withoutValues } from '../../../domain/values/foreign-text.js';
import { pollUntil } from '../../runtime/poll-until.js';

/** The maximum time that Connect may take to carry out a request that it has accepted. */
export const STATE_TIMEOUT_MS = 60_000;

/**
 * A connector counts as deleted only after it has been missing for this long (ms). A Connect worker
 * that has just started does not know any connector until it has read its internal topics.
 */
export const GONE_MS = 10_000;

/** The value that `driftOf` returns for a missing connector. */
export const MISSING = '(missing)';

/**
 * Returns the keys whose stored value differs from the value in `ours`, Sluice's configuration.
 * Connect itself adds `name`, so that key is not compared.
 */
export function driftOf(
  ours: Readonly<Record<string, string>>,
  stored: Readonly<Record<string, string>> | null,
): string[] {
  if (!stored) return [MISSING];
  const keys = new Set([...Object.keys(ours), ...Object.keys(stored)]);
  keys.delete('name');
  return [...keys].filter((key) => ours[key] !== stored[key]).sort();
}

/**
 * Returns the keys with their planned values, so that a person can undo a change. This shows no
 * secret, because a planned configuration has placeholders instead of secrets.
 */
export const withPlanned = (
  keys: readonly string[],
  planned: Readonly<Record<string, string>>,
): string[] =>
  keys.map((key) => {
    const value = planned[key];
    if (key === MISSING) return key;
    return `${key} (${value === undefined ? 'not planned' : `planned: ${cut(value, 80)}`})`;
  });

/**
 * Returns the differences from a wanted connector. For an adopted connector that exists, returns
 * only the reasons that make it unfit.
 */
export const driftFrom = (
  { config, unfit }: Pick<WantedConnector, 'config' | 'unfit'>,
  stored: Readonly<Record<string, string>> | null,
): readonly string[] => (stored && unfit ? unfit(stored) : driftOf(config, stored));

/** Returns the stored configuration, or null if the connector is certainly deleted. */
export async function storedConfig(
  rest: Pick<ConnectControl, 'config'>,
  name: string,
): Promise<Record<string, string> | null> {
  const known = await rest.config(name);
  return known ?? pollUntil(Date.now() + GONE_MS, 500, () => rest.config(name));
}

/**
 * Changes the configuration of a connector and waits until the connector is running again. Stops
 * the connector first, because its task would otherwise continue for a moment with the earlier
 * configuration. If Connect does not report the new configuration in time, leaves the connector
 * stopped and throws Problem `unreachable`. Idempotent.
 */
export async function reconfigure(
  rest: ConnectControl,
  name: string,
  config: Readonly<Record<string, string>>,
): Promise<void> {
  const isReconfigured = async (): Promise<boolean> =>
    driftOf(config, await rest.config(name)).length === 0;
  if (!(await isReconfigured())) {
    await stopSurely(rest, name);
    await rest.putConfig(name, config);
    const stored = await pollUntil(Date.now() + STATE_TIMEOUT_MS, 200, async () =>
      (await isReconfigured()) ? true : null,
    );
    if (!stored)
      throw new Problem(
        'unreachable',
        `Kafka Connect accepted the new configuration of connector ${name}, but does not report it yet`,
        'check the log of Kafka Connect; the migration continues by itself, or at once with: sluice retry',
      );
  }
  await rest.resume(name);
  await untilRunning(rest, name);
}

/**
 * Stops a connector and waits until none of its tasks is running. Returns false if the connector is
 * certainly deleted. Throws Problem `clean-up` if a task is still running at the time limit.
 */
export async function stopSurely(
  rest: Pick<ConnectControl, 'stop' | 'status'>,
  name: string,
): Promise<boolean> {
  let isOrdered = false;
  let unknownSince: number | null = null;
  const end = await pollUntil(Date.now() + STATE_TIMEOUT_MS, 200, async () => {
    const isKnown = isOrdered || (await rest.stop(name));
    const status = isKnown ? await rest.status(name) : null;
    isOrdered = status !== null; // a Connect worker that has restarted gets a new request to stop
    unknownSince = isKnown ? null : (unknownSince ?? Date.now());
    if (unknownSince !== null) return Date.now() - unknownSince >= GONE_MS ? 'gone' : null;
    return status?.connector.state === 'STOPPED' && status.tasks.length === 0 ? 'stopped' : null;
  });
  if (!end) throw new Problem('clean-up', `connector ${name} does not stop`);
  return end === 'stopped';
}

export async function untilRunning(rest: ConnectControl, name: string): Promise<void> {
  let last = 'no status';
  const running = await pollUntil(Date.now() + STATE_TIMEOUT_MS, 200, async () => {
    const status = await rest.status(name);
    last = status
      ? `${status.connector.state}, tasks ${status.tasks.map((t) => t.state).join(' ') || 'none'}`
      : 'no status';
    return status?.connector.state === 'RUNNING' &&
      status.tasks.length > 0 &&
      status.tasks.every((t) => t.state === 'RUNNING')
      ? true
      : null;
  });
  if (running) return;
  const cause = (await taskFailure(rest, name)) ?? '';
  throw new Problem(
    'connector-failed',
    `${name} is not running: ${last}; ${cause}`,
    remedyOf(cause),
  );
}

/**
 * Returns the root cause of a failed connector or task, from its stack trace. Returns null if
 * Connect reports nothing as FAILED. That does not prove that the connector makes progress; only a
 * barrier proves progress.
 */
export async function taskFailure(
  rest: Pick<ConnectControl, 'status'>,
  name: string,
): Promise<string | null> {
  const status = await rest.status(name);
  if (!status) return null;
  const failed = [status.connector, ...status.tasks].find((part) => part.state === 'FAILED');
  return failed ? rootCause(failed.trace ?? 'FAILED without a stack trace') : null;
}

function rootCause(trace: string): string {
  const causes = trace.split('\n').filter((line) => line.startsWith('Caused by: '));
  return quoteForeign(
    withoutValues(causes.at(-1)?.slice('Caused by: '.length) ?? trace.split('\n')[0]!),
    400,
  );
}

/**
 * Deletes the offsets of a connector. If the connector has no offsets, no request is sent, because
 * Connect would answer with an internal error.
 */
export async function deleteOffsets(rest: ConnectControl, name: string): Promise<void> {
  if ((await rest.offsets(name)).length > 0) await rest.deleteOffsets(name);
}
