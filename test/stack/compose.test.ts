import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { SEARCH_ATTRIBUTES } from '../../src/domain/migration/search-attribute-names.js';
import { PINS } from '../../stack/paths.js';

interface Compose {
  readonly services: Record<string, { image: string; healthcheck?: object; command?: string[] }>;
}
const compose = parse(readFileSync('docker-compose.yml', 'utf8')) as Compose;
const pom = readFileSync('examples/daily-revenue/pipeline/pom.xml', 'utf8');

describe('docker-compose.yml', () => {
  it('names the versions that the local stack runs', () => {
    const image = (service: string): string => compose.services[service]!.image.split(':')[1]!;
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
    expect(Object.values(compose.services).every((s) => s.healthcheck)).toBe(true);
    for (const [name, type] of Object.entries(SEARCH_ATTRIBUTES))
      expect(compose.services['temporal']!.command).toContain(`${name}=${type}`);
  });
});
