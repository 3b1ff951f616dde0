// Tests that `sslmode` behaves as in libpq, on a server with TLS and with the test's own CA.
import { execFileSync } from 'node:child_process';
import { chownSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reachableDir, stackHome, type StackHome } from '../../stack/paths.js';
import { stop } from '../../stack/processes.js';
import { PG_PASSWORD, ask, startPostgres } from '../../stack/services/postgres.js';
import { withAddress } from '../../src/clients/postgres/connection.js';
import type { PostgresAddress } from '../../src/domain/migration/spec.js';
import { certificates, file, makeCa, makeCertificate } from '../support/certificates.js';
import { accounts } from '../support/live.js';
import { sluice, specFile } from '../support/sluice.js';

/** The connections that each user may use. */
const ACCESS = `hostssl all tlsonly all scram-sha-256
hostnossl all plainonly all scram-sha-256
hostssl all certonly all cert
hostssl all tlsonly all reject
hostnossl all tlsonly all reject
hostssl all plainonly all reject
host all all all scram-sha-256
`;

const main = stackHome();
const home: StackHome = {
  ...main,
  dir: join(main.dir, `tls-${process.pid}`),
  logs: join(main.dir, `tls-${process.pid}/logs`),
  pids: join(main.dir, `tls-${process.pid}/pids`),
  ports: { ...main.ports, postgres: main.ports.postgres + 23 },
};

beforeAll(async () => {
  makeCa('ca');
  makeCa('other');
  makeCertificate('server', '/CN=localhost', 'subjectAltName=DNS:localhost');
  makeCertificate('client', '/CN=certonly', 'extendedKeyUsage=clientAuth');
  await startPostgres(home, () => undefined);
  await ask(
    home,
    'postgres',
    ['tlsonly', 'plainonly', 'certonly']
      .map((user) => `CREATE ROLE ${user} LOGIN PASSWORD '${PG_PASSWORD}'`)
      .join(';'),
  );
  await ask(home, 'postgres', accounts(10));
  await stop(home, 'postgres');
  const data = reachableDir(home, 'pg');
  const owner = statSync(join(data, 'PG_VERSION'));
  for (const name of ['server.crt', 'server.key', 'ca.crt']) {
    execFileSync('cp', [file(name), join(data, name)]);
    chownSync(join(data, name), owner.uid, owner.gid);
    execFileSync('chmod', ['600', join(data, name)]);
  }
  writeFileSync(join(data, 'pg_hba.conf'), ACCESS);
  await startPostgres(home, () => undefined, { settings: ['ssl=on', 'ssl_ca_file=ca.crt'] });
}, 180_000);

afterAll(async () => {
  await stop(home, 'postgres');
  rmSync(home.dir, { recursive: true, force: true });
  rmSync(certificates, { recursive: true, force: true });
});

const address = (more: Partial<PostgresAddress>): PostgresAddress => ({
  host: '127.0.0.1',
  port: home.ports.postgres,
  database: 'postgres',
  user: 'sluice',
  passwordFrom: { env: 'PGPASSWORD' },
  sslmode: 'prefer',
  ...more,
});
const secret = (ref: object): string =>
  'file' in ref
    ? execFileSync('cat', [(ref as { file: string }).file], { encoding: 'utf8' })
    : PG_PASSWORD;
/** Returns whether the resulting connection uses TLS. */
const speaksTls = (more: Partial<PostgresAddress>): Promise<boolean> =>
  withAddress(address(more), secret, 'sluice/tls', async (client) => {
    const { rows } = await client.query<{ ssl: string }>(
      'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
    );
    return rows[0]!.ssl === 't';
  });

const ca = { sslrootcert: file('ca.crt') };
const other = { sslrootcert: file('other.crt') };

