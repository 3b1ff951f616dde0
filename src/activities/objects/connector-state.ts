// Checks the state of any connector: as planned, running, or stopped, and the cause of a failure.
import type { ConnectRest } from '../../clients/http/connect-rest.js';
import { Problem } from '../../domain/failure.js';
import { quoteForeign, withoutValues } from '../../domain/values/foreign-text.js';
import { pollUntil } from '../runtime/poll-until.js';

/** The time that Connect may take to do what it accepted. */
export const STATE_TIMEOUT_MS = 60_000;

/** The answer of `driftOf` for a missing connector. */
export const MISSING = '(missing)';

/** Keys in which the stored configuration differs from ours (`name` is Connect's own addition). */
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
 * Gives a connector another configuration. It is stopped in between, because its old task would run
 * on for a moment. Idempotent; waits until it runs again.
 */
export async function reconfigure(
  rest: ConnectRest,
  name: string,
  config: Readonly<Record<string, string>>,
): Promise<void> {
  const isReconfigured = async (): Promise<boolean> =>
    driftOf(config, await rest.config(name)).length === 0;
  if (!(await isReconfigured())) {
    await stopSurely(rest, name);
    await rest.putConfig(name, config);
    await pollUntil(Date.now() + STATE_TIMEOUT_MS, 200, async () =>
      (await isReconfigured()) ? true : null,
    );
  }
  await rest.resume(name);
  await untilRunning(rest, name);
}

/** Afterwards none of its tasks runs any more. */
export async function stopSurely(rest: ConnectRest, name: string): Promise<void> {
  await rest.stop(name);
  const stopped = await pollUntil(Date.now() + STATE_TIMEOUT_MS, 200, async () => {
    const status = await rest.status(name);
    return status === null || (status.connector.state === 'STOPPED' && status.tasks.length === 0)
      ? true
      : null;
  });
  if (!stopped) throw new Problem('clean-up', `connector ${name} does not stop`);
}

export async function untilRunning(rest: ConnectRest, name: string): Promise<void> {
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
  if (!running)
    throw new Problem(
      'connector-failed',
      `${name} does not run: ${last}; ${(await taskFailure(rest, name)) ?? ''}`,
    );
}

/**
 * First line of the trace of a failed connector or task; null when nothing is FAILED (which proves
 * nothing: see barriers).
 */
export async function taskFailure(rest: ConnectRest, name: string): Promise<string | null> {
  const status = await rest.status(name);
  if (!status) return null;
  const failed = [status.connector, ...status.tasks].find((part) => part.state === 'FAILED');
  return failed ? rootCause(failed.trace ?? 'FAILED without trace') : null;
}

function rootCause(trace: string): string {
  const causes = trace.split('\n').filter((line) => line.startsWith('Caused by: '));
  return quoteForeign(
    withoutValues(causes.at(-1)?.slice('Caused by: '.length) ?? trace.split('\n')[0]!),
    400,
  );
}

/**
 * A connector that never ran has none, and Connect fails with an internal error when it is asked to
 * delete them.
 */
export async function deleteOffsets(rest: ConnectRest, name: string): Promise<void> {
  if ((await rest.offsets(name)).length > 0) await rest.deleteOffsets(name);
}
