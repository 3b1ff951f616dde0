// Helps the tests that run on a secured stack. It provides the specs of two how-to pages, creates
// ACLs, and kills and restarts processes of the stack.
import { readFileSync } from 'node:fs';
import kafkajs, { type AclEntry } from 'kafkajs';
import pg from 'pg';
import { parse } from 'yaml';
import type { Acl } from '../../src/domain/access/acls.js';
import { stackHome } from '../../stack/paths.js';
import { alive, stop } from '../../stack/processes.js';
import { securePorts, securedOf } from '../../stack/secure.js';
import { askConnect, connectProcess } from '../../stack/services/connect-secure.js';
import { brokerProcess, withAdmin } from '../../stack/services/kafka-secure.js';
import { up } from '../../stack/stack.js';
import { sleepUntil } from './builders.js';
import { blocksOf } from './pages.js';

export const SECURED_PAGE = readFileSync('docs/how-to/secured-cluster.md', 'utf8');
const REGISTRY_PAGE = 'docs/how-to/registry.md';

const home = stackHome();
const secured = securedOf(home)!;

export type Spec = Record<string, Record<string, unknown>>;

const specIn = (page: string): string => blocksOf(page, 'yaml')[0]!;

/** Returns the spec of docs/how-to/secured-cluster.md, with the addresses and CA of this stack. */
export function specOfPage(): Spec {
  const text = specIn('docs/how-to/secured-cluster.md')
    .replaceAll('/etc/sluice/ca.crt', secured.ca)
    .replace('db.internal', '127.0.0.1')
    .replace('port: 5432', `port: ${home.ports.postgres}`)
    .replace('https://connect.internal:8083', process.env['CONNECT_URL']!)
    .replace('kafka.internal:9093', process.env['KAFKA_BROKERS']!.replaceAll(',', '", "'));
  return (parse(text) as { spec: Spec }).spec;
}

/** Returns format and registry of docs/how-to/registry.md, with the address of this stack. */
export function avroOfPage(): Record<string, unknown> {
  const text = specIn(REGISTRY_PAGE).replace(
    'https://registry.internal/apis/ccompat/v7',
    process.env['REGISTRY_URL']!,
  );
  const { format, registry } = (parse(text) as { spec: Spec }).spec['kafka']!;
  return { format, registry };
}

type Users = Readonly<Record<Acl['principal'], string>>;
const USER: Users = { worker: 'sluice', flink: 'flink', connect: 'connect', pipeline: 'pipeline' };

/**
 * Creates the ACLs that a plan lists, and those in `more`. `own` names different users for some
 * principals.
 */
export async function allow(
  acls: readonly Acl[],
  more: readonly AclEntry[] = [],
  own: Partial<Users> = {},
): Promise<void> {
  const acl = [...acls.flatMap((one) => entriesOf(one, { ...USER, ...own })), ...more];
  await withAdmin(home, secured, (admin) => admin.createAcls({ acl }));
}

/** Removes every ACL of the worker, and then allows it only to read the topic. */
export async function allowOnlyReading(topic: string): Promise<void> {
  const { AclOperationTypes: may, AclResourceTypes, ResourcePatternTypes } = kafkajs;
  const principal = `User:${USER.worker}`;
  const every = {
    resourceType: AclResourceTypes.ANY,
    resourcePatternType: ResourcePatternTypes.ANY,
    principal,
    operation: may.ANY,
    permissionType: kafkajs.AclPermissionTypes.ANY,
  };
  const reading: Acl = {
    principal: 'worker',
    resource: 'topic',
    name: topic,
    pattern: 'literal',
    operations: ['Describe', 'Read'],
    why: 'a comparison reads the topic',
  };
  await withAdmin(home, secured, async (admin) => {
    await admin.deleteAcls({ filters: [every] });
    await admin.createAcls({ acl: entriesOf(reading, USER) });
  });
}

/** Runs SQL on the stack's Postgres as its superuser. */
export async function querySecured(database: string, sql: string): Promise<void> {
  const client = new pg.Client({ database, ssl: { ca: readFileSync(secured.ca) } });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

function entriesOf(
  { principal, resource, name, pattern, operations }: Acl,
  users: Users,
): AclEntry[] {
  const { AclResourceTypes: types, ResourcePatternTypes: patterns } = kafkajs;
  const known: Record<Acl['operations'][number], kafkajs.AclOperationTypes> = {
    Create: kafkajs.AclOperationTypes.CREATE,
    Delete: kafkajs.AclOperationTypes.DELETE,
    Describe: kafkajs.AclOperationTypes.DESCRIBE,
    DescribeConfigs: kafkajs.AclOperationTypes.DESCRIBE_CONFIGS,
    Read: kafkajs.AclOperationTypes.READ,
    Write: kafkajs.AclOperationTypes.WRITE,
  };
  return operations.map((operation) => ({
    resourceType: resource === 'topic' ? types.TOPIC : types.GROUP,
    resourceName: name,
    resourcePatternType: pattern === 'prefixed' ? patterns.PREFIXED : patterns.LITERAL,
    principal: `User:${users[principal]}`,
    host: '*',
    operation: known[operation],
    permissionType: kafkajs.AclPermissionTypes.ALLOW,
  }));
}

/** Returns the ACLs that a Kafka Streams application needs for its own topics and transactions. */
export function aclsOfStreams(application: string): AclEntry[] {
  const { AclResourceTypes: types } = kafkajs;
  return [types.TOPIC, types.TRANSACTIONAL_ID].map((resourceType) => ({
    resourceType,
    resourceName: `${application}-`,
    resourcePatternType: kafkajs.ResourcePatternTypes.PREFIXED,
    principal: `User:${USER.pipeline}`,
    host: '*',
    operation: kafkajs.AclOperationTypes.ALL,
    permissionType: kafkajs.AclPermissionTypes.ALLOW,
  }));
}

/** Returns the process of the broker that leads the topic's first partition. */
export async function leaderOf(topic: string): Promise<string> {
  const { topics } = await withAdmin(home, secured, (admin) =>
    admin.fetchTopicMetadata({ topics: [topic] }),
  );
  return brokerProcess(topics[0]!.partitions[0]!.leader - 1);
}

/** Sends a request to one of the Connect workers. `at` counts from 0. */
export const askWorker = async (at: number, path: string): Promise<string> =>
  (await askConnect(secured, securePorts(home).connects[at]!, path)).text;

/** Returns the process of the Connect worker that runs the connector's task. */
export async function workerOf(connector: string): Promise<string> {
  const { tasks } = JSON.parse(await askWorker(0, `/connectors/${connector}/status`)) as {
    tasks: { worker_id: string }[];
  };
  const port = Number(tasks[0]!.worker_id.split(':').at(-1));
  return connectProcess(securePorts(home).connects.indexOf(port));
}

/** Kills a process of the stack with SIGKILL. `startKilled` starts it again. */
export async function killService(name: string): Promise<void> {
  const pid = alive(home, name);
  if (pid === undefined) throw new Error(`${name} is not running`);
  process.kill(pid, 'SIGKILL');
  await sleepUntil(`${name} is dead`, () => alive(home, name) === undefined);
}

/** Restarts the workers of the Connect cluster, one after the other. */
export async function rollConnect(): Promise<void> {
  for (const at of securePorts(home).connects.keys()) {
    await stop(home, connectProcess(at));
    await startKilled();
  }
}

/** Starts each process of the stack that is not running. */
export const startKilled = (): Promise<void> => up(home, () => undefined);
