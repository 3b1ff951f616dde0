// Tests Flink on a secured stack. With a password over SASL_SSL, Flink compares the tables and runs
// the pipeline. With a client certificate, it only compares. Flink's processes read the secrets
// themselves.
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { createWarehouse } from '../../examples/stock-levels/warehouse.js';
import type { Acl } from '../../src/domain/access/acls.js';
import type { Check } from '../../src/domain/evidence/check.js';
import { stackHome } from '../../stack/paths.js';
import { stop } from '../../stack/processes.js';
import { securePorts, securedOf } from '../../stack/secure.js';
import { FLINK_SERVICES, startFlink } from '../../stack/services/flink.js';
import { sleepUntil } from '../support/builders.js';
import { allow, querySecured, specOfPage, type Spec } from '../support/secured.js';
import { TestWorker, get, sluice, waitFor } from '../support/sluice.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const EXAMPLE = 'examples/stock-levels';
const home = stackHome();
const secured = securedOf(home)!;
const { flinkRest, flinkGateway } = home.ports;
const gateway = `http://127.0.0.1:${flinkGateway}`;
const folder = temporaryFolder('sluice-flink-');
const worker = new TestWorker();

beforeAll(async () => {
  await startFlink(home, (line) => console.error(line), secured);
  await worker.start();
});
afterAll(async () => {
  await worker.kill('SIGTERM');
  for (const name of [...FLINK_SERVICES].reverse()) await stop(home, name);
});

/** Writes the example's spec for this stack, with the engine Flink. `change` edits its `spec`. */
function specFile(name: string, change: (spec: Spec) => void = () => undefined): string {
  const text = readFileSync(`${EXAMPLE}/migration.yaml`, 'utf8');
  const document = parse(text) as { metadata: { name: string }; spec: Spec };
  const { source, ...secure } = specOfPage();
  document.metadata.name = name;
  const { spec } = document;
  Object.assign(spec, secure);
  Object.assign(spec['source']!['postgres']!, source!['postgres'], { database: databaseOf(name) });
  Object.assign(spec['validation']!, { every: '2s', passesInARow: 1, engine: 'flink', gateway });
  change(spec);
  writeFileSync(join(folder, 'stock_levels.sql'), readFileSync(`${EXAMPLE}/stock_levels.sql`));
  writeFileSync(
    join(folder, `${name}.yaml`),
    stringify(document, { aliasDuplicateObjects: false }),
  );
  return join(folder, `${name}.yaml`);
}

const databaseOf = (name: string): string => name.replaceAll('-', '_');
const aclsOf = (file: string): Acl[] =>
  (JSON.parse(sluice('plan', '-f', file, '-o', 'json').stdout) as { acls: Acl[] }).acls;
/** Returns what doctor finds wrong, with the remedies. */
const open = (file: string): string[] =>
  (JSON.parse(sluice('doctor', '-f', file, '-o', 'json').stdout) as { checks: Check[] }).checks
    .filter(({ status }) => status !== 'passed')
    .map(({ name, detail, remedy }) => `${name}: ${detail}; ${remedy}`);
const latest = async (name: string, subject: string) =>
  (await get(name)).windows.findLast((w) => w.subject === subject)!;
async function expectCancelLeavesNothing(name: string): Promise<void> {
  expect(sluice('cancel', name, '--yes').code).toBe(0);
  await waitFor(name, 'outcome=aborted');
  expect((await get(name)).leftovers).toEqual([]);
}

const LOGIN = `'properties.bootstrap.servers' = '\${brokers}', 'properties.security.protocol' = 'SASL_SSL',
  'properties.ssl.truststore.type' = 'PEM', 'properties.ssl.truststore.location' = '${secured.ca}',
  'properties.sasl.mechanism' = 'SCRAM-SHA-512',
  'properties.config.providers' = 'env',
  'properties.config.providers.env.class' = 'org.apache.flink.kafka.shaded.org.apache.kafka.common.config.provider.EnvVarConfigProvider',
  'properties.sasl.jaas.config' = 'org.apache.flink.kafka.shaded.org.apache.kafka.common.security.scram.ScramLoginModule required username="pipeline" password="\${env:SLUICE_SECRET_PIPELINE}";'`;
