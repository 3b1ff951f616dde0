// Tests which specs may use Avro, and what the connector's converters get from the spec.
import { describe, expect, it } from 'vitest';
import { debeziumPostgresConfig } from '../../src/connectors/debezium-postgres.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { parseSpecObject, parseSpecText } from '../../src/manifest/parse.js';
import { specOf } from '../support/sluice.js';

const REGISTRY = { url: 'https://registry.internal/apis/ccompat/v7', converter: 'apicurio' };
const CONFLUENT = { url: 'https://registry.internal', converter: 'confluent' };

interface Parts {
  readonly registry?: object;
  readonly kafka?: object;
  readonly connector?: object;
  readonly more?: object;
}

function spec({ registry = REGISTRY, kafka = {}, connector = {}, more = {} }: Parts): object {
  return specOf('formats', 'shop', [], {
    source: {
      postgres: { host: 'db', database: 'shop', user: 'migrator' },
      tables: ['public.orders'],
    },
    connector: { type: 'debezium-postgres', url: 'http://connect:8083', ...connector },
    kafka: { brokers: ['kafka:9092'], format: 'avro', registry, ...kafka },
    ...more,
  });
}

/** Returns each problem as `path: message`. */
function problems(parts: Parts): string[] {
  const parsed = parseSpecObject(spec(parts));
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
}

function config(registry: object): Record<string, string> {
  const parsed = parseSpecObject(spec({ registry }));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return debeziumPostgresConfig(resolve({ spec: parsed.spec, generation: 1 }));
}

const pipeline = (type: string, more: object = {}): object => ({
  pipeline: { type, output: { topic: 'out', key: ['id'] }, ...more },
  batch: { result: { table: 'public.r', key: ['id'] }, query: { sql: 'SELECT 1 AS id' } },
});

describe('the format avro', () => {
  it.each([
    [{ kafka: { registry: undefined } }, /kafka\.format: .*add kafka\.registry: \{ url/],
    [{ kafka: { format: 'json' } }, /kafka\.registry: .*add format: avro/],
    [{ kafka: { format: undefined } }, /kafka\.registry: .*add format: avro/],
    [{ connector: { snapshot: 'copy' } }, /connector\.snapshot: .*use snapshot initial/],
    [
      { connector: { type: 'jdbc-source', mode: 'bulk', deletes: 'none' } },
      /connector\.type: .*use debezium-postgres/,
    ],
    [
      { more: { validation: { engine: 'flink', gateway: 'http://flink:8083' } } },
      /validation\.engine: .*use engine embedded/,
    ],
    [
      { more: pipeline('ksqldb', { url: 'http://ksql:8088', statements: { sql: 'x' } }) },
      /pipeline\.type: .*type external/,
    ],
    [
      { registry: { ...REGISTRY, url: 'https://registry.internal' } },
      /registry\.url: .*end it with \/apis\/ccompat\/v7/,
    ],
    [{ registry: { ...REGISTRY, auth: { tokenFrom: { env: 'T' } } } }, /registry\.auth: .*token/],
    [{ registry: { ...REGISTRY, ca: '/etc/ca.crt' } }, /registry\.ca: .*trust store/],
    [
      { registry: { ...CONFLUENT, url: 'http://registry', ca: '/etc/ca.crt' } },
      /registry\.ca: .*https/,
    ],
    [
      { registry: { ...CONFLUENT, auth: { username: 'u', passwordFrom: { file: '/run/p' } } } },
      /registry\.auth\.passwordFrom\.file: .*names no key/,
    ],
    [
      { registry: { ...CONFLUENT, auth: { username: '${env:X}', passwordFrom: { env: 'P' } } } },
      /registry\.auth\.username: .*colon/,
    ],
    [{ registry: { ...CONFLUENT, url: 'https://r/${env:X}' } }, /registry\.url: .*placeholder/],
  ] as const)(
    'needs a registry and settings that fit; a refusal names the place and the remedy (%j)',
    (parts, why) => {
      expect(problems(parts).join('\n')).toMatch(why);
    },
  );

  it('is refused by `sluice prove`, which writes its topics itself, and only in JSON', () => {
    const parsed = parseSpecText(JSON.stringify(spec({})), 'spec.json', () => '', 'proof');
    expect(parsed.ok ? '' : parsed.problems[0]!.message).toMatch(
      /sluice prove writes .* JSON only/,
    );
  });
});

describe('the converters of the connector', () => {
  it("are Kafka Connect's own if the format is JSON, without a registry", () => {
    const parsed = parseSpecObject(spec({ kafka: { format: 'json', registry: undefined } }));
    const plain =
      parsed.ok && debeziumPostgresConfig(resolve({ spec: parsed.spec, generation: 1 }));
    expect(plain).toMatchObject({
      'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'value.converter.schemas.enable': 'false',
    });
    expect(Object.keys(plain || {})).not.toContain('schema.name.adjustment.mode');
  });

  it("for Apicurio write keys and values in Confluent's wire format", () => {
    const found = config({
      ...REGISTRY,
      auth: { username: 'u', passwordFrom: { env: 'SLUICE_SECRET_R' } },
    });
    for (const side of ['key.converter', 'value.converter'])
      expect(found).toMatchObject({
        [side]: 'io.apicurio.registry.utils.converter.AvroConverter',
        [`${side}.apicurio.registry.url`]: 'https://registry.internal/apis/registry/v2',
        [`${side}.apicurio.registry.as-confluent`]: 'true',
        [`${side}.apicurio.registry.headers.enabled`]: 'false',
        [`${side}.apicurio.auth.password`]: '${env:SLUICE_SECRET_R}',
      });
    expect(found['key.converter.schemas.enable']).toBe(undefined);
  });

  it('for Confluent get registry, CA and login, whose secret stays a placeholder', () => {
    const ca = '/etc/sluice/ca.crt';
    const auth = { username: 'u', passwordFrom: { env: 'SLUICE_SECRET_R' } };
    expect(config({ ...CONFLUENT, ca, auth })).toMatchObject({
      'value.converter': 'io.confluent.connect.avro.AvroConverter',
      'value.converter.schema.registry.url': CONFLUENT.url,
      'value.converter.schema.registry.ssl.truststore.location': ca,
      'value.converter.basic.auth.user.info': 'u:${env:SLUICE_SECRET_R}',
    });
    expect(config({ ...CONFLUENT, auth: { tokenFrom: { env: 'SLUICE_SECRET_T' } } })).toMatchObject(
      { 'key.converter.bearer.auth.token': '${env:SLUICE_SECRET_T}' },
    );
  });
});
