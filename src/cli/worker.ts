// sluice worker: serves the task queues until SIGTERM.
import { loadConfig } from '../config.js';
import { QUEUE_ROLES, TASK_QUEUE, queueFor } from '../domain/migration/task-queues.js';
import { EXIT, say } from './output.js';

export async function worker(): Promise<number> {
  const queues = QUEUE_ROLES.map((role) => queueFor(TASK_QUEUE, role)).join(', ');
  const { runWorker } = await import('../worker.js');
  endGracefullyOnInterrupt();
  await runWorker(loadConfig(), {
    say,
    onReady: () => say(`worker is ready (task queues ${queues})`),
  });
  return 0;
}

/** Lets the worker end its activities on the first Ctrl-C, as on SIGTERM. The second one exits. */
function endGracefullyOnInterrupt(): void {
  process.removeAllListeners('SIGINT').once('SIGINT', () => {
    say('the worker ends; press Ctrl-C again to end it at once');
    process.once('SIGINT', () => process.exit(EXIT.interrupted));
  });
}
