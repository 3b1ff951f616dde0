// Starts two Kafka Connect workers in one cluster, with HTTPS and basic authentication.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { avroConverter, connectBasicAuth } from '../fetch-optional.js';
import { connectPlugins, jdbcSourcePlugin, kafkaLibs } from '../fetch.js';
import type { Say } from '../make-once.js';
import type { StackHome } from '../paths.js';
import { alive, launch, untilReady } from '../processes.js';
import { securePorts, trustFile, writeSecret, type Secured } from '../secure.js';
import { stackSecrets } from '../secrets.js';
import { commonProperties, hasPlugins } from './connect.js';
import { JVM } from './kafka.js';
import { PG_PASSWORD } from './postgres.js';

/** Returns the name of the process of a Connect worker. `at` is the worker's index, from 0. */
export const connectProcess = (at: number): string => (at === 0 ? 'connect' : `connect-${at + 1}`);

/** With `avro`, the workers also have the Avro converter of the stack's registry. */
export async function startSecureConnect(
  home: StackHome,
  secured: Secured,
  say: Say,
  avro = false,
): Promise<void> {
  const libs = `${await kafkaLibs(say)}/*:${await connectBasicAuth(say)}/*`;
  const folders = [await connectPlugins(say), await jdbcSourcePlugin(say)];
  if (avro) folders.push(await avroConverter(say));
  const plugins = folders.join(',');
  const { connects } = securePorts(home);
  const login = join(secured.folder, 'connect.jaas');
  writeLogin(secured, login);
  makeKeyStore(secured);
  const trust = trustFile(secured);
  writeTrust(secured, trust);
  for (const [at, port] of connects.entries()) {
    const name = connectProcess(at);
    if (alive(home, name) !== undefined) continue;
    const config = join(home.dir, `${name}.properties`);
    writeSecret(config, `${commonProperties(home, plugins, 3)}${properties(home, secured, port)}`);
    const own = [`@${trust}`, `-Djava.security.auth.login.config=${login}`];
    const java = ['-Xms160m', '-Xmx512m', ...JVM, ...own];
    launch(home, {
      name,
      command: 'java',
      args: [...java, '-cp', libs, 'org.apache.kafka.connect.cli.ConnectDistributed', config],
      env: {
        ...stackSecrets(),
        PGPASSWORD: PG_PASSWORD,
        SLUICE_SECRET_KAFKA: secured.passwords.sluice,
      },
    });
  }
  await Promise.all(
    connects.map((port, at) =>
      untilReady(home, connectProcess(at), async () => {
        const health = await askConnect(secured, port, '/health');
        return health.status === 200 && hasPlugins(await textOf(secured, port));
      }),
    ),
  );
}

const textOf = async (secured: Secured, port: number): Promise<string> =>
  (await askConnect(secured, port, '/connector-plugins')).text;

/** Sends a GET request to a Connect worker, with the stack's login for the REST API. */
export function askConnect(
  { ca, passwords }: Secured,
  port: number,
  path: string,
): Promise<{ status: number; text: string }> {
  const options = { ca: readFileSync(ca), auth: `rest:${passwords.rest}`, timeout: 3000 };
  return new Promise((resolve, reject) => {
    const asked = request(`https://127.0.0.1:${port}${path}`, options, (response) => {
      let text = '';
      response.on('data', (part: Buffer) => (text += part.toString()));
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    asked.once('timeout', () => asked.destroy(new Error('no answer within 3 s')));
    asked.once('error', reject);
    asked.end();
  });
}

/** Writes a file with the users of the REST API, and the JAAS file that points to it. */
function writeLogin({ folder, passwords }: Secured, login: string): void {
  const users = join(folder, 'connect.users');
  writeSecret(users, `rest=${passwords.rest}\n`);
  const module = 'org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule';
  writeSecret(login, `KafkaConnect {\n  ${module} required\n  file="${users}";\n};\n`);
}

/**
 * Writes the options with which the JVM trusts the stack's CA, because the Avro converter has no
 * setting for a CA.
 */
function writeTrust({ folder, storePassword }: Secured, file: string): void {
  const store = `-Djavax.net.ssl.trustStore=${join(folder, 'ca.p12')}`;
  writeSecret(file, `${store}\n-Djavax.net.ssl.trustStorePassword=${storePassword}\n`);
}

/** Makes PKCS #12 stores, because Connect's REST server reads no PEM files. */
function makeKeyStore({ folder, storePassword }: Secured): void {
  const password = join(folder, 'store.password');
  writeSecret(password, storePassword);
  const files = ['-inkey', 'connect.key', '-in', 'connect.crt', '-certfile', 'ca.crt'];
  execFileSync(
    'openssl',
    ['pkcs12', '-export', ...files, '-out', 'connect.p12', '-passout', `file:${password}`],
    { cwd: folder, stdio: 'pipe' },
  );
  // After certificates expired, the old store has the CA of these certificates, so it is replaced.
  rmSync(join(folder, 'ca.p12'), { force: true });
  const store = ['-keystore', 'ca.p12', '-storetype', 'PKCS12', '-storepass:file', password];
  execFileSync(
    'keytool',
    ['-importcert', '-noprompt', '-alias', 'ca', '-file', 'ca.crt', ...store],
    {
      cwd: folder,
      stdio: 'pipe',
    },
  );
}

function properties(home: StackHome, secured: Secured, port: number): string {
  const { folder, ca, passwords, storePassword } = secured;
  const brokers = securePorts(home).brokers.map(({ client }) => `127.0.0.1:${client}`);
  const client = `security.protocol=SASL_SSL
ssl.truststore.type=PEM
ssl.truststore.location=${ca}
sasl.mechanism=SCRAM-SHA-512
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="connect" password="${passwords.connect}";
`;
  const of = (prefix: string): string => client.replaceAll(/^(?=.)/gm, prefix);
  return `bootstrap.servers=${brokers.join(',')}
${client}${of('producer.')}${of('consumer.')}${of('admin.')}listeners=https://127.0.0.1:${port}
rest.advertised.host.name=127.0.0.1
rest.advertised.port=${port}
rest.advertised.listener=https
listeners.https.ssl.keystore.type=PKCS12
listeners.https.ssl.keystore.location=${join(folder, 'connect.p12')}
listeners.https.ssl.keystore.password=${storePassword}
listeners.https.ssl.key.password=${storePassword}
listeners.https.ssl.truststore.type=PKCS12
listeners.https.ssl.truststore.location=${join(folder, 'ca.p12')}
listeners.https.ssl.truststore.password=${storePassword}
listeners.https.ssl.endpoint.identification.algorithm=HTTPS
rest.extension.classes=org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension
`;
}
