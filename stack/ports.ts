// Checks that the ports of a stack are free before anything starts.
import { createServer } from 'node:net';
import type { StackHome } from './paths.js';
import { alive, sleep } from './processes.js';

/**
 * Throws if a process that is not part of this stack uses one of its ports. `optional` names the
 * services of `--with`, and `more` lists the additional ports of a secured stack.
 */
export async function refuseForeignPorts(
  home: StackHome,
  optional: readonly string[],
  more: readonly [string, number][],
): Promise<void> {
  const owners: [string, number][] = [
    ...more,
    ['postgres', home.ports.postgres],
    ['kafka', home.ports.kafka],
    ['kafka', home.ports.kafkaController],
    ['connect', home.ports.connect],
    ['temporal', home.ports.temporal],
    ['temporal', home.ports.temporalUi],
    ...(optional.includes('toxiproxy')
      ? [['toxiproxy', home.ports.toxiproxy] as [string, number]]
      : []),
    ...(optional.includes('flink')
      ? ([
          ['flink-jobmanager', home.ports.flinkRest],
          ['flink-jobmanager', home.ports.flinkRpc],
          ['flink-gateway', home.ports.flinkGateway],
        ] as [string, number][])
      : []),
  ];
  if (optional.includes('registry')) owners.push(['registry', home.ports.registry]);
  const taken: number[] = [];
  for (const [service, port] of owners)
    if (alive(home, service) === undefined && !(await isFree(port))) taken.push(port);
  if (taken.length > 0) {
    throw new Error(
      `port ${taken.join(', ')} on 127.0.0.1 is in use by a process that is not part of the stack "${home.name}". Stop that process, or choose other ports with SLUICE_STACK_PORT_BASE.`,
    );
  }
}

async function isFree(port: number): Promise<boolean> {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return true;
    await sleep(200);
  }
  return false;
}
