// Tests a migration with a batch on a secured stack, and `sluice compare` after it. All connections
// to Postgres, Kafka and Kafka Connect use TLS and logins. The migration has only the ACLs that
// `sluice plan` prints. Before they exist, doctor names the missing ACLs.
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { createWarehouse, keepMoving } from '../../examples/stock-levels/warehouse.js';
import type { Acl } from '../../src/domain/access/acls.js';
import { KafkaPort } from '../../src/clients/kafka/kafka.js';
import type { TlsFiles } from '../../src/domain/migration/cluster-access.js';
import type { Check } from '../../src/domain/evidence/check.js';
import { makeAuthority } from '../../stack/certificates.js';
import { stackHome } from '../../stack/paths.js';
import { securePorts, securedOf } from '../../stack/secure.js';
import {
  SECURED_PAGE,
  allow,
  allowOnlyReading,
  askWorker,
  querySecured,
  specOfPage,
  type Spec,
} from '../support/secured.js';
import { TestWorker, get, sluice, waitFor, type Ran } from '../support/sluice.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const NAME = 'stock-levels';
const EXAMPLE = 'examples/stock-levels';
const home = stackHome();
const secured = securedOf(home)!;
const folder = temporaryFolder('sluice-secure-');
const worker = new TestWorker();
let isOver = false;
let pipeline: ChildProcess | undefined;
let writing: Promise<void>;

/** Writes the example's spec for this stack. `change` edits its part `spec`. */
function specFile(name: string, change: (spec: Spec) => void = () => undefined): string {
  const document = parse(readFileSync(`${EXAMPLE}/migration.yaml`, 'utf8')) as { spec: Spec };
  const { source, ...secure } = specOfPage();
  Object.assign(document.spec, secure);
  Object.assign(document.spec['source']!, source);
  document.spec['soak'] = { for: '2s', passes: 1 };
  change(document.spec);
  writeFileSync(join(folder, 'stock_levels.sql'), readFileSync(`${EXAMPLE}/stock_levels.sql`));
  writeFileSync(join(folder, name), stringify(document, { aliasDuplicateObjects: false }));
  return join(folder, name);
}

/** Runs a command that docs/how-to/secured-cluster.md shows, with a spec of this test. */
function fromPage(command: string, file: string, ...more: string[]): Ran {
  expect(SECURED_PAGE).toContain(`sluice ${command} -f migration.yaml\n`);
  return sluice(command, '-f', file, ...more);
}

/** Returns the findings of doctor that failed or are unknown. */
function openChecks(file: string): Check[] {
  const ran = fromPage('doctor', file, '-o', 'json');
  const { checks } = JSON.parse(ran.stdout) as { checks: Check[] };
  return checks.filter(({ status }) => status === 'failed' || status === 'unknown');
}

/** Returns what doctor says of the check, with its remedy. */
const says = (checks: readonly Check[], name: string): string => {
  const found = checks.filter((check) => check.name === name);
  return found.map(({ detail, remedy }) => `${detail}; ${remedy}`).join('\n');
};

beforeAll(async () => {
  await createWarehouse('warehouse');
  writing = keepMoving('warehouse', () => isOver);
  makeAuthority(join(folder, 'other'), 'other');
  await worker.start();
});
afterAll(async () => {
  isOver = true;
  await writing;
  pipeline?.kill('SIGKILL');
  await worker.kill('SIGTERM');
});

describe('doctor on a secured stack', () => {
  /**
   * Changes the access to Kafka and to Kafka Connect at the same time, and runs doctor only once,
   * because each run takes seconds.
   */
  const changed = (kafka: object, connector: object): Check[] =>
    openChecks(
      specFile('changed.yaml', (spec) => {
        spec['kafka'] = { ...spec['kafka'], ...kafka };
        spec['connector'] = { ...spec['connector'], ...connector };
      }),
    );

  it('names the CA if it did not sign the certificate of the brokers or of Kafka Connect', () => {
    const tls = { ca: join(folder, 'other/other.crt') };
    const checks = changed({ tls }, { tls });
    expect(says(checks, 'kafka.reachable')).toMatch(
      /Kafka at .* is not signed by .*other\.crt; set kafka\.tls\.ca to the CA that signed it/,
    );
    expect(says(checks, 'connect.reachable')).toMatch(/connector\.tls\.ca/);
  });

  it('says that Kafka and Kafka Connect refuse the login if the password is wrong', () => {
    const wrong = { passwordFrom: { env: 'SLUICE_SECRET_SHOP' } };
    const sasl = { mechanism: 'scram-sha-512', username: 'sluice', ...wrong };
    const checks = changed({ sasl }, { auth: { username: 'rest', ...wrong } });
    expect(says(checks, 'kafka.reachable')).toMatch(
      /refused the login of sluice with scram-sha-512.*correct kafka\.sasl/,
    );
    expect(says(checks, 'connect.reachable')).toMatch(/refuses the login in connector\.auth/);
  });

  it('says which part of the spec needs a login if the spec has none', () => {
    const checks = changed({ sasl: undefined }, { auth: undefined });
    expect(says(checks, 'kafka.reachable')).toContain('add kafka.sasl');
    expect(says(checks, 'connect.reachable')).toContain('add connector.auth');
  });

  it('names the ACLs that are missing, with the commands that allow them', () => {
    const said = says(openChecks(specFile('migration.yaml')), 'kafka.acls');
    expect(said).toMatch(
      /User:sluice is not allowed to CREATE .*stock-levels\.public\.movements.*--operation Create.*--topic stock-levels\. --resource-pattern-type prefixed/s,
    );
    expect(said).toMatch(
      /DESCRIBE topics whose names begin with stock-levels-; .*--topic stock-levels- --resource/,
    );
  });
});

