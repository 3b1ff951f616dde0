// Tests shared tables that Sluice refuses. The commit must replace the batch's rows by exactly the
// stream's rows, and a rollback does the reverse. That is impossible with a DEFERRABLE key or an
// invalid unique index. It is also impossible if the table is a partition, inherits from another
// table, or has tables that inherit from it.
import { describe, expect, it } from 'vitest';
import { SharedTableFixture } from '../support/shared-table-fixture.js';

const NOT_NOW = 'ALTER TABLE shared DROP CONSTRAINT shared_pkey';
const shared = new SharedTableFixture('shared_shape');

describe('a shared table', () => {
  it.each([
    [
      'its only key is DEFERRABLE',
      `${NOT_NOW}; ALTER TABLE shared ADD CONSTRAINT later UNIQUE (id) DEFERRABLE`,
      /the unique key later is DEFERRABLE/,
    ],
    [
      'one of its keys is DEFERRABLE',
      'ALTER TABLE shared ADD CONSTRAINT later UNIQUE (id) DEFERRABLE INITIALLY DEFERRED',
      /the unique key later is DEFERRABLE/,
    ],
    [
      'a table inherits from it',
      'CREATE TABLE child () INHERITS (shared); INSERT INTO child (id, n, serial) VALUES (4, 7, 70)',
      /these tables inherit from it: child/,
    ],
  ])('is refused by doctor and by the commit if %s', async (_what, change, why) => {
    await shared.drill.client.query(change);
    const before = await shared.rows();
    expect(await shared.doctor()).toMatchObject({ detail: expect.stringMatching(why) as string });
    expect(await shared.refusal()).toMatch(why);
    expect(await shared.rows()).toEqual(before);
  });

  it('is refused by doctor if its unique index is not valid', async () => {
    await shared.drill.client
      .query(`DROP TABLE shared; CREATE TABLE shared (id int, n numeric, doc json) PARTITION BY LIST (id);
      CREATE TABLE shared_1 PARTITION OF shared DEFAULT; CREATE UNIQUE INDEX ON ONLY shared (id)`);
    expect(await shared.doctor()).toMatchObject({
      detail: 'the table has no unique index on exactly (id)',
    });
  });

  it.each([
    [
      'inherits from another table',
      'CREATE TABLE whole (id int NOT NULL); ALTER TABLE shared INHERIT whole',
    ],
    [
      'is a partition',
      `DROP TABLE shared; CREATE TABLE whole (id int PRIMARY KEY, n numeric, doc json) PARTITION BY LIST (id);
       CREATE TABLE shared PARTITION OF whole DEFAULT`,
    ],
  ])('is refused by doctor if it %s', async (_what, change) => {
    await shared.drill.client.query(change);
    expect(await shared.doctor()).toMatchObject({
      detail: expect.stringMatching(/is a partition of whole or inherits from it/) as string,
    });
  });

  it('refuses the rollback while a table inherits from it, and allows it after NO INHERIT', async () => {
    expect(await shared.refusal()).toBeNull();
    await shared.drill.client.query(
      'CREATE TABLE child () INHERITS (shared); INSERT INTO child (id, n, serial) VALUES (2, 7, 70)',
    );
    const before = await shared.rows();
    await expect(shared.routeBack()).rejects.toThrow(
      /public.shared: these tables inherit from it: child/,
    );
    expect(await shared.rows()).toEqual(before);
    await shared.drill.client.query('ALTER TABLE child NO INHERIT shared');
    await shared.routeBack();
    expect(await shared.rows()).toContainEqual([9, '9', '{"only": "here"}']);
  });
});
