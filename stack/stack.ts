// Provides the local stack as a library: up, down, reset, status, the environment, and services
// that a caller adds.
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { offerContainers } from './engine.js';
import { hasParts, temporalBinary } from './fetch.js';
import type { Say } from './make-once.js';
import { outsideDir, type StackHome } from './paths.js';
import { refuseForeignPorts } from './ports.js';
import { alive, knownProcesses, launch, lastLogLines, stop, type Launch } from './processes.js';
import { startSecureConnect } from './services/connect-secure.js';
import { startConnect } from './services/connect.js';
import { stackSecrets } from './secrets.js';
import { makeSecured, portsOfSecured, securedEnvironment, securedOf } from './secure.js';
import { FLINK_SERVICES, startFlink } from './services/flink.js';
import { startSecureKafka } from './services/kafka-secure.js';
import { registryUrl, startRegistry } from './services/registry.js';
import { startKafka } from './services/kafka.js';
import { LEDGER_DATABASE, PG_PASSWORD, PG_USER, startPostgres } from './services/postgres.js';
import { startTemporal, temporalBinDir } from './services/temporal.js';
import { startToxiproxy } from './services/toxiproxy.js';

/**
 * The services of every stack. `down` stops them in reverse order, after the services that `--with`
 * or `addService` added.
 */
export const BASE_SERVICES = ['postgres', 'temporal', 'kafka', 'connect'] as const;

/**
 * The services that `--with` can add. The stack remembers them: every later `up` starts them too,
 * until `reset`.
 */
export const OPTIONAL_SERVICES = ['flink', 'registry', 'toxiproxy'] as const;
export type OptionalService = (typeof OPTIONAL_SERVICES)[number];

export async function up(
  home: StackHome,
  say: Say,
  wanted: readonly OptionalService[] = [],
  { secure = false } = {},
): Promise<void> {
  const optional = [...new Set([...optionalServices(home), ...wanted])];
  const isSecured = secure || securedOf(home) !== null;
  await refuseForeignPorts(home, optional, isSecured ? portsOfSecured(home) : []);
  mkdirSync(home.dir, { recursive: true });
  const secured = isSecured ? makeSecured(home) : null;
  writeFileSync(optionalFile(home), JSON.stringify(optional));
  offerContainers(hasParts(), say);
  // a build of `temporal` takes minutes and would slow down the JVMs, so it runs first and alone
  await temporalBinary(say);
  const avro = optional.includes('registry');
  await Promise.all([
    startPostgres(home, say),
    startTemporal(home, say),
    secured
      ? startSecureKafka(home, secured, say).then(() =>
          startSecureConnect(home, secured, say, avro),
        )
      : startKafka(home, say).then(() => startConnect(home, say, avro)),
  ]);
  if (avro) await startRegistry(home, say);
  if (optional.includes('toxiproxy')) await startToxiproxy(home, say);
  // Flink starts after the others, because all JVMs would start slowly if they started at once
  if (optional.includes('flink')) await startFlink(home, say, secured);
  for (const service of addedServices(home))
    if (alive(home, service.name) === undefined) launch(home, service);
}

function optionalFile(home: StackHome): string {
  return join(home.dir, 'optional.json');
}

function optionalServices(home: StackHome): OptionalService[] {
  return existsSync(optionalFile(home))
    ? (JSON.parse(readFileSync(optionalFile(home), 'utf8')) as OptionalService[])
    : [];
}

export async function down(home: StackHome, say: Say): Promise<void> {
  const base: readonly string[] = BASE_SERVICES;
  const added = knownProcesses(home).filter((name) => !base.includes(name));
  const brokers = added.filter((name) => name.startsWith('kafka-'));
  for (const name of added.filter((one) => !brokers.includes(one))) await stop(home, name);
  for (const name of [...BASE_SERVICES].reverse()) {
    if (alive(home, name) !== undefined) say(`stopping ${name}`);
    // All brokers stop together. Otherwise, the last brokers would wait for a majority.
    await Promise.all([name, ...(name === 'kafka' ? brokers : [])].map((one) => stop(home, one)));
  }
}

/** Stops the stack and deletes all of its data. The download cache stays. */
export async function reset(home: StackHome, say: Say): Promise<void> {
  await down(home, say);
  removeData(home);
  rmSync(home.dir, { recursive: true, force: true });
}

/**
 * Removes the data directory of Postgres if it is outside the checkout. Throws an Error, and
 * removes nothing, if the link or the directory is not the one that `reachableDir` creates.
 */