describe('mutual TLS with the brokers', () => {
  /** The listener that the brokers use among themselves asks every client for a certificate. */
  const listTopics = async (own: TlsFiles): Promise<unknown> => {
    const kafka = new KafkaPort(
      {
        brokers: securePorts(home).brokers.map(({ inner }) => `127.0.0.1:${inner}`),
        replication: 3,
        partitions: 1,
        tls: { ca: secured.ca, ...own },
      },
      (ref) => ('file' in ref ? readFileSync(ref.file, 'utf8') : ''),
    );
    try {
      return await kafka.listTopics().catch((error: unknown) => error);
    } finally {
      await kafka.disconnect();
    }
  };

  it('logs in with the certificate of the spec, and the error asks for one if the spec has none', async () => {
    const file = (name: string) => join(secured.folder, name);
    const topics = await listTopics({ cert: file('kafka.crt'), key: file('kafka.key') });
    expect(topics).toContain('connect-configs');
    expect(await listTopics({ cert: file('client.crt'), key: file('client.key') })).toEqual([]);
    expect(await listTopics({})).toMatchObject({
      code: 'unreachable',
      remedy: expect.stringContaining('kafka.tls.cert') as string,
    });
  });
});

describe('a migration on a secured stack', () => {
  it('ends as migrated with exactly the ACLs of the plan, and shows no secret', async () => {
    const file = specFile('migration.yaml');
    const { acls } = JSON.parse(fromPage('plan', file, '-o', 'json').stdout) as {
      acls: Acl[];
    };
    await allow(acls);
    expect(openChecks(file)).toEqual([]);

    const started = fromPage('start', file);
    expect(started.code, started.stderr).toBe(0);
    pipeline = spawn(process.execPath, ['--import', 'tsx', `${EXAMPLE}/pipeline.ts`], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, TOPIC_PREFIX: NAME, OUTPUT_TOPIC: NAME, APPLICATION_ID: NAME },
    });
    await waitFor(NAME, 'approval');
    const config = await askWorker(1, `/connectors/${NAME}/config`);
    const approved = sluice('approve', NAME, '--approver', 'ann', '--reason', 'proven', '--yes');
    expect(approved.code, approved.stderr).toBe(0);
    await waitFor(NAME, 'outcome=migrated');

    const status = await get(NAME);
    expect(status).toMatchObject({ outcome: 'migrated', leftovers: [] });
    const subjects = ['public.movements', 'result'];
    for (const subject of subjects)
      expect(
        status.windows.filter((w) => w.subject === subject && w.verdict === 'passed').length,
      ).toBeGreaterThan(0);

    expect(config).toContain('${env:SLUICE_SECRET_KAFKA}');
    const logs = readdirSync(home.logs).map((name) => readFileSync(join(home.logs, name), 'utf8'));
    const shown = [config, sluice('audit', NAME).stdout, ...logs].join('\n');
    const found = Object.entries(secured.passwords).filter(([, value]) => shown.includes(value));
    expect(found.map(([user]) => user)).toEqual([]);
  });
});

describe('a comparison of a table with its topic after the hand-over', () => {
  const role = `only_reads_${process.pid}`;
  const file = () =>
    specFile('compare.yaml', (spec) => {
      for (const part of ['batch', 'pipeline']) delete spec[part]; // it compares only tables
      Object.assign(spec['source']!['postgres']!, { user: role });
    });
  const compare = () => sluice('compare', '-f', file(), '-o', 'json');
  const query = (sql: string) => querySecured('warehouse', sql);

  it('passes with a login that may only read the topic, and a role that may only read the table', async () => {
    await allowOnlyReading(`${NAME}.public.movements`);
    await query(
      `CREATE ROLE ${role} LOGIN PASSWORD '${process.env['PGPASSWORD']!}'; GRANT SELECT ON movements TO ${role}`,
    );

    const ran = compare();
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      verdict: 'passed',
      barrier: { kind: 'slot' },
      windows: [{ subject: 'public.movements', verdict: 'passed' }],
    });
  });

  it('exits with code 3 and names the row if the topic never received a change', async () => {
    const publication = 'ALTER PUBLICATION "sluice_stock_levels"';
    await query(
      `${publication} DROP TABLE movements; UPDATE movements SET quantity = 777 WHERE id = 7; ${publication} ADD TABLE movements`,
    );
    const ran = compare();
    expect([ran.code, ran.stderr]).toEqual([3, '']);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      verdict: 'failed',
      differences: [{ key: { id: '7' }, column: 'quantity', batch: '777' }],
    });
  });
});
