// Tests a spec that a proof on a slice refuses before it connects to any system.
import { describe, expect, it } from 'vitest';
import { planProof } from '../../src/activities/prove/slice-plan.js';
import type { Deps } from '../../src/activities/runtime/deps.js';
import { BATCH_PARTS, aSpecInput } from '../support/builders.js';

const ksqldb = {
  type: 'ksqldb',
  url: 'http://127.0.0.1:1',
  statements: {
    sql: "CREATE STREAM a (x INT) WITH (kafka_topic = '${topic:public.accounts}'); CREATE TABLE totals WITH (kafka_topic = '${output}') AS SELECT x FROM a;",
  },
  output: { topic: 'totals', key: ['day'] },
};

describe('a proof', () => {
  it("refuses a ksqlDB pipeline, because the proof would share the migration's streams", async () => {
    const spec = aSpecInput({ spec: { ...BATCH_PARTS, pipeline: ksqldb } });
    const input = { spec, slice: 'id = 1', stage: null, runs: 0, by: 'ann', patienceMs: 1000 };
    const nothing = {} as Deps;
    await expect(planProof(nothing, input, 'proof-bank-1', 'run')).rejects.toMatchObject({
      code: 'spec-invalid',
      message: expect.stringContaining('a proof cannot deploy ksqlDB statements') as string,
    });
  });
});
