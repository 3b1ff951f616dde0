// Tests what doctor asks about a schema registry if only the results need it.
import { describe, expect, it } from 'vitest';
import { checkRegistry } from '../../src/activities/checks/registry-checks.js';
import type { Asking } from '../../src/activities/objects/owned-kind.js';
import type { Check } from '../../src/domain/evidence/check.js';
import { Problem } from '../../src/domain/failure.js';
import { aPlan } from '../support/builders.js';

const REGISTRY = { url: 'https://registry.internal/apis/ccompat/v7', converter: 'apicurio' };
const CONVERTER = 'io.apicurio.registry.utils.converter.AvroConverter';

interface Systems {
  readonly registry?: () => Promise<void>;
  readonly plugins?: readonly string[];
}

/** Returns each finding as `name status detail`. */
async function findings(
  format: string | undefined,
  hasSink: boolean,
  { registry = () => Promise.resolve(), plugins = [] }: Systems = {},
): Promise<string[]> {
  const output = { topic: 'totals', key: ['day'], ...(format ? { format } : {}) };
  const plan = aPlan({
    spec: {
      batch: {
        result: { table: 'public.totals', key: ['day'] },
        query: { sql: 'SELECT 1 AS day' },
      },
      pipeline: { type: 'external', groups: ['totals'], output },
      kafka: { brokers: ['127.0.0.1:9092'], ...(format ? { registry: REGISTRY } : {}) },
      ...(hasSink ? { sink: { type: 'jdbc-sink', table: 'public.totals_stream' } } : {}),
    },
  });
  const systems = {
    kafka: () => ({ registry: { check: registry } }),
    connect: () => ({ pluginClasses: () => Promise.resolve(plugins) }),
  };
  const asking = { plan, systems, secret: () => '' } as unknown as Asking;
  const found: Check[] = await checkRegistry(asking, true);
  return found.map(({ name, status, detail }) => `${name} ${status} ${detail}`);
}

describe('a registry that only the results need', () => {
  it('is asked before anything is created, and a missing answer is reported', async () => {
    expect(await findings('protobuf', false)).toEqual([
      expect.stringMatching(/^registry\.reachable passed/),
    ]);
    const away = (): Promise<never> => Promise.reject(new Problem('unreachable', 'it is away'));
    expect(await findings('avro', false, { registry: away })).toEqual([
      'registry.reachable failed it is away',
    ]);
  });

  it('needs its converter at Kafka Connect only if a sink reads the output', async () => {
    expect(await findings('avro', true)).toEqual([
      expect.stringMatching(/^registry\.reachable passed/),
      expect.stringMatching(/^registry\.converter failed .*AvroConverter is not installed/),
    ]);
    expect((await findings('avro', true, { plugins: [CONVERTER] }))[1]).toBe(
      `registry.converter passed ${CONVERTER} is installed`,
    );
  });

  it('is not asked if the results are in JSON as well, because nothing needs it then', async () => {
    expect(await findings(undefined, true)).toEqual([]);
  });
});
