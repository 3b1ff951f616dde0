// Runs `sluice prove` on slices of the example. It finds the deliberate mistake in version 1 of the
// example's pipeline, passes with version 2, and leaves nothing behind.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asOneRole, createShop } from '../../examples/daily-revenue/legacy/shop.js';
import { buildPipeline } from '../../examples/daily-revenue/pipeline.js';
import type { ProofResult } from '../../src/domain/evidence/slice-proof.js';
import { kafkaClient, onThisStack } from '../support/access.js';
import { TestWorker, sluice, withDatabase } from '../support/sluice.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const worker = new TestWorker();
const EXAMPLE = resolve('examples/daily-revenue');
/**
 * The prefix of this proof's topics and groups. The test ignores other names, because a different
 * test file proves a different migration at the same time.
 */
const PREFIX = 'proof-daily-revenue-';
let spec: string;

beforeAll(async () => {
  await buildPipeline((line) => console.error(line));
  await createShop('proof_shop', { orders: 4000, seed: 3 });
  const dir = temporaryFolder('sluice-proof-');
  spec = join(dir, 'migration.yaml');
  const text = asOneRole(readFileSync(join(EXAMPLE, 'migration.yaml'), 'utf8'));
  writeFileSync(spec, onThisStack(text, 'proof_shop'));
  for (const query of ['daily_revenue.sql', 'store_quarters.sql'])
    writeFileSync(join(dir, query), readFileSync(join(EXAMPLE, query)));
  await worker.start();
});
afterAll(() => worker.kill('SIGTERM'));

const command = (version: 1 | 2): string =>
  `PIPELINE_VERSION=${version} exec java -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp '${EXAMPLE}/pipeline/target/daily-revenue-1.jar:${EXAMPLE}/pipeline/target/lib/*' dev.sluice.example.Main`;
const prove = (slice: string, ...args: string[]) => {
  const { code, stdout, stderr } = sluice(
    'prove',
    '-f',
    spec,
    '--slice',
    slice,
    '-o',
    'json',
    ...args,
  );
  return { code, stderr, result: (code === 2 ? null : JSON.parse(stdout)) as ProofResult };
};

async function traces(): Promise<string[]> {
  const admin = kafkaClient().admin();
  await admin.connect();
  const topics = (await admin.listTopics()).filter((t) => t.startsWith(PREFIX));
  const groups = (await admin.listGroups()).groups
    .map((g) => g.groupId)
    .filter((g) => g.startsWith(PREFIX));
  await admin.disconnect();
  const inDatabase = await withDatabase('proof_shop', async (client) => {
    const { rows } = await client.query<{ n: string }>(
      `SELECT slot_name AS n FROM pg_replication_slots WHERE database = current_database() UNION ALL SELECT pubname FROM pg_publication UNION ALL SELECT nspname FROM pg_namespace WHERE nspname LIKE 'sluice%'`,
    );
    return rows.map((row) => row.n);
  });
  return [...topics, ...groups, ...inDatabase];
}