function removeData(home: StackHome): void {
  const data = join(home.dir, 'pg');
  if (!lstatSync(data, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  const target = outsideDir(home, 'pg');
  const about = lstatSync(target, { throwIfNoEntry: false });
  if (readlinkSync(data) !== target)
    throw new Error(
      `${data} points to ${readlinkSync(data)}, not to ${target}: remove the link yourself`,
    );
  if (about && !about.isDirectory())
    throw new Error(`${target} is not a directory of this stack: remove it yourself`);
  rmSync(target, { recursive: true, force: true });
}

export interface ServiceStatus {
  readonly service: string;
  readonly state: 'running' | 'stopped';
  readonly pid: number | null;
  readonly address: string | null;
}

export function status(home: StackHome): ServiceStatus[] {
  const ports: Record<string, number> = {
    postgres: home.ports.postgres,
    temporal: home.ports.temporal,
    kafka: home.ports.kafka,
    connect: home.ports.connect,
    toxiproxy: home.ports.toxiproxy,
    'flink-jobmanager': home.ports.flinkRest,
    'flink-gateway': home.ports.flinkGateway,
    registry: home.ports.registry,
  };
  const names = [
    ...new Set<string>([
      ...BASE_SERVICES,
      ...optionalProcesses(home),
      ...addedServices(home).map((s) => s.name),
      ...knownProcesses(home),
    ]),
  ];
  return names.map((service) => {
    const pid = alive(home, service) ?? null;
    const port = ports[service];
    return {
      service,
      state: pid === null ? 'stopped' : 'running',
      pid,
      address: port === undefined ? null : `127.0.0.1:${port}`,
    };
  });
}

function optionalProcesses(home: StackHome): string[] {
  return optionalServices(home).flatMap((name) =>
    name === 'flink' ? [...FLINK_SERVICES] : [name],
  );
}

/** Returns the variables of `npm run -s stack -- env`, with which a program finds the stack. */
export function environment(home: StackHome): Record<string, string> {
  const { ports } = home;
  const secured = securedOf(home);
  const tls = secured ? `?sslmode=verify-full&sslrootcert=${secured.ca}` : '';
  return {
    PGHOST: '127.0.0.1',
    PGPORT: String(ports.postgres),
    PGUSER: PG_USER,
    PGPASSWORD: PG_PASSWORD,
    ...stackSecrets(),
    KAFKA_BROKERS: `127.0.0.1:${ports.kafka}`,
    CONNECT_URL: `http://127.0.0.1:${ports.connect}`,
    TEMPORAL_ADDRESS: `127.0.0.1:${ports.temporal}`,
    TEMPORAL_UI_URL: `http://127.0.0.1:${ports.temporalUi}`,
    // the same secrets that Connect's config providers can read
    SLUICE_SECRETS: `env:SLUICE_SECRET_*;env:PGPASSWORD@127.0.0.1,localhost;file:${join(home.dir, 'secrets')}`,
    SLUICE_LEDGER_URL: `postgres://${PG_USER}:${PG_PASSWORD}@127.0.0.1:${ports.postgres}/${LEDGER_DATABASE}${tls}`,
    ...(secured ? securedEnvironment(home, secured) : {}),
    ...(alive(home, 'flink-gateway') === undefined
      ? {}
      : { FLINK_GATEWAY_URL: `http://127.0.0.1:${ports.flinkGateway}` }),
    ...(alive(home, 'toxiproxy') === undefined
      ? {}
      : { TOXIPROXY_URL: `http://127.0.0.1:${ports.toxiproxy}` }),
    ...(alive(home, 'registry') === undefined ? {} : { REGISTRY_URL: registryUrl(home) }),
    PATH: [temporalBinDir(home), process.env['PATH']].filter(Boolean).join(':'),
  };
}

/** Adds or replaces a service of this stack. It is started now, and again by every later `up`. */
export async function addService(home: StackHome, service: Launch): Promise<void> {
  await stop(home, service.name);
  const dir = join(home.dir, 'services');
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, `${service.name}.json`), JSON.stringify(service, null, 2));
  launch(home, service);
}

export async function removeService(home: StackHome, name: string): Promise<void> {
  await stop(home, name);
  rmSync(join(home.dir, 'services', `${name}.json`), { force: true });
}

function addedServices(home: StackHome): Launch[] {
  const dir = join(home.dir, 'services');
  if (!existsSync(dir)) return [];
  return readdirSync(dir).map(
    (file) => JSON.parse(readFileSync(join(dir, file), 'utf8')) as Launch,
  );
}

export { lastLogLines };
