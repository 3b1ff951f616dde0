// Readers of the batch's old output, in a real catalogue.
import { describe, expect, it } from 'vitest';
import { createConsumerActivities } from '../../src/activities/consumers.js';
import { BATCH_PARTS, aRef } from '../support/builders.js';
import { freshDatabase, testPostgres } from '../support/sluice.js';

describe('readers of the old output', () => {
  it('are the views and materialised views over it, but not the one that was switched', async () => {
    const database = await freshDatabase(`CREATE TABLE totals_batch (day date PRIMARY KEY, total numeric); CREATE TABLE totals_stream (LIKE totals_batch);
      CREATE VIEW totals AS SELECT * FROM totals_batch; CREATE VIEW "Other View" AS SELECT count(*) AS n FROM totals_batch;
      CREATE MATERIALIZED VIEW monthly AS SELECT date_trunc('month', day) AS month, sum(total) FROM totals_batch GROUP BY 1; CREATE VIEW unrelated AS SELECT * FROM totals_stream`);
    try {
      const activities = createConsumerActivities({ secret: () => process.env['PGPASSWORD'] ?? '' });
      const ref = aRef({ spec: { ...BATCH_PARTS, source: { postgres: testPostgres(database.name), tables: ['public.totals_batch'] } } });
      expect(await activities.readersOfBatch(ref)).toEqual(['materialised view monthly', 'view "Other View"']);
      expect(await activities.readersOfBatch(aRef({ spec: { source: { postgres: testPostgres(database.name), tables: ['public.totals_batch'] } } }))).toEqual(
        [],
      );
    } finally {
      await database.drop();
    }
  });
});
