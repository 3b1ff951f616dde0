// Makes the CA, the certificates and the passwords of docker-compose.secure.yml. Also makes the
// variables that docker-compose.secure.yml and Sluice's commands read.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isValid, makeAuthority, makeCertificate } from './certificates.js';
import { ROOT } from './paths.js';
import { writeClientProperties, writeSecret } from './secure.js';
import { stackSecrets } from './secrets.js';
import { LEDGER_DATABASE, PG_USER } from './services/postgres.js';

const NAMES = ['postgres', 'kafka', 'connect'] as const;
/** Kafka and Connect share the network of the Postgres container, so all have these names. */
const SERVER = ['DNS:localhost', 'IP:127.0.0.1'];
const PASSWORDS = ['postgres', 'admin', 'sluice', 'connect', 'pipeline', 'rest', 'store'] as const;
type Passwords = Readonly<Record<(typeof PASSWORDS)[number], string>>;

/**
 * Returns the variables. If a certificate is missing or expires within a day, makes all files again
 * except the passwords. Only this user may enter the folder `outer`, which also contains the key of
 * the CA. The containers see only the folder `secure` inside `outer`, so they do not see that key.
 * They run as other users, so every user may read the files in `secure`.
 */
export function secureEnvironment(
  outer = join(ROOT, '.stack/docker.compose'),
): Record<string, string> {
  const shared = join(outer, 'secure');
  if (/[\s@]/.test(shared))
    throw new Error(
      `${shared} contains a space or "@", which variables of the images cannot contain: move the checkout`,
    );
  mkdirSync(shared, { recursive: true });
  chmodSync(outer, 0o700);
  const passwords = passwordsOf(join(outer, 'passwords.json'));
  if (!NAMES.every((name) => isValid(shared, name))) writeFiles(outer, shared, passwords);
  const ca = join(shared, 'ca.crt');
  const database = `127.0.0.1:17401/${LEDGER_DATABASE}?sslmode=verify-full&sslrootcert=${ca}`;
  return {
    SLUICE_SECURE_DIR: shared,
    SLUICE_STORE_PASSWORD: passwords.store,
    SLUICE_KAFKA_ADMIN_PASSWORD: passwords.admin,
    SLUICE_KAFKA_CONNECT_PASSWORD: passwords.connect,
    PGHOST: '127.0.0.1',
    PGPORT: '17401',
    PGUSER: PG_USER,
    PGPASSWORD: passwords.postgres,
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: ca,
    ...stackSecrets(),
    KAFKA_BROKERS: '127.0.0.1:17402',
    KAFKA_CA: ca,
    KAFKA_USERNAME: 'pipeline',
    KAFKA_PASSWORD: passwords.pipeline,
    KAFKA_PROPERTIES: join(outer, 'pipeline.properties'),
    CONNECT_URL: 'https://127.0.0.1:17404',
    SLUICE_SECRET_KAFKA: passwords.sluice,
    SLUICE_SECRET_CONNECT: passwords.rest,
    SLUICE_SECRETS: 'env:SLUICE_SECRET_*;env:PGPASSWORD@127.0.0.1,localhost',
    SLUICE_LEDGER_URL: `postgres://${PG_USER}:${passwords.postgres}@${database}`,
    TEMPORAL_ADDRESS: '127.0.0.1:17405',
    TEMPORAL_UI_URL: 'http://127.0.0.1:17406',
  };
}

function passwordsOf(file: string): Passwords {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Passwords;
  const made = PASSWORDS.map((name) => [name, randomBytes(18).toString('base64url')] as const);
  writeSecret(file, JSON.stringify(Object.fromEntries(made)));
  return Object.fromEntries(made) as unknown as Passwords;
}

function writeFiles(outer: string, shared: string, passwords: Passwords): void {
  const authority = join(outer, 'authority');
  const ca = join(shared, 'ca.crt');
  /** Writes a file that the containers' users can read. */
  const share = (file: string, write: (path: string) => void): void => {
    write(join(shared, file));
    chmodSync(join(shared, file), 0o644);
  };
  makeAuthority(authority);
  for (const name of NAMES) makeCertificate(authority, name, { names: SERVER });
  makeKeyStore(authority, passwords.store);
  const made = ['ca.crt', 'kafka.pem', 'connect.p12', 'postgres.key'];
  for (const file of [...made, ...NAMES.map((name) => `${name}.crt`)])
    share(file, (path) => copyFileSync(join(authority, file), path));
  for (const [file, text] of Object.entries(textsFor(shared, passwords)))
    share(file, (path) => writeSecret(path, text));
  writeClientProperties({ folder: outer, ca, passwords }, 'pipeline', 1);
}

/** Makes a PKCS #12 store, because Connect's REST server reads no PEM files. */
function makeKeyStore(authority: string, password: string): void {
  const store = ['-inkey', 'connect.key', '-in', 'connect.crt', '-certfile', 'ca.crt'];
  const into = ['-out', 'connect.p12', '-passout', 'env:STORE'];
  execFileSync('openssl', ['pkcs12', '-export', ...store, ...into], {
    cwd: authority,
    stdio: 'pipe',
    env: { ...process.env, STORE: password },
  });
}

const LOGIN = 'org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule';

/**
 * Returns the text of each configuration file that the containers read. With `broker.properties`,
 * Kafka's tools log in as a broker does.
 */
const textsFor = (shared: string, { rest }: Passwords): Readonly<Record<string, string>> => ({
  'connect.users': `rest=${rest}\n`,
  'connect.jaas': `KafkaConnect {\n  ${LOGIN} required\n  file="${join(shared, 'connect.users')}";\n};\n`,
  'pg_hba.conf': 'local all all scram-sha-256\nhostssl all all all scram-sha-256\n',
  'broker.properties': `security.protocol=SSL
ssl.keystore.type=PEM
ssl.keystore.location=${join(shared, 'kafka.pem')}
ssl.truststore.type=PEM
ssl.truststore.location=${join(shared, 'ca.crt')}
`,
});
