// Starts one Kafka Connect worker (distributed). It has Debezium's Postgres source and JDBC sink,
// Sluice's JDBC source, and the `env`, `file` and `directory` config providers.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { avroConverter } from '../fetch-optional.js';
import { connectPlugins, jdbcSourcePlugin, kafkaLibs } from '../fetch.js';
import type { Say } from '../make-once.js';
import type { StackHome } from '../paths.js';
import { alive, launch, untilReady } from '../processes.js';
import { stackSecrets } from '../secrets.js';
import { JVM } from './kafka.js';
import { PG_PASSWORD } from './postgres.js';

/** With `avro`, the worker also has the Avro converter of the stack's registry. */
export async function startConnect(home: StackHome, say: Say, avro = false): Promise<void> {
  if (alive(home, 'connect') === undefined) {
    const libs = await kafkaLibs(say);
    const folders = [await connectPlugins(say), await jdbcSourcePlugin(say)];
    if (avro) folders.push(await avroConverter(say));
    const plugins = folders.join(',');
    const config = join(home.dir, 'connect.properties');
    writeFileSync(config, `${commonProperties(home, plugins, 1)}${properties(home)}`);
    launch(home, {
      name: 'connect',
      command: 'java',
      args: [
        '-Xms192m',
        '-Xmx640m',
        ...JVM,
        '-cp',
        `${libs}/*`,
        'org.apache.kafka.connect.cli.ConnectDistributed',
        config,
      ],
      env: { ...stackSecrets(), PGPASSWORD: PG_PASSWORD },
    });
  }
  const url = `http://127.0.0.1:${home.ports.connect}`;
  await untilReady(home, 'connect', async () => {
    const health = await fetch(`${url}/health`, { signal: AbortSignal.timeout(3000) });
    if (!health.ok) return false;
    const plugins = await (
      await fetch(`${url}/connector-plugins`, { signal: AbortSignal.timeout(3000) })
    ).text();
    return hasPlugins(plugins);
  });
}

/** Returns whether a worker's list of plugins has the stack's three connectors. */
export const hasPlugins = (listed: string): boolean =>
  ['PostgresConnector', 'JdbcSinkConnector', 'dev.sluice.jdbc'].every((name) =>
    listed.includes(name),
  );

const properties = ({ ports }: StackHome): string => `bootstrap.servers=127.0.0.1:${ports.kafka}
listeners=http://127.0.0.1:${ports.connect}
`;

/**
 * Returns the settings that the Connect workers of plain and secured stacks share. After each
 * offset.flush.interval.ms, Connect acknowledges its position to Postgres. Sluice waits for this
 * position often; with Connect's default, it would wait up to a minute each time.
 */
export function commonProperties(home: StackHome, plugins: string, replicas: number): string {
  const secrets = join(home.dir, 'secrets');
  mkdirSync(secrets, { recursive: true });
  return `group.id=connect-${home.name}
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
config.storage.topic=connect-configs
config.storage.replication.factor=${replicas}
offset.storage.topic=connect-offsets
offset.storage.replication.factor=${replicas}
offset.storage.partitions=1
status.storage.topic=connect-status
status.storage.replication.factor=${replicas}
status.storage.partitions=1
offset.flush.interval.ms=500
plugin.path=${plugins}
plugin.discovery=service_load
scheduled.rebalance.max.delay.ms=0
session.timeout.ms=10000
heartbeat.interval.ms=2000
exactly.once.source.support=enabled
connector.client.config.override.policy=All
config.providers=env,file,directory
config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider
config.providers.env.param.allowlist.pattern=PGPASSWORD|SLUICE_SECRET_.*
config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider
config.providers.file.param.allowed.paths=${secrets}
config.providers.directory.class=org.apache.kafka.common.config.provider.DirectoryConfigProvider
config.providers.directory.param.allowed.paths=${secrets}
`;
}
