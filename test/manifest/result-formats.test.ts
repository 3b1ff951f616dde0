// Tests which specs may have results in a format that needs a schema registry, and which converters
// the sink gets.
import { describe, expect, it } from 'vitest';
import { jdbcSinkConfig } from '../../src/connectors/jdbc-sink.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { parseSpecObject, parseSpecText } from '../../src/manifest/parse.js';
import { specOf } from '../support/sluice.js';

const REGISTRY = { url: 'https://registry.internal/apis/ccompat/v7', converter: 'apicurio' };

interface Parts {
  readonly output?: string;
  readonly stage?: string;
  readonly registry?: object;
  readonly more?: object;
}

function spec({ output, stage, registry, more }: Parts): object {
  const query = { sql: 'SELECT 1 AS id' };
  const topic = { topic: 'out', key: ['id'] };
  return specOf('formats', 'shop', [], {
    source: {
      postgres: { host: 'db', database: 'shop', user: 'migrator' },
      tables: ['public.orders'],
    },
    connector: { type: 'debezium-postgres', url: 'http://connect:8083' },
    kafka: { brokers: ['kafka:9092'], ...(registry ? { registry } : {}) },
    pipeline: {
      type: 'external',
      groups: ['g'],
      output: output === undefined ? topic : { ...topic, format: output },
    },
    batch: {
      result: { table: 'public.r', key: ['id'] },
      query,
      stages: [{ name: 's', query, key: ['id'], topic: 's', format: stage }],
    },
    ...more,
  });
}

/** Returns each problem as `path: message`. */
function problems(parts: Parts): string[] {
  const parsed = parseSpecObject(spec(parts));
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
}

const SINK = { sink: { type: 'jdbc-sink', table: 'public.s' } };

function sinkConfig(parts: Parts): Record<string, string> {
  const parsed = parseSpecObject(spec({ ...parts, more: SINK }));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return jdbcSinkConfig(resolve({ spec: parsed.spec, generation: 1 }));
}

describe('the format of records', () => {
  it('is json if the spec names none, and a registry that no format needs is refused', () => {
    expect(problems({})).toEqual([]);
    expect(problems({ output: 'json', stage: 'json' })).toEqual([]);
    expect(problems({ registry: REGISTRY }).join()).toMatch(/kafka\.registry: .*or omit registry/);
  });

  it('needs the registry if it is not json, for the output and for each stage', () => {
    expect(problems({ output: 'avro' }).join()).toMatch(
      /pipeline\.output\.format: format avro needs .*add kafka\.registry/,
    );
    expect(problems({ stage: 'avro' }).join()).toMatch(/batch\.stages.*0.*format: format avro/);
    expect(problems({ output: 'avro', stage: 'avro', registry: REGISTRY })).toEqual([]);
  });

  it('may be avro with `registry.ca` for Apicurio only if no sink reads the output', () => {
    const registry = { ...REGISTRY, ca: '/etc/ca.crt' };
    expect(problems({ output: 'avro', registry })).toEqual([]);
    expect(problems({ output: 'avro', registry, more: SINK }).join()).toMatch(
      /registry\.ca: .*trust store/,
    );
  });

  it('must be json or avro for an output that a sink reads', () => {
    for (const output of ['json-schema', 'protobuf']) {
      expect(problems({ output, registry: REGISTRY })).toEqual([]);
      expect(problems({ output, registry: REGISTRY, more: SINK }).join()).toMatch(
        /pipeline\.output\.format: the sink reads json or avro, and not .*use format: avro/,
      );
    }
  });

  it('must be json or avro for the topics of the tables', () => {
    const kafka = { brokers: ['kafka:9092'], registry: REGISTRY, format: 'protobuf' };
    expect(problems({ more: { kafka } }).join()).toMatch(/kafka\.format: .*no converter .* tested/);
  });

  it('of a result is refused by `sluice prove` if it is not json', () => {
    const text = JSON.stringify(spec({ output: 'avro', registry: REGISTRY }));
    const parsed = parseSpecText(text, 'spec.json', () => '', 'proof');
    expect(parsed.ok ? '' : parsed.problems[0]!.message).toMatch(
      /prove reads results as JSON only/,
    );
  });
});

describe('the converters of a sink', () => {
  it('are the JSON converters of Kafka Connect, with schemas, for an output in JSON', () => {
    expect(sinkConfig({})).toMatchObject({
      'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'key.converter.schemas.enable': 'true',
      'value.converter.schemas.enable': 'true',
    });
  });

  it("are the registry's Avro converters for an output in Avro", () => {
    expect(sinkConfig({ output: 'avro', registry: REGISTRY })).toMatchObject({
      'key.converter': 'io.apicurio.registry.utils.converter.AvroConverter',
      'value.converter': 'io.apicurio.registry.utils.converter.AvroConverter',
      'value.converter.apicurio.registry.as-confluent': 'true',
    });
  });
});
