// Tests which rows of a real table doctor finds too large for a Kafka message.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkMessageSize } from '../../src/activities/checks/message-size.js';
import { readTable } from '../../src/clients/postgres/catalog.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { parseSpecObject } from '../../src/manifest/parse.js';
import { freshDatabase, specOf } from '../support/sluice.js';

let database: Awaited<ReturnType<typeof freshDatabase>>;

beforeAll(async () => {
  database = await freshDatabase('CREATE TABLE small (id int PRIMARY KEY)');
});
afterAll(() => database.drop());

it.each([
  ['text', `repeat('x', 2000000)`],
  ['json', `json_build_object('a', repeat('x', 2000000))`],
  ['jsonb', `jsonb_build_object('a', repeat('x', 2000000))`],
  ['text[]', `ARRAY[repeat('x', 2000000)]`],
  ['int[]', 'array_fill(7, ARRAY[700000])'],
])('a long value of type %s is too large, although Postgres compresses it', async (type, value) => {
  await database.client.query(
    `DROP TABLE IF EXISTS long; CREATE TABLE long (id int PRIMARY KEY, v ${type}); INSERT INTO long VALUES (1, ${value}), (2, NULL)`,
  );
  const parsed = parseSpecObject(specOf('sizes', database.name, ['public.long']));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const { capture } = resolve({ spec: parsed.spec, generation: 1 });
  const table = await readTable(database.client, 'public.long');
  const check = await checkMessageSize(database.client, capture, 'public.long', table!);
  expect(check).toMatchObject({
    status: 'failed',
    detail: expect.stringContaining('1 rows of') as string,
  });
});
