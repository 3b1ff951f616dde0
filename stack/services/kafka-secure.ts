// Starts three Kafka brokers with SASL_SSL and ACLs. Clients log in with SCRAM or PLAIN. Brokers
// and controllers authenticate each other by certificate. Every login except `admin` needs ACLs.
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import kafkajs, { type AclEntry, type Admin } from 'kafkajs';
import { kafkaLibs } from '../fetch.js';
import { run, type Say } from '../make-once.js';
import type { StackHome } from '../paths.js';
import { alive, launch, untilReady } from '../processes.js';
import {
  BROKER_NAME,
  USERS,
  securePorts,
  writeClientProperties,
  writeSecret,
  type Secured,
} from '../secure.js';
import { COMMON, JVM } from './kafka.js';

const ITERATIONS = 8192;
const uuid = (): string => randomBytes(16).toString('base64url').replace(/^-/, 'A');
/**
 * Returns the name of a broker's process. `at` is the broker's index, from 0. The broker's id in
 * Kafka is `at + 1`.
 */
export const brokerProcess = (at: number): string => (at === 0 ? 'kafka' : `kafka-${at + 1}`);

/**
 * Starts the brokers. `more` returns additional settings for the broker with the given index, as
 * lines of its properties file.
 */
export async function startSecureKafka(
  home: StackHome,
  secured: Secured,
  say: Say,
  more: (at: number) => string = () => '',
): Promise<void> {
  const libs = await kafkaLibs(say);
  const { brokers } = securePorts(home);
  const folders = brokers.map((_, at) => join(home.dir, brokerProcess(at)));
  writeClientProperties(secured, 'pipeline');
  const configs = brokers.map((_, at) => join(home.dir, `${brokerProcess(at)}.properties`));
  mkdirSync(home.dir, { recursive: true });
  brokers.forEach((_, at) =>
    writeSecret(configs[at]!, properties(home, secured, at, folders[at]!) + more(at)),
  );
  if (!existsSync(join(folders[0]!, 'meta.properties'))) {
    await format(libs, configs[0]!, secured);
    folders.slice(1).forEach((folder, at) => copyFormatted(folders[0]!, folder, at + 2));
  }
  brokers.forEach((_, at) => {
    if (alive(home, brokerProcess(at)) === undefined)
      launch(home, {
        name: brokerProcess(at),
        command: 'java',
        args: ['-Xms128m', '-Xmx288m', ...JVM, '-cp', `${libs}/*`, 'kafka.Kafka', configs[at]!],
      });
  });
  await untilReady(home, 'kafka', () =>
    withAdmin(home, secured, async (admin) => {
      if ((await admin.describeCluster()).brokers.length < brokers.length) return false;
      return admin.createAcls({ acl: aclsOfConnect() });
    }),
  );
}

/** Calls `use` with an admin client that logs in as `admin`, a super user of Kafka. */
export async function withAdmin<T>(
  home: StackHome,
  secured: Secured,
  use: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = new kafkajs.Kafka({
    brokers: securePorts(home).brokers.map(({ client }) => `127.0.0.1:${client}`),
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 0 },
    ssl: { ca: readFileSync(secured.ca) },
    sasl: { mechanism: 'scram-sha-512', username: 'admin', password: secured.passwords.admin },
  }).admin();
  try {
    await admin.connect();
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Returns the ACLs that a Connect cluster needs for its own topics, groups and transactions. */
function aclsOfConnect(): AclEntry[] {
  const { AclResourceTypes: type } = kafkajs;
  return [type.TOPIC, type.GROUP, type.TRANSACTIONAL_ID].map((resourceType) => ({
    resourceType,
    resourceName: 'connect-',
    resourcePatternType: kafkajs.ResourcePatternTypes.PREFIXED,
    principal: 'User:connect',
    host: '*',
    operation: kafkajs.AclOperationTypes.ALL,
    permissionType: kafkajs.AclPermissionTypes.ALLOW,
  }));
}

/** The users that log in to Kafka. `rest` logs in only to the REST API of Kafka Connect. */
const KAFKA_USERS = USERS.filter((user) => user !== 'rest');
const SCRAM = [
  { mechanism: 'SCRAM-SHA-512', digest: 'sha512', bytes: 64 },
  { mechanism: 'SCRAM-SHA-256', digest: 'sha256', bytes: 32 },
];

/**
 * Formats the data folder of the first broker, and creates the users in it. The format tool gets
 * salted hashes instead of their passwords.
 */
async function format(libs: string, config: string, { passwords }: Secured): Promise<void> {
  const credentials = KAFKA_USERS.flatMap((user) => SCRAM.map((one) => ({ user, ...one })));
  const users = credentials.flatMap(({ user, mechanism, digest, bytes }) => {
    const salt = randomBytes(18);
    const key = pbkdf2Sync(passwords[user], salt, ITERATIONS, bytes, digest).toString('base64');
    const given = `name=${user},salt="${salt.toString('base64')}",saltedpassword="${key}"`;
    return ['--add-scram', `${mechanism}=[${given},iterations=${ITERATIONS}]`];
  });
  const tool = ['-cp', `${libs}/*`, 'kafka.tools.StorageTool', 'format', '--ignore-formatted'];
  const java = ['-Xmx128m', '-XX:TieredStopAtLevel=1', ...JVM];
  await run('java', [...java, ...tool, '-t', uuid(), '-c', config, ...users], {});
}

/**
 * Copies the formatted folder for one of the other brokers, because each run of Kafka's format tool
 * takes seconds.
 */
function copyFormatted(from: string, to: string, id: number): void {
  cpSync(from, to, { recursive: true });
  const meta = join(to, 'meta.properties');
  const text = readFileSync(meta, 'utf8')
    .replace(/^node\.id=.*$/m, `node.id=${id}`)
    .replace(/^directory\.id=.*$/m, `directory.id=${uuid()}`);
  writeFileSync(meta, text);
}

function properties(home: StackHome, secured: Secured, at: number, data: string): string {
  const { brokers } = securePorts(home);
  const { client, inner, controller } = brokers[at]!;
  const voters = brokers.map((port, id) => `${id + 1}@127.0.0.1:${port.controller}`).join(',');
  const pem = join(secured.folder, `${BROKER_NAME}.pem`);
  const { passwords } = secured;
  const plain = KAFKA_USERS.map((user) => `user_${user}="${passwords[user]}"`).join(' ');
  return `process.roles=broker,controller
node.id=${at + 1}
controller.quorum.voters=${voters}
listeners=SASL_SSL://127.0.0.1:${client},BROKER://127.0.0.1:${inner},CONTROLLER://127.0.0.1:${controller}
advertised.listeners=SASL_SSL://127.0.0.1:${client},BROKER://127.0.0.1:${inner}
controller.listener.names=CONTROLLER
inter.broker.listener.name=BROKER
listener.security.protocol.map=CONTROLLER:SSL,BROKER:SSL,SASL_SSL:SASL_SSL
ssl.keystore.type=PEM
ssl.keystore.location=${pem}
ssl.truststore.type=PEM
ssl.truststore.location=${secured.ca}
listener.name.controller.ssl.client.auth=required
listener.name.broker.ssl.client.auth=required
sasl.enabled.mechanisms=SCRAM-SHA-512,SCRAM-SHA-256,PLAIN
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required ${plain};
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users=User:CN=${BROKER_NAME};User:admin
log.dirs=${data}
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.min.isr=2
${COMMON}
# With few cores, three brokers miss short deadlines, and would repeatedly leave and rejoin the cluster.
broker.session.timeout.ms=9000
broker.heartbeat.interval.ms=2000
`;
}