describe('a proof on a slice of the example', () => {
  it('finds the mistake of version 1, passes version 2 and a stage, and leaves nothing behind', async () => {
    const slice = 'store_id IN (1, 2, 3) AND day >= current_date - 20';
    const wrong = prove(slice, '--run', command(1));
    expect(wrong, wrong.stderr).toMatchObject({
      code: 1,
      result: { verdict: 'failed', leftovers: [] },
    });
    expect(wrong.result.counts!.mismatched).toBeGreaterThan(10);
    expect(wrong.result.differences[0]).toMatchObject({
      class: 'mismatched',
      key: {
        day: expect.any(String) as string,
        store_id: expect.stringMatching(/^[123]$/) as string,
      },
    });
    const right = prove(slice, '--run', command(2));
    expect(right, right.stderr).toMatchObject({
      code: 0,
      result: {
        verdict: 'passed',
        leftovers: [],
        counts: { mismatched: 0, missing: 0, extraneous: 0 },
      },
    });
    expect(right.result.counts!.matched).toBe(right.result.replayed!.expected);
    const orders = right.result.replayed!.tables.find((t) => t.table === 'public.orders')!;
    expect(orders.rows).toBeLessThan(orders.of);
    expect(right.result.predicted!.records).toBeGreaterThan(right.result.replayed!.records);
    // The mistake comes after this stage, so even the wrong version passes here.
    const stage = prove('store_id = 1', '--stage', 'store-quarters', '--run', command(1));
    expect(stage, stage.stderr).toMatchObject({
      code: 0,
      result: { stage: 'store-quarters', verdict: 'passed' },
    });
    expect(await traces()).toEqual([]);
  });

  it('compares the days that the last batch runs closed, and names a run whose rows are wrong', async () => {
    const withClosedKeys = join(dirname(spec), 'closed.yaml');
    writeFileSync(
      withClosedKeys,
      readFileSync(spec, 'utf8').replace(
        '  validation:\n',
        '  validation:\n    closedKeys: "day < $cut::date - 1"\n',
      ),
    );
    const rehearse = (...args: string[]) =>
      prove('store_id IN (1, 2)', '-f', withClosedKeys, '--run', command(2), ...args);
    await withDatabase('proof_shop', (client) =>
      client.query(
        `INSERT INTO batch_runs (cut_at, started_at, finished_at)
         SELECT at, at, at + interval '5 minutes' FROM generate_series(current_date - 6, current_date - 1, interval '12 hours') AS at`,
      ),
    );
    const green = rehearse('--runs', '3');
    expect(green).toMatchObject({ code: 0, result: { verdict: 'passed', leftovers: [] } });
    // There are two runs a day. Only the first one closes keys, so each day counts once.
    expect(green.result.rehearsed).toHaveLength(3);
    for (const run of green.result.rehearsed)
      expect(run).toMatchObject({
        verdict: 'passed',
        counts: { matched: 2, mismatched: 0 },
        batchWasWrong: 0,
      });
    await withDatabase('proof_shop', (client) =>
      client.query(
        'UPDATE daily_revenue_batch SET revenue = revenue + 1 WHERE store_id = 1 AND day = (SELECT max(day) FROM daily_revenue_batch WHERE day < current_date - 3)',
      ),
    );
    const wrong = rehearse('--runs', '4');
    expect(wrong).toMatchObject({
      code: 1,
      result: {
        verdict: 'failed',
        reason: expect.stringMatching(/^run \d+: mismatched 1 rows/) as string,
      },
    });
    expect(wrong.result.rehearsed.map((run) => run.batchWasWrong).sort((a, b) => a - b)).toEqual([
      0, 0, 0, 1,
    ]);
    expect(
      prove('order_id > 5', '-f', withClosedKeys, '--runs', '2', '--run', 'true').stderr,
    ).toContain("only columns of the result's key");
    expect(prove('store_id = 1', '--runs', '2', '--run', 'true').stderr).toContain(
      'validation.closedKeys does not say',
    );
    expect(await traces()).toEqual([]);
  });

  it('reports wrong columns and stages, an empty slice and a dead or slow pipeline, and leaves nothing', async () => {
    expect(prove('shop = 1', '--run', 'true')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /neither a table nor the result's key has a column shop/,
      ) as string,
    });
    expect(prove('store_id = 1', '--stage', 'nope', '--run', 'true')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('batch.stages has no stage nope') as string,
    });
    const nothing = prove('id < 0 AND store_id < 0 AND order_id < 0', '--run', 'true');
    expect(nothing.result).toMatchObject({
      verdict: 'errored',
      reason: expect.stringContaining('matches no row') as string,
      leftovers: [],
    });
    const dead = prove('store_id = 1', '--run', 'echo no such jar >&2; exit 7');
    expect(dead).toMatchObject({
      code: 1,
      result: {
        verdict: 'errored',
        reason: 'the pipeline ended: the command exited 7: no such jar',
      },
    });
    const slow = prove('store_id = 1', '--run', 'sleep 60', '--timeout', '4s');
    expect(slow.result).toMatchObject({
      verdict: 'inconclusive',
      reason: expect.stringMatching(
        /no committed offset .* unknown whether the group has drained; this was still so at the time limit/,
      ) as string,
    });
    expect(await traces()).toEqual([]);
  });
});
