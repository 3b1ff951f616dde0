// Lists the commands with which a person starts or stops the demo's servers, or runs the demo
// again. The commands differ between the local stack and containers. The worker and the pipeline of
// the demo always run on the host, even if the servers run in containers.
export interface Servers {
  /** Stops the worker, the pipeline and the servers. The data stays. */
  readonly stop: string;
  /** Deletes the data, and runs the demo again. */
  readonly startOver: string;
  /** Starts the servers. The demo names this command if they do not answer. */
  readonly start: string;
}

const STACK: Servers = {
  stop: 'npm run stack -- down',
  startOver: 'npm run demo -- --fresh',
  start: 'npm run stack -- up',
};

const CONTAINERS: Servers = {
  stop: 'npm run stack -- down; docker compose down',
  startOver:
    'npm run stack -- down; docker compose down -v; docker compose up --wait; npm run demo -- --running',
  start: 'docker compose up --wait',
};

/** Throws if the options contradict each other. */
export function serversOf(options: { running?: boolean; fresh?: boolean }): Servers {
  if (!options.running) return STACK;
  if (options.fresh)
    throw new Error(
      `--fresh deletes only the data of \`npm run stack\`, not of servers that already run. Start over with: ${CONTAINERS.startOver}`,
    );
  return CONTAINERS;
}
