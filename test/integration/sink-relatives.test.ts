// Tests sink tables that the user has created. Sluice refuses them if their rows also belong to
// another table, or if they could not hold exactly the stream's rows.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDrill, type Drill } from '../../bench/drill.js';
import { checkSink } from '../../src/activities/checks/sink-checks.js';
import { withSource } from '../../src/clients/postgres/connection.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { resolveSecret } from '../../src/wiring/config.js';

const COLUMNS = 'id int NOT NULL, side text NOT NULL';
const WHOLE = `CREATE TABLE whole (${COLUMNS}) PARTITION BY LIST (id)`;
const FIRST = `CREATE TABLE batch_result (${COLUMNS}, PRIMARY KEY (id))`;
const SECOND = `CREATE TABLE stream_result (${COLUMNS}, PRIMARY KEY (id))`;
let drill: Drill;

beforeAll(async () => {
  drill = await openDrill('sink_relatives');
});
afterAll(() => drill.close());
beforeEach(async () => {
  await drill.client.query(
    'DROP TABLE IF EXISTS batch_result, stream_result, whole, source, child CASCADE',
  );
});

/** Returns what `doctor` says about the sink's table `stream_result`. */
function doctor(): Promise<unknown> {
  const { spec } = drill.ref();
  const plan = resolve(drill.ref());
  return withSource(spec, resolveSecret, (client) =>
    checkSink({ source: client, target: client }, plan, plan.batch!, plan.sink!),
  );
}

const SOURCE = 'CREATE TABLE source (id int PRIMARY KEY, n bigint)';

describe('a sink table that the user has created', () => {
  it('is accepted if it shares no rows with another table', async () => {
    await drill.client.query(`${SOURCE}; ${FIRST}; ${SECOND}`);
    expect(await doctor()).toBe('the sink table exists, fits, and is empty');
  });

  it.each([
    [
      "is a partition of the batch's result table",
      `CREATE TABLE batch_result (${COLUMNS}, PRIMARY KEY (id)) PARTITION BY LIST (id);
       CREATE TABLE stream_result PARTITION OF batch_result FOR VALUES IN (2)`,
    ],
    [
      "has the batch's result table as a partition",
      `CREATE TABLE stream_result (${COLUMNS}, PRIMARY KEY (id)) PARTITION BY LIST (id);
       CREATE TABLE batch_result PARTITION OF stream_result FOR VALUES IN (1)`,
    ],
    [
      "inherits from the batch's result table",
      `${FIRST}; CREATE TABLE stream_result (PRIMARY KEY (id)) INHERITS (batch_result)`,
    ],
    [
      "is inherited by the batch's result table, over a third table",
      `${SECOND}; CREATE TABLE child () INHERITS (stream_result);
       CREATE TABLE batch_result (PRIMARY KEY (id)) INHERITS (child)`,
    ],
    [
      "is a partition beside the batch's result table",
      `${WHOLE}; ${FIRST}; ${SECOND}; ALTER TABLE whole ATTACH PARTITION batch_result FOR VALUES IN (1);
       ALTER TABLE whole ATTACH PARTITION stream_result FOR VALUES IN (2)`,
    ],
  ])('is refused if it %s', async (_what, tables) => {
    await drill.client.query(`${SOURCE}; ${tables}`);
    expect(await doctor()).toMatchObject({
      detail: expect.stringMatching(
        /^the table that the sink writes to, public.stream_result, shares rows with public.batch_result,/,
      ) as string,
    });
  });

  it('is refused if it is a partition of a captured table', async () => {
    await drill.client
      .query(`${FIRST}; CREATE TABLE source (${COLUMNS}, PRIMARY KEY (id)) PARTITION BY LIST (id);
      CREATE TABLE stream_result PARTITION OF source FOR VALUES IN (2)`);
    expect(await doctor()).toMatchObject({
      detail: expect.stringContaining('shares rows with public.source,') as string,
    });
  });

  it.each([
    [
      'its primary key is DEFERRABLE',
      `CREATE TABLE stream_result (${COLUMNS}, PRIMARY KEY (id) DEFERRABLE)`,
      'the unique key stream_result_pkey is DEFERRABLE',
    ],
    [
      'a table inherits from it',
      `${SECOND}; CREATE TABLE child () INHERITS (stream_result)`,
      'these tables inherit from it: child',
    ],
  ])('is refused if %s', async (_what, table, why) => {
    await drill.client.query(`${SOURCE}; ${FIRST}; ${table}`);
    expect(await doctor()).toMatchObject({ detail: expect.stringContaining(why) as string });
  });

  it('is refused by the recheck of the cut-over if it became a partition after an earlier check', async () => {
    await drill.client
      .query(`${SOURCE}; CREATE TABLE batch_result (${COLUMNS}, PRIMARY KEY (id)) PARTITION BY LIST (id);
      ${SECOND}; CREATE OR REPLACE VIEW result AS SELECT id, side FROM batch_result`);
    await drill.cutover.proveRoute(drill.ref());
    await drill.client.query('ALTER TABLE batch_result ATTACH PARTITION stream_result DEFAULT');
    await expect(drill.cutover.proveRoute(drill.ref())).rejects.toThrow(
      /shares rows with public.batch_result/,
    );
  });
});