const FORMATS = `'key.format' = 'json', 'value.format' = 'json', 'value.fields-include' = 'EXCEPT_KEY'`;
const PIPELINE = `
CREATE TABLE movements (id BIGINT, \`after\` ROW<product_id INT, quantity INT>, PRIMARY KEY (id) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = '\${topic:public.movements}', 'properties.group.id' = '\${group}',
  'properties.isolation.level' = 'read_committed', ${FORMATS}, ${LOGIN});
CREATE TABLE levels (product_id INT, quantity BIGINT, movements BIGINT, PRIMARY KEY (product_id) NOT ENFORCED) WITH (
  'connector' = 'upsert-kafka', 'topic' = '\${output}', ${FORMATS}, ${LOGIN});
INSERT INTO levels SELECT \`after\`.product_id, SUM(CAST(\`after\`.quantity AS BIGINT)), COUNT(*)
FROM movements WHERE \`after\` IS NOT NULL GROUP BY \`after\`.product_id`;

describe('Flink with a password over SASL_SSL', () => {
  const name = 'flink-scram';
  const sasl = {
    mechanism: 'scram-sha-512',
    username: 'flink',
    passwordFrom: { env: 'SLUICE_SECRET_FLINK' },
  };
  const file = (login: object = sasl) =>
    specFile(name, (spec) => {
      Object.assign(spec['validation']!, { sasl: login });
      Object.assign(spec['pipeline']!, {
        type: 'flink-sql',
        gateway,
        statements: { sql: PIPELINE },
        groups: [name],
        output: { topic: name, key: ['product_id'] },
      });
    });

  beforeAll(() => createWarehouse(databaseOf(name)));

  it('needs what the plan lists; doctor names a missing ACL, a missing secret and a wrong one', async () => {
    const plan = sluice('plan', '-f', file()).stdout;
    expect(plan).toMatch(/flink +topic +flink-scram\.\* \(prefixed\) +Describe, Read/);
    expect(plan).toContain('task manager need the variable SLUICE_SECRET_FLINK');
    const acls = aclsOf(file());
    await allow(acls.filter(({ principal }) => principal !== 'flink'));
    expect(open(file())).toEqual([
      expect.stringMatching(/^validation\.login: .*does not allow Flink's login.*sluice plan/),
    ]);
    await allow(acls);
    expect(open(file())).toEqual([]);
    for (const env of ['SLUICE_SECRET_SHOP', 'SLUICE_SECRET_ABSENT'])
      expect(open(file({ ...sasl, passwordFrom: { env } }))).toEqual([
        expect.stringMatching(
          `^validation\\.login: .*refused the login of Flink as flink with scram-sha-512.*the variable ${env}`,
        ),
      ]);
  });

  it.each(['plain', 'scram-sha-256'])(
    'can also log in with the mechanism %s, and so can the worker',
    (mechanism) => {
      const login = { mechanism, username: 'sluice', passwordFrom: { env: 'SLUICE_SECRET_KAFKA' } };
      const changed = specFile(`login-${mechanism}`, (spec) => {
        for (const part of ['batch', 'pipeline', 'cutover']) delete spec[part];
        Object.assign(spec['source']!['postgres']!, { database: databaseOf(name) });
        Object.assign(spec['kafka']!, { sasl: login });
      });
      // the worker and Flink can log in, but no ACL lets them use the objects of this spec yet
      expect(open(changed)).toEqual([
        expect.stringMatching(/^kafka\.acls: User:sluice is not allowed/),
        expect.stringMatching(/^validation\.login: .*does not allow Flink's login/),
      ]);
    },
  );

  it('passes a window with equal data, fails one after a change was lost, and shows no secret', async () => {
    const started = sluice('start', '-f', file());
    expect(started.code, started.stderr).toBe(0);
    await waitFor(name, 'approval');
    expect(await latest(name, 'public.movements')).toMatchObject({
      verdict: 'passed',
      reason: expect.stringContaining('joined by Flink') as string,
      matched: 2000,
      unknown: 0,
    });
    expect(await latest(name, 'result')).toMatchObject({ verdict: 'passed', matched: 40 });

    const publication = 'ALTER PUBLICATION "sluice_flink_scram"';
    await querySecured(
      databaseOf(name),
      `${publication} DROP TABLE movements; UPDATE movements SET quantity = 777 WHERE id = 7; ${publication} ADD TABLE movements`,
    );
    await sleepUntil(
      'a failed window',
      async () => (await latest(name, 'public.movements')).verdict === 'failed',
    );
    expect(await latest(name, 'public.movements')).toMatchObject({ mismatched: 1, matched: 1999 });
    expect(sluice('diff', name, '--subject', 'public.movements').stdout).toContain('777');
    expect(await shownBy(name)).toEqual([]);
    await expectCancelLeavesNothing(name);
  });

  /** Returns the users whose passwords are in a log, in Flink's REST API, or in the audit. */
  async function shownBy(migration: string): Promise<string[]> {
    const ask = async (path: string): Promise<string> =>
      (await fetch(`http://127.0.0.1:${flinkRest}${path}`)).text();
    const { jobs } = JSON.parse(await ask('/jobs')) as { jobs: { id: string }[] };
    const paths = jobs.flatMap(({ id }) =>
      ['', '/config', '/exceptions'].map((p) => `/jobs/${id}${p}`),
    );
    const manager = ['config', 'environment'].map((p) => `/jobmanager/${p}`);
    const texts = await Promise.all([...paths, ...manager].map(ask));
    const logs = readdirSync(home.logs).map((log) => readFileSync(join(home.logs, log), 'utf8'));
    const shown = [...texts, ...logs, sluice('audit', migration).stdout].join('\n');
    expect(shown).toContain('sluice_pairs'); // the texts do have the statements of Flink's jobs
    return Object.entries(secured.passwords)
      .filter(([, password]) => shown.includes(password))
      .map(([user]) => user);
  }
});

describe('Flink and an incremental snapshot with a client certificate', () => {
  const name = 'flink-mtls';
  const files = join(home.dir, 'secrets');
  /** The listener that the brokers use among themselves asks every client for a certificate. */
  const brokers = securePorts(home).brokers.map(({ inner }) => `127.0.0.1:${inner}`);
  const tls = {
    ca: secured.ca,
    cert: join(files, 'client.crt'),
    key: join(files, 'client.key'),
  };
  const file = () =>
    specFile(name, (spec) => {
      for (const part of ['batch', 'pipeline', 'cutover']) delete spec[part];
      Object.assign(spec['connector']!, { snapshot: 'incremental' });
      spec['kafka'] = { ...spec['kafka'], brokers, tls, sasl: undefined };
    });

  it('logs in with two PEM files, and finds every row equal', async () => {
    mkdirSync(files, { recursive: true });
    for (const one of ['client.crt', 'client.key'])
      copyFileSync(join(secured.folder, one), join(files, one));
    await createWarehouse(databaseOf(name));
    await allow(aclsOf(file()), [], { worker: 'CN=client' });
    expect(open(file())).toEqual([]);
    const started = sluice('start', '-f', file());
    expect(started.code, started.stderr).toBe(0);
    await waitFor(name, 'approval');
    expect(await latest(name, 'public.movements')).toMatchObject({
      verdict: 'passed',
      reason: expect.stringContaining('joined by Flink') as string,
      matched: 2000,
    });
    await expectCancelLeavesNothing(name);
  });
});
