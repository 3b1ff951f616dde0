// Pauses the sink connector before a shared table is switched, and moves it to that table
// afterwards.
import { remedyOf } from '../../domain/capture/connector-remedies.js';
import { Problem } from '../../domain/failure.js';
import { pollUntil } from '../runtime/poll-until.js';
import { reconfigure, taskFailure } from '../capture/connectors/connector-state.js';
import { sinkConfig } from '../capture/connectors/current-sink.js';
import type { Site } from './owned-kind.js';

const PAUSE_MS = 20_000; // the wait has this limit, because the fence refuses writes meanwhile

/**
 * Pauses the sink before a shared table is switched. The table to which the sink writes until then
 * must not change during the switch. `resumeConnector` ends the pause.
 */
export async function pauseSink({ systems, plan }: Site): Promise<void> {
  const rest = systems.connect(plan);
  const { connector } = plan.sink!;
  await rest.pause(connector);
  // A failed task has records that it did not write. Such a task never becomes PAUSED, so this
  // function then throws.
  const paused = await pollUntil(Date.now() + PAUSE_MS, 100, async () => {
    const status = await rest.status(connector);
    return status &&
      status.tasks.length > 0 &&
      [status.connector, ...status.tasks].every((part) => part.state === 'PAUSED')
      ? true
      : null;
  });
  if (paused) return;
  const cause = (await taskFailure(rest, connector)) ?? 'no answer';
  throw new Problem('connector-failed', `${connector} does not pause: ${cause}`, remedyOf(cause));
}

/**
 * Moves the sink to the shared table after the commit. The sink continues where it paused. The
 * lease row decides which table the new configuration names. Idempotent.
 */
export async function moveSink(site: Site): Promise<void> {
  const { systems, plan } = site;
  await reconfigure(systems.connect(plan), plan.sink!.connector, await sinkConfig(site, site));
}
