// Tests which indexes count for the check `polling.index`, on a real table.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { adapterOf } from '../../src/activities/capture/index.js';
import { Systems } from '../../src/activities/runtime/deps.js';
import type { Check } from '../../src/domain/evidence/check.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { resolveSecret } from '../../src/wiring/config.js';
import { freshDatabase, specOf } from '../support/sluice.js';

let database: Awaited<ReturnType<typeof freshDatabase>>;

beforeAll(async () => {
  database = await freshDatabase(`
    CREATE TABLE moves (id bigint PRIMARY KEY, created timestamptz NOT NULL DEFAULT now(), "Changed" timestamptz);
    INSERT INTO moves SELECT g FROM generate_series(1, 120000) g;`);
  await database.client.query('ANALYZE moves');
});
afterAll(() => database.drop());

async function indexCheck(timestampColumns: readonly string[]): Promise<Check> {
  const connector = {
    type: 'jdbc-source',
    url: 'http://127.0.0.1:1',
    mode: 'timestamp',
    timestampColumns,
    deletes: 'none',
  };
  const parsed = parseSpecObject(specOf('polled', database.name, ['public.moves'], { connector }));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const plan = resolve({ spec: parsed.spec, generation: 1 });
  const deps = { secret: resolveSecret, systems: new Systems(resolveSecret) };
  const checks = await adapterOf(plan).checks(deps, plan, plan.capture);
  return checks.find(({ name }) => name === 'polling.index')!;
}

it('the check passes after its remedy has run, with one time column and with two', async () => {
  for (const columns of [['created'], ['Changed', 'created']]) {
    const before = await indexCheck(columns);
    expect(before.status).toBe('failed');
    const [statement] = before.remedy.split(', or waive');
    await database.client.query(statement!);
    expect(await indexCheck(columns)).toMatchObject({ status: 'passed' });
  }
});

it('the check counts a partial index only if its condition is that the polled column is not null', async () => {
  await database.client.query('CREATE INDEX ON moves ("Changed") WHERE id > 5');
  expect(await indexCheck(['Changed'])).toMatchObject({ status: 'failed' });
  await database.client.query('CREATE INDEX ON moves ("Changed") WHERE "Changed" IS NOT NULL');
  expect(await indexCheck(['Changed'])).toMatchObject({ status: 'passed' });
});
