// Tests which rows of a real table doctor finds too large for a Kafka message.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkMessageSize } from '../../src/activities/checks/message-size.js';
import { readTable } from '../../src/clients/postgres/catalog.js';
import type { Check } from '../../src/domain/evidence/check.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { freshDatabase, specOf } from '../support/sluice.js';

let database: Awaited<ReturnType<typeof freshDatabase>>;

beforeAll(async () => {
  database = await freshDatabase('CREATE TABLE small (id int PRIMARY KEY)');
});
afterAll(() => database.drop());

async function checkOf(setup: string): Promise<Check> {
  await database.client.query(`DROP TABLE IF EXISTS long; ${setup}`);
  const parsed = parseSpecObject(specOf('sizes', database.name, ['public.long']));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const { capture } = resolve({ spec: parsed.spec, generation: 1 });
  const table = await readTable(database.client, 'public.long');
  return checkMessageSize(database.client, capture, 'public.long', table!);
}

it.each([
  ['jsonb', `to_jsonb(array_fill(false, ARRAY[8000]))`, 30],
  ['bool[]', `array_fill(true, ARRAY[170000])`, 4],
  ['int[]', `array_fill(NULL::int, ARRAY[300000])`, 1],
])(
  'values of type %s are too large together, although each needs less than 4,000 bytes on disk',
  async (type, value, count) => {
    const columns = Array.from({ length: count }, (_, at) => `c${at} ${type}`).join(', ');
    const values = Array.from({ length: count }, () => value).join(', ');
    const check = await checkOf(
      `CREATE TABLE long (id int PRIMARY KEY, ${columns}); INSERT INTO long VALUES (1, ${values})`,
    );
    const { rows } = await database.client.query<{ size: number; bytes: number }>(
      'SELECT pg_column_size(c0) AS size, octet_length(c0::text) AS bytes FROM long',
    );
    expect(rows[0]!.size).toBeLessThan(4000);
    expect(rows[0]!.bytes * count).toBeGreaterThan(1024 * 1024);
    expect(check).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('1 rows of') as string,
    });
  },
);

it('a row that could be too large at most, but is not, passes', async () => {
  const check = await checkOf(
    `CREATE TABLE long (id int PRIMARY KEY, v jsonb); INSERT INTO long SELECT 1, to_jsonb(array_agg(md5(g::text))) FROM generate_series(1, 9000) g`,
  );
  expect(check).toMatchObject({ status: 'passed' });
});

it.each([
  ['text', `repeat('x', 2000000)`],
  ['json', `json_build_object('a', repeat('x', 2000000))`],
  ['jsonb', `jsonb_build_object('a', repeat('x', 2000000))`],
  ['text[]', `ARRAY[repeat('x', 2000000)]`],
  ['int[]', 'array_fill(7, ARRAY[700000])'],
])('a long value of type %s is too large, although Postgres compresses it', async (type, value) => {
  const check = await checkOf(
    `CREATE TABLE long (id int PRIMARY KEY, v ${type}); INSERT INTO long VALUES (1, ${value}), (2, NULL)`,
  );
  expect(check).toMatchObject({
    status: 'failed',
    detail: expect.stringContaining('1 rows of') as string,
  });
});
