// Starts one Kafka Connect worker (distributed). It has Debezium's Postgres source and JDBC sink,
// Sluice's JDBC source, and the `env` and `file` config providers.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectPlugins, jdbcSourcePlugin, kafkaLibs } from '../fetch.js';
import type { Say } from '../make-once.js';
import type { StackHome } from '../paths.js';
import { alive, launch, untilReady } from '../processes.js';
import { stackSecrets } from '../secrets.js';
import { JVM } from './kafka.js';
import { PG_PASSWORD } from './postgres.js';

export async function startConnect(home: StackHome, say: Say): Promise<void> {
  if (alive(home, 'connect') === undefined) {
    const [libs, plugins] = [
      await kafkaLibs(say),
      `${await connectPlugins(say)},${await jdbcSourcePlugin(say)}`,
    ];
    const config = join(home.dir, 'connect.properties');
    const secrets = join(home.dir, 'secrets');
    mkdirSync(secrets, { recursive: true });
    writeFileSync(config, properties(home, plugins, secrets));
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
    return (
      plugins.includes('PostgresConnector') &&
      plugins.includes('JdbcSinkConnector') &&
      plugins.includes('dev.sluice.jdbc')
    );
  });
}

// offset.flush.interval.ms limits the age of the acknowledged position. With Connect's default,
// every barrier would wait a minute.
function properties(home: StackHome, plugins: string, secrets: string): string {
  return `bootstrap.servers=127.0.0.1:${home.ports.kafka}
group.id=connect-${home.name}
listeners=http://127.0.0.1:${home.ports.connect}
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
config.storage.topic=connect-configs
config.storage.replication.factor=1
offset.storage.topic=connect-offsets
offset.storage.replication.factor=1
offset.storage.partitions=1
status.storage.topic=connect-status
status.storage.replication.factor=1
status.storage.partitions=1
offset.flush.interval.ms=500
plugin.path=${plugins}
plugin.discovery=service_load
scheduled.rebalance.max.delay.ms=0
session.timeout.ms=10000
heartbeat.interval.ms=2000
exactly.once.source.support=enabled
connector.client.config.override.policy=All
config.providers=env,file
config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider
config.providers.env.param.allowlist.pattern=PGPASSWORD|SLUICE_SECRET_.*
config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider
config.providers.file.param.allowed.paths=${secrets}
`;
}