describe('sslmode', () => {
  it.each<[string, Partial<PostgresAddress>, boolean]>([
    ['disable connects without TLS', { sslmode: 'disable' }, false],
    ['allow connects without TLS if the server accepts that', { sslmode: 'allow' }, false],
    ['allow uses TLS if the server requires TLS', { sslmode: 'allow', user: 'tlsonly' }, true],
    ['prefer uses TLS', { sslmode: 'prefer' }, true],
    [
      'prefer connects without TLS if the server refuses TLS for this user',
      { sslmode: 'prefer', user: 'plainonly' },
      false,
    ],
    [
      'prefer connects without TLS to a server that has no TLS',
      { sslmode: 'prefer', port: main.ports.postgres },
      false,
    ],
    [
      'allow connects without TLS to a server that has no TLS',
      { sslmode: 'allow', port: main.ports.postgres },
      false,
    ],
    ['require uses TLS and verifies nothing', { sslmode: 'require' }, true],
    [
      'require with a root certificate verifies the chain, not the name',
      { sslmode: 'require', ...ca },
      true,
    ],
    ['verify-ca verifies the chain, not the name', { sslmode: 'verify-ca', ...ca }, true],
    [
      'verify-full verifies the name too',
      { sslmode: 'verify-full', host: 'localhost', ...ca },
      true,
    ],
    [
      'a client certificate is presented',
      {
        sslmode: 'verify-ca',
        user: 'certonly',
        passwordFrom: undefined,
        ...ca,
        sslcert: file('client.crt'),
        sslkey: file('client.key'),
      },
      true,
    ],
  ])('works as in libpq: %s', async (_rule, more, tls) => expect(await speaksTls(more)).toBe(tls));

  it.each<[string, Partial<PostgresAddress>, RegExp]>([
    ['disable with a server that requires TLS', { sslmode: 'disable', user: 'tlsonly' }, /pg_hba/],
    [
      'require with a server that refuses TLS for this user',
      { sslmode: 'require', user: 'plainonly' },
      /pg_hba/,
    ],
    [
      'require with a server that has no TLS',
      { sslmode: 'require', port: main.ports.postgres },
      /does not support SSL/,
    ],
    ['require with the wrong root', { sslmode: 'require', ...other }, /certificate/],
    ['verify-ca with the wrong root', { sslmode: 'verify-ca', ...other }, /certificate/],
    ['verify-ca without a root', { sslmode: 'verify-ca' }, /needs a root certificate/],
    [
      'verify-full with a name that the certificate does not have',
      { sslmode: 'verify-full', ...ca },
      /not in the cert|altnames|IP/,
    ],
    [
      'a root file that is not a certificate',
      { sslmode: 'verify-ca', sslrootcert: '/proc/self/environ' },
      /cannot use the certificate/,
    ],
    [
      'a server that asks for a password which the spec does not name',
      { passwordFrom: undefined },
      /the spec names none/,
    ],
  ])('refuses: %s', async (_rule, more, message) =>
    expect(speaksTls(more)).rejects.toThrow(message),
  );

  it('comes from the spec, regardless of PGSSLMODE', async () => {
    process.env['PGSSLMODE'] = 'require';
    try {
      expect(await speaksTls({ sslmode: 'disable' })).toBe(false);
    } finally {
      delete process.env['PGSSLMODE'];
    }
  });

  it('prefer does not send a refused password again without TLS', async () => {
    const wrong = withAddress(
      address({ user: 'tlsonly' }), // without TLS, the server would answer 28000
      () => 'wrong',
      'sluice/tls',
      () => Promise.resolve(),
    );
    await expect(wrong).rejects.toMatchObject({ code: '28P01' });
  });

  it('verify-ca with its root certificate is accepted by the source and by Kafka Connect', () => {
    const postgres = address({ sslmode: 'verify-ca', ...ca });
    const { stdout } = sluice(
      'doctor',
      '-f',
      specFile('tls', 'postgres', ['public.accounts'], {
        source: { postgres, tables: ['public.accounts'] },
      }),
      '-o',
      'json',
    );
    const { checks } = JSON.parse(stdout) as {
      checks: { name: string; status: string; detail: string }[];
    };
    const named = checks.filter(
      (c) => c.name === 'source.reachable' || c.name.startsWith('connect'),
    );
    expect(named.filter((c) => c.status !== 'passed')).toEqual([]);
    expect(named.length).toBeGreaterThan(1);
  });
});
