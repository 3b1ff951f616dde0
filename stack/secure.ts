// Makes the private CA, the certificates and the passwords of a secured stack. The first `up
// --secure` makes them. A later `up` replaces certificates that expire within a day. `reset`
// removes everything.
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isValid, makeAuthority, makeCertificate } from './certificates.js';
import type { StackHome } from './paths.js';

/** Logins. `admin` may do everything in Kafka. `rest` is only for the REST API of Kafka Connect. */
export const USERS = ['admin', 'sluice', 'connect', 'pipeline', 'flink', 'rest'] as const;
export type User = (typeof USERS)[number];

/** The name in the brokers' own certificate. */
export const BROKER_NAME = 'kafka';

export interface Secured {
  readonly folder: string;
  readonly passwords: Readonly<Record<User, string>>;
  /** The CA that signed every certificate of the stack. */
  readonly ca: string;
  /** A password for key stores whose format needs one. */
  readonly storePassword: string;
}

/** The servers that have a certificate, in addition to the brokers. */
const SERVERS = ['connect', 'postgres', 'registry'];
const SERVER = ['DNS:localhost', 'IP:127.0.0.1'];
const recordOf = ({ dir }: StackHome): string => join(dir, 'secure', 'stack.json');

/** Returns the secrets of a secured stack, or null for a plain stack. */
export function securedOf(home: StackHome): Secured | null {
  const record = recordOf(home);
  return existsSync(record) ? (JSON.parse(readFileSync(record, 'utf8')) as Secured) : null;
}

/** Makes this stack a secured one. Throws if it already has the data of a plain stack. */
export function makeSecured(home: StackHome): Secured {
  const known = securedOf(home);
  const folder = join(home.dir, 'secure');
  if (known) {
    if (!['ca', BROKER_NAME, ...SERVERS].every((name) => isValid(folder, name)))
      makeCertificates(folder);
    return known;
  }
  if (existsSync(join(home.dir, 'kafka')))
    throw new Error(
      `the stack "${home.name}" has data of a plain stack: run \`npm run stack -- reset\` first, or choose another SLUICE_STACK_NAME`,
    );
  makeCertificates(folder);
  const secret = (): string => randomBytes(18).toString('base64url');
  const secured: Secured = {
    folder,
    passwords: {
      admin: secret(),
      sluice: secret(),
      connect: secret(),
      pipeline: secret(),
      flink: secret(),
      rest: secret(),
    },
    ca: join(folder, 'ca.crt'),
    storePassword: secret(),
  };
  writeFileSync(recordOf(home), JSON.stringify(secured), { mode: 0o600 });
  return secured;
}

/** Returns the file with the options that make a JVM trust the CA. Java reads it as `@FILE`. */
export const trustFile = ({ folder }: Secured): string => join(folder, 'trust.args');

/** Makes the certificates and also a CA, because an old CA expires as early as its certificates. */
function makeCertificates(folder: string): void {
  makeAuthority(folder);
  for (const name of [BROKER_NAME, ...SERVERS]) makeCertificate(folder, name, { names: SERVER });
  makeCertificate(folder, 'client');
}

/**
 * Writes the settings with which Kafka's Java clients log in as this user. The file also tells
 * Kafka Streams the number of replicas.
 */
export function writeClientProperties<Name extends User>(
  {
    folder,
    passwords,
    ca,
  }: Pick<Secured, 'folder' | 'ca'> & { readonly passwords: Readonly<Record<Name, string>> },
  user: Name,
  replicas = 3,
): void {
  writeSecret(
    join(folder, `${user}.properties`),
    `security.protocol=SASL_SSL
ssl.truststore.type=PEM
ssl.truststore.location=${ca}
sasl.mechanism=SCRAM-SHA-512
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="${user}" password="${passwords[user]}";
replication.factor=${replicas}
`,
  );
}

/** Writes a configuration file that only this user can read, because it contains passwords. */
export function writeSecret(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 });
  chmodSync(path, 0o600);
}

export interface SecurePorts {
  /** Each broker has three ports: for clients, for the other brokers, and as a controller. */
  readonly brokers: readonly {
    readonly client: number;
    readonly inner: number;
    readonly controller: number;
  }[];
  readonly connects: readonly number[];
}

/** Returns the ports of a secured stack: the ports of a plain stack, and eight more. */
export function securePorts({ ports }: StackHome): SecurePorts {
  const after = ports.flinkGateway;
  return {
    brokers: [
      { client: ports.kafka, inner: after + 1, controller: ports.kafkaController },
      { client: after + 2, inner: after + 3, controller: after + 4 },
      { client: after + 5, inner: after + 6, controller: after + 7 },
    ],
    connects: [ports.connect, after + 8],
  };
}

/**
 * Returns the variables with which a program finds a secured stack, in addition to the variables
 * for a plain one.
 */
export function securedEnvironment(home: StackHome, secured: Secured): Record<string, string> {
  const { folder, passwords, ca } = secured;
  const { brokers, connects } = securePorts(home);
  return {
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: ca,
    // The spec cannot name a CA for the registry, because the Avro converter has no setting for it.
    // So Node has to trust this CA.
    NODE_EXTRA_CA_CERTS: ca,
    KAFKA_BROKERS: brokers.map(({ client }) => `127.0.0.1:${client}`).join(','),
    KAFKA_CA: ca,
    KAFKA_USERNAME: 'pipeline',
    KAFKA_PASSWORD: passwords.pipeline,
    KAFKA_PROPERTIES: join(folder, 'pipeline.properties'),
    CONNECT_URL: `https://127.0.0.1:${connects[0]}`,
    SLUICE_SECRET_KAFKA: passwords.sluice,
    SLUICE_SECRET_CONNECT: passwords.rest,
  };
}

/**
 * Returns the ports of a secured stack's brokers and of its second Connect worker, each with the
 * name of its process.
 */
export function portsOfSecured(home: StackHome): [string, number][] {
  const { brokers, connects } = securePorts(home);
  return [
    ...brokers.flatMap(({ client, inner, controller }, at) => {
      const name = at === 0 ? 'kafka' : `kafka-${at + 1}`;
      return [client, inner, controller].map((port): [string, number] => [name, port]);
    }),
    ['connect-2', connects[1]!],
  ];
}
