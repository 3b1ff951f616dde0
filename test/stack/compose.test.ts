// Compares docker-compose.yml and docker-compose.secure.yml with what the local stack and Sluice
// expect. Also tests the full names of images, and the demo's commands for servers in containers.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { SEARCH_ATTRIBUTES } from '../../src/domain/migration/search-attribute-names.js';
import { serversOf } from '../../examples/daily-revenue/servers.js';
import { fullName } from '../../stack/images.js';
import { PINS } from '../../stack/paths.js';
import { stackSecrets } from '../../stack/secrets.js';

interface Service {
  readonly image?: string;
  readonly healthcheck?: object;
  readonly command?: string[];
  readonly network_mode?: string;
  readonly stop_grace_period?: string;
  readonly depends_on?: Readonly<Record<string, { condition: string; restart?: boolean }>>;
  readonly ports?: string[];
  readonly environment: Readonly<Record<string, string>>;
}
const servicesOf = (file: string): Readonly<Record<string, Service>> =>
  (parse(readFileSync(file, 'utf8')) as { services: Record<string, Service> }).services;
const services = servicesOf('docker-compose.yml');
const pom = readFileSync('examples/daily-revenue/pipeline/pom.xml', 'utf8');

describe('docker-compose.yml', () => {
  it('names the versions that the local stack runs', () => {
    const image = (service: string): string => services[service]!.image!.split(':')[1]!;
    expect([image('postgres'), image('kafka'), image('connect'), image('temporal')]).toEqual([
      PINS.postgres,
      PINS.kafka,
      PINS.debeziumPostgres,
      PINS.temporalCli,
    ]);
    expect(PINS.embeddedPostgres.startsWith(`${PINS.postgres}.`)).toBe(true);
    expect(pom).toContain(`<artifactId>kafka-streams</artifactId><version>${PINS.kafka}</version>`);
  });
  it('has a healthcheck on every service and registers every search attribute', () => {
    expect(Object.values(services).every((s) => s.healthcheck)).toBe(true);
    for (const [name, type] of Object.entries(SEARCH_ATTRIBUTES))
      expect(services['temporal']!.command).toContain(`${name}=${type}`);
  });
  it('publishes the ports of the default stack, and only on this machine', () => {
    const published = Object.values(services).flatMap(({ ports = [] }) => ports);
    const ports = published.map((port) => /^127\.0\.0\.1:(\d+):\d+$/.exec(port)?.[1]);
    expect(new Set(ports)).toEqual(new Set(['17401', '17402', '17404', '17405', '17406']));
  });
  it('gives Kafka and Connect the network of Postgres, so that one address reaches all three', () => {
    const shared = Object.keys(services).filter((name) => services[name]!.network_mode);
    expect(shared).toEqual(['kafka', 'connect']);
  });
  it('gives every server 30 s to stop, because the default of a container engine may be shorter', () => {
    for (const service of Object.values(services)) expect(service.stop_grace_period).toBe('30s');
  });
  it('restarts a service together with the server for whose health it waits', () => {
    const files = ['docker-compose.yml', 'docker-compose.secure.yml'];
    const waits = files
      .flatMap((file) => Object.values(servicesOf(file)))
      .flatMap(({ depends_on: needs = {} }) => Object.values(needs))
      .filter(({ condition }) => condition === 'service_healthy');
    expect(waits).not.toEqual([]);
    expect(waits.filter(({ restart }) => !restart)).toEqual([]);
  });
  it('gives Connect the secrets of the examples', () => {
    expect(services['connect']!.environment).toMatchObject(stackSecrets({}));
  });
});

describe('the environment of Kafka Connect', () => {
  /**
   * Debezium's image overwrites these variables. It takes their values from variables with other
   * names.
   */
  const OVERWRITTEN = [
    'BOOTSTRAP_SERVERS',
    'GROUP_ID',
    'CONFIG_STORAGE_TOPIC',
    'OFFSET_STORAGE_TOPIC',
    'STATUS_STORAGE_TOPIC',
    'KEY_CONVERTER',
    'VALUE_CONVERTER',
    'OFFSET_FLUSH_INTERVAL_MS',
    'OFFSET_FLUSH_TIMEOUT_MS',
    'REST_ADVERTISED_HOST_NAME',
    'REST_ADVERTISED_PORT',
  ].map((name) => `CONNECT_${name}`);
  it.each(['docker-compose.yml', 'docker-compose.secure.yml'])(
    'sets in %s no variable that the image overwrites, and no value with @',
    (file) => {
      const { environment } = servicesOf(file)['connect']!;
      expect(Object.keys(environment).filter((name) => OVERWRITTEN.includes(name))).toEqual([]);
      expect(Object.values(environment).filter((value) => value.includes('@'))).toEqual([]);
    },
  );
});

describe('docker-compose.secure.yml', () => {
  it("changes only services of docker-compose.yml, and adds one that uses the broker's image", () => {
    const added = Object.entries(servicesOf('docker-compose.secure.yml')).filter(
      ([name]) => !services[name],
    );
    expect(added.map(([name, { image }]) => [name, image])).toEqual([
      ['kafka-access', services['kafka']!.image],
    ]);
  });
});

describe('the full name of an image', () => {
  it('has the registry and the path that a container engine assumes for a short name', () => {
    expect(fullName('postgres:17')).toBe('docker.io/library/postgres:17');
    expect(fullName('apache/kafka:4.3.1')).toBe('docker.io/apache/kafka:4.3.1');
    expect(fullName('quay.io/debezium/connect:3.7.0.Final')).toBe(
      'quay.io/debezium/connect:3.7.0.Final',
    );
  });
});

describe("the demo's commands to stop and to start over", () => {
  it("stop the containers and the host's processes, if the servers run in containers", () => {
    const { stop, startOver } = serversOf({ running: true });
    for (const commands of [stop, startOver])
      expect(commands).toMatch(/npm run stack -- down; docker compose down/);
    expect(startOver).toContain('docker compose down -v; docker compose up --wait');
    expect(serversOf({}).stop).not.toContain('docker');
  });
  it('are named in the error if --fresh cannot delete the data of servers that already run', () => {
    expect(() => serversOf({ running: true, fresh: true })).toThrow(/docker compose down -v/);
  });
});
