// Starts Flink (`--with flink`) as three processes: a job manager, one task manager, and the SQL
// Gateway. All of them use the jars of one folder.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Say } from '../make-once.js';
import { flinkLibs } from '../fetch-optional.js';
import type { StackHome } from '../paths.js';
import { alive, launch, untilReady } from '../processes.js';
import { stackSecrets } from '../secrets.js';
import type { Secured } from '../secure.js';

/** The names of Flink's processes, in the order in which they start. */
export const FLINK_SERVICES = ['flink-jobmanager', 'flink-taskmanager', 'flink-gateway'] as const;

const MAIN = {
  'flink-jobmanager': [
    '-Xms128m',
    '-Xmx384m',
    'org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint',
  ],
  'flink-taskmanager': [
    '-Xms256m',
    '-Xmx768m',
    '-XX:MaxDirectMemorySize=256m',
    'org.apache.flink.runtime.taskexecutor.TaskManagerRunner',
  ],
  'flink-gateway': ['-Xms128m', '-Xmx512m', 'org.apache.flink.table.gateway.SqlGateway'],
} as const;

// Flink and its serializers access internal classes of the JDK. Without these options, a job fails
// on Java 17 and later.
const EXPORTS = ['java.rmi/sun.rmi.registry', 'java.security.jgss/sun.security.krb5'].map(
  (name) => `--add-exports=${name}=ALL-UNNAMED`,
);
const OPENS = [
  'lang',
  'lang.reflect',
  'net',
  'io',
  'nio',
  'text',
  'time',
  'util',
  'util.concurrent',
  'util.concurrent.atomic',
  'util.concurrent.locks',
]
  .map((name) => `java.base/java.${name}`)
  .concat('java.base/sun.nio.ch')
  .map((name) => `--add-opens=${name}=ALL-UNNAMED`);

/** On a secured stack, Flink's processes get the secrets with which they log in to Kafka. */
export async function startFlink(
  home: StackHome,
  say: Say,
  secured: Secured | null = null,
): Promise<void> {
  const lib = await flinkLibs(say);
  const conf = join(home.dir, 'flink');
  mkdirSync(conf, { recursive: true });
  writeFileSync(join(conf, 'config.yaml'), configuration(home));
  for (const name of FLINK_SERVICES) {
    if (alive(home, name) !== undefined) continue;
    const [main, ...heap] = [...MAIN[name]].reverse();
    const folder = name === 'flink-gateway' ? [] : ['--configDir', conf];
    launch(home, {
      name,
      command: 'java',
      args: [
        ...heap,
        '-XX:+UseSerialGC',
        ...EXPORTS,
        ...OPENS,
        '-cp',
        `${lib}/*`,
        main!,
        ...folder,
      ],
      env: { FLINK_CONF_DIR: conf, FLINK_LIB_DIR: lib, ...(secured ? secretsOf(secured) : {}) },
    });
  }
  const { flinkRest, flinkGateway } = home.ports;
  await untilReady(home, 'flink-taskmanager', async () => {
    const overview = await answer(`http://127.0.0.1:${flinkRest}/overview`);
    return Number(overview['taskmanagers']) > 0;
  });
  await untilReady(
    home,
    'flink-gateway',
    async () => 'productName' in (await answer(`http://127.0.0.1:${flinkGateway}/v1/info`)),
  );
}

/**
 * Returns the secrets as variables. All three processes get them, although the SQL Gateway does not
 * need them.
 */
const secretsOf = ({ passwords }: Secured): Record<string, string> => ({
  ...stackSecrets(),
  SLUICE_SECRET_KAFKA: passwords.sluice,
  SLUICE_SECRET_FLINK: passwords.flink,
  SLUICE_SECRET_PIPELINE: passwords.pipeline,
});

async function answer(url: string): Promise<Record<string, unknown>> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
  return (await response.json()) as Record<string, unknown>;
}

// The configuration gives the size of every part of the memory. Only Flink's own start scripts
// compute missing sizes. Without these scripts, a missing size causes an IllegalArgumentException
// that has no message.
function configuration(home: StackHome): string {
  const { flinkRest, flinkRpc, flinkGateway } = home.ports;
  return `jobmanager.rpc.address: 127.0.0.1
jobmanager.rpc.port: ${flinkRpc}
jobmanager.bind-host: 127.0.0.1
jobmanager.memory.heap.size: 384m
jobmanager.memory.off-heap.size: 64m
jobmanager.memory.jvm-metaspace.size: 256m
jobmanager.memory.jvm-overhead.min: 64m
jobmanager.memory.jvm-overhead.max: 64m
taskmanager.bind-host: 127.0.0.1
taskmanager.host: 127.0.0.1
taskmanager.resource-id: ${home.name}-1
taskmanager.numberOfTaskSlots: 8
taskmanager.cpu.cores: 2
taskmanager.memory.framework.heap.size: 128m
taskmanager.memory.framework.off-heap.size: 64m
taskmanager.memory.task.heap.size: 640m
taskmanager.memory.task.off-heap.size: 0m
taskmanager.memory.managed.size: 256m
taskmanager.memory.network.min: 128m
taskmanager.memory.network.max: 128m
taskmanager.memory.jvm-metaspace.size: 256m
taskmanager.memory.jvm-overhead.min: 64m
taskmanager.memory.jvm-overhead.max: 64m
cluster.registration.error-delay: 500ms
parallelism.default: 1
rest.address: 127.0.0.1
rest.bind-address: 127.0.0.1
rest.port: ${flinkRest}
execution.target: remote
execution.checkpointing.interval: 1s
execution.checkpointing.dir: file://${join(home.dir, 'flink', 'checkpoints')}
execution.checkpointing.savepoint-dir: file://${join(home.dir, 'flink', 'savepoints')}
state.backend.type: hashmap
restart-strategy.type: fixed-delay
restart-strategy.fixed-delay.attempts: 1000000
restart-strategy.fixed-delay.delay: 1s
io.tmp.dirs: ${join(home.dir, 'flink', 'tmp')}
sql-gateway.endpoint.rest.address: 127.0.0.1
sql-gateway.endpoint.rest.bind-address: 127.0.0.1
sql-gateway.endpoint.rest.port: ${flinkGateway}
`;
}
