// sluice worker: serves the task queues until SIGTERM or SIGINT. With --check-replay, it only
// replays the open runs, and serves no queue.
import { loadConfig } from '../wiring/config.js';
import { withClient } from './support/temporal-client.js';
import { EXIT, asLines, print, say, type Format } from './support/output.js';

export async function worker(options: { checkReplay?: boolean; output: Format }): Promise<number> {
  if (options.checkReplay) return checkReplay(options.output);
  const { runWorker, servedQueues } = await import('../wiring/worker.js');
  const config = loadConfig();
  const queues = servedQueues(config)
    .map(({ queue }) => queue)
    .join(', ');
  endGracefullyOnInterrupt();
  await runWorker(config, {
    say,
    onReady: () => say(`worker is ready (task queues ${queues})`),
  });
  return 0;
}

/** Replays the open runs with this version, before its rollout. Changes nothing. */
async function checkReplay(format: Format): Promise<number> {
  const { workflowCode } = await import('../wiring/workflow-code.js');
  const { replayOpenRuns } = await import('../wiring/worker-replay.js');
  const config = loadConfig();
  const replayed = await withClient((client) =>
    replayOpenRuns(config, workflowCode(config), client),
  );
  const failed = replayed.filter(({ problem }) => problem !== null);
  await print(replayed, format, () =>
    asLines([
      ...failed.map((run) => `${run.migration} (run ${run.runId}) does not replay: ${run.problem}`),
      `${replayed.length - failed.length} of ${replayed.length} open runs replay with this version`,
    ]),
  );
  return failed.length > 0 ? EXIT.findings : EXIT.ok;
}

/**
 * Makes the first Ctrl-C work like SIGTERM, so that the worker ends its activities. The second
 * Ctrl-C exits at once.
 */
function endGracefullyOnInterrupt(): void {
  process.removeAllListeners('SIGINT').once('SIGINT', () => {
    say('the worker ends; press Ctrl-C again to end it at once');
    process.once('SIGINT', () => process.exit(EXIT.interrupted));
  });
}
