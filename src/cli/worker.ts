// sluice worker: serves both task queues until SIGTERM.
import { loadConfig } from '../config.js';
import { EXIT, say } from './output.js';

export async function worker(): Promise<number> {
  const { runWorker } = await import('../worker.js');
  endGracefullyOnInterrupt();
  await runWorker(loadConfig(), {
    say,
    onReady: () => say('worker is ready (task queues migrations, migrations-data)'),
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
