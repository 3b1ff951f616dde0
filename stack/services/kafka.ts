// Starts one Kafka broker from jars that Maven fetched. One process is broker and controller
// (KRaft).
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { kafkaLibs } from '../fetch.js';
import { run, type Say } from '../make-once.js';
import { ROOT, type StackHome } from '../paths.js';
import { alive, launch, untilReady } from '../processes.js';

export const JVM = [
  '-XX:+UseSerialGC',
  '-Xshare:auto',
  `-Dlog4j2.configurationFile=${join(ROOT, 'stack/log4j2.properties')}`,
];

export async function startKafka(home: StackHome, say: Say): Promise<void> {
  if (alive(home, 'kafka') === undefined) {
    const libs = await kafkaLibs(say);
    const data = join(home.dir, 'kafka');
    const config = join(home.dir, 'kafka.properties');
    mkdirSync(home.dir, { recursive: true });
    writeFileSync(config, properties(home, data));
    if (!existsSync(join(data, 'meta.properties'))) {
      const clusterId = randomBytes(16).toString('base64url').replace(/^-/, 'A');
      await run(
        'java',
        [
          '-Xmx128m',
          '-XX:TieredStopAtLevel=1',
          ...JVM,
          '-cp',
          `${libs}/*`,
          'kafka.tools.StorageTool',
          'format',
          '--standalone',
          '--ignore-formatted',
          '-t',
          clusterId,
          '-c',
          config,
        ],
        {},
      );
    }
    launch(home, {
      name: 'kafka',
      command: 'java',
      args: ['-Xms192m', '-Xmx512m', ...JVM, '-cp', `${libs}/*`, 'kafka.Kafka', config],
    });
  }
  await untilReady(home, 'kafka', async () => {
    const admin = new kafkajs.Kafka({
      brokers: [`127.0.0.1:${home.ports.kafka}`],
      logLevel: kafkajs.logLevel.NOTHING,
      retry: { retries: 0 },
    }).admin();
    try {
      await admin.connect();
      return (await admin.describeCluster()).brokers.length > 0;
    } finally {
      await admin.disconnect();
    }
  });
}

/**
 * Settings of the brokers of plain and secured stacks. Internal topics have few partitions, and the
 * session of a killed broker ends soon. So a restart after kill -9 takes only a few seconds.
 */
export const COMMON = `offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
group.consumer.min.session.timeout.ms=10000
group.consumer.session.timeout.ms=12000
auto.create.topics.enable=false
num.partitions=1
log.cleaner.dedupe.buffer.size=4194304
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
`;

function properties(home: StackHome, data: string): string {
  const { kafka, kafkaController } = home.ports;
  return `process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:${kafkaController}
listeners=PLAINTEXT://127.0.0.1:${kafka},CONTROLLER://127.0.0.1:${kafkaController}
advertised.listeners=PLAINTEXT://127.0.0.1:${kafka}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=${data}
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
${COMMON}`;
}
