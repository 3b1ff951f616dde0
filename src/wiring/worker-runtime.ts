// Installs Temporal's runtime for the worker's process, with its log and its metrics.
import { Runtime, makeTelemetryFilterString } from '@temporalio/worker';
import type { ProcessSettings } from './process-settings.js';
import { freeAddress } from './worker-endpoint.js';
import { createLogger } from './worker-log.js';

/**
 * Installs the runtime. Returns the local address at which it serves its own metrics, or null if
 * the process has no HTTP endpoint. MUST be called before the process uses any other part of
 * Temporal's SDK.
 */
export async function installRuntime({
  log,
  httpAddress,
}: ProcessSettings): Promise<string | null> {
  const metricsAddress = httpAddress === null ? null : await freeAddress();
  Runtime.install({
    logger: createLogger(log),
    telemetryOptions: {
      // Temporal's core logs a failed workflow task as a warning. So the core gets the level of
      // Sluice's log. The level ERROR, which other libraries get, would always hide such a failure.
      logging: {
        filter: makeTelemetryFilterString({ core: log.level, other: 'ERROR' }),
        forward: {},
      },
      ...(metricsAddress === null
        ? {}
        : { metrics: { prometheus: { bindAddress: metricsAddress, countersTotalSuffix: true } } }),
    },
  });
  return metricsAddress;
}
