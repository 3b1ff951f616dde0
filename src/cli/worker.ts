// sluice worker: serves both task queues until SIGTERM.
import { loadConfig } from '../config.js';
import { say } from './output.js';

export async function worker(): Promise<number> {
  const { runWorker } = await import('../worker.js');
  await runWorker(loadConfig(), {
    say,
    onReady: () => say('worker is ready (task queues migrations, migrations-data)'),
  });
  return 0;
}
