// Tests two reasons to refuse the commit or the rollback of a shared table: the table would not get
// exactly the rows that it must have, or a different table would change with it.
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDrill, type Drill } from '../../bench/drill.js';
import type { FenceInput } from '../../src/activities/cutover/fence.js';
import { checkSharedTable } from '../../src/activities/cutover/routes/shared-table-checks.js';
import { withSource } from '../../src/clients/postgres/connection.js';
import type { MigrationRef } from '../../src/domain/evidence/ledger-rows.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import type { SharedTablePlan } from '../../src/domain/routes/route.js';
import { resolveSecret } from '../../src/wiring/config.js';
import {
  STREAM,
  dropRoles,
  makeRoles,
  resetShared,
  sharedRef,
  sharedRows,
} from '../support/shared-drill.js';

let drill: Drill;
let ref: MigrationRef;
let attempt = 0;

beforeAll(async () => {
  drill = await openDrill('shared_followers');
  await makeRoles(drill);
});
afterAll(async () => {
  await dropRoles(drill);
  await drill.close();
});
beforeEach(async () => {
  attempt += 1;
  await resetShared(drill);
  ref = sharedRef(drill);
});

/** Returns SQL that creates a row trigger on the shared table. `body` is its function's body. */
const trigger = (when: string, body: string): string =>
  `CREATE OR REPLACE FUNCTION meddles() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN ${body} END$$;
   CREATE TRIGGER meddles ${when} ON shared FOR EACH ROW EXECUTE FUNCTION meddles()`;

/** Fences the table and tries to commit. Returns the reason of the refusal. */
async function refusal(): Promise<string | null> {
  const input: FenceInput = { ref, token: 'follows', attempt, epoch: 3, evidenceId: 'ev' };
  await drill.cutover.fence(input);
  return (await drill.cutover.commitCutover(input)).refused;
}

const routeBack = (): Promise<void> =>
  new MockActivityEnvironment().run(() => drill.cutover.routeBack(ref));

const doctor = (): Promise<unknown> =>
  withSource(ref.spec, resolveSecret, (client) =>
    checkSharedTable(client, resolve(ref), resolveSecret, resolve(ref).route as SharedTablePlan),
  );

describe('a shared table', () => {
  it.each([
    [
      'drops rows',
      'BEFORE INSERT',
      'IF NEW.id = 4 THEN RETURN NULL; END IF; RETURN NEW;',
      /1 row differs/,
    ],
    ['changes rows', 'BEFORE INSERT OR UPDATE', 'NEW.n := 0; RETURN NEW;', /3 rows differ/],
    ['keeps rows that were to be removed', 'BEFORE DELETE', 'RETURN NULL;', /1 row differs/],
    [
      'adds rows',
      'AFTER DELETE',
      'INSERT INTO shared (id, n) VALUES (OLD.id + 100, 0); RETURN NULL;',
      /1 row differs/,
    ],
  ])('is not committed if a trigger of the table %s', async (_what, when, body, why) => {
    const before = await sharedRows(drill);
    await drill.client.query(trigger(when, body));
    const refused = await refusal();
    expect(refused).toMatch(why);
    expect(refused).toMatch(/public.shared does not keep the stream's rows.*meddles/);
    expect(await sharedRows(drill)).toEqual(before);
  });

  it('is not committed if a rule of the table drops rows', async () => {
    await drill.client.query(
      'CREATE RULE meddles AS ON INSERT TO shared WHERE NEW.id = 4 DO INSTEAD NOTHING',
    );
    const before = await sharedRows(drill);
    expect(await refusal()).toMatch(/1 row differs .* triggers or rules: meddles/);
    expect(await sharedRows(drill)).toEqual(before);
  });

  it('is not committed if a deferred trigger removes rows at the end of the transaction', async () => {
    const deferred = trigger('AFTER INSERT', 'DELETE FROM shared WHERE id = 4; RETURN NULL;')
      .replace('CREATE TRIGGER', 'CREATE CONSTRAINT TRIGGER')
      .replace('FOR EACH ROW', 'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW');
    await drill.client.query(deferred);
    const before = await sharedRows(drill);
    expect(await refusal()).toMatch(/1 row differs .* triggers or rules: meddles/);
    expect(await sharedRows(drill)).toEqual(before);
  });

  it('is committed if a trigger changes only columns that the query does not compute', async () => {
    await drill.client.query(
      'ALTER TABLE shared ADD COLUMN at timestamptz; ' +
        trigger('BEFORE INSERT OR UPDATE', 'NEW.at := now(); RETURN NEW;'),
    );
    expect(await refusal()).toBeNull();
  });

  it('is not rolled back while a trigger discards rows of the batch, but is after the trigger is removed', async () => {
    await drill.client.query(
      trigger('BEFORE INSERT', 'IF NEW.id = 9 THEN RETURN NULL; END IF; RETURN NEW;'),
    );
    expect(await refusal()).toBeNull();
    await expect(routeBack()).rejects.toThrow(
      /public.shared does not take back 1 of the rows that the commit removed/,
    );
    expect(await drill.cutover.isSwitched(ref)).toBe(true);
    await drill.client.query('DROP TRIGGER meddles ON shared');
    await routeBack();
    expect(await sharedRows(drill)).toContainEqual([9, '9', '{"only": "here"}']);
  });

  it.each(['CASCADE', 'SET NULL'])(
    'is not committed, and doctor refuses it, if its commit would change another table: ON DELETE %s',
    async (action) => {
      await drill.client.query(
        `CREATE TABLE child (id int REFERENCES shared ON DELETE ${action}); INSERT INTO child VALUES (9)`,
      );
      expect(await doctor()).toMatchObject({
        detail: expect.stringContaining('foreign key of child follows the deletes') as string,
      });
      expect(await refusal()).toMatch(/removing 1 row of public.shared .* change rows of child/);
      expect((await drill.client.query('SELECT id FROM child')).rows).toEqual([{ id: 9 }]);
      await drill.client.query('DROP TABLE child');
    },
  );

  it.each(['CASCADE', 'SET NULL'])(
    'is not rolled back if a new foreign key would change another table: ON DELETE %s',
    async (action) => {
      expect(await refusal()).toBeNull();
      const before = await sharedRows(drill);
      await drill.client.query(
        `CREATE TABLE child (id int REFERENCES shared ON DELETE ${action}); INSERT INTO child VALUES (4)`,
      );
      await expect(routeBack()).rejects.toThrow(
        /removing 2 rows of public.shared .* change rows of child/,
      );
      expect((await drill.client.query('SELECT id FROM child')).rows).toEqual([{ id: 4 }]);
      expect(await sharedRows(drill)).toEqual(before);
      await drill.client.query('DROP TABLE child');
      await routeBack();
      expect(await sharedRows(drill)).not.toEqual(before);
    },
  );

  it.each(['CASCADE', 'SET NULL'])(
    'is not committed, and doctor refuses it, if it would change another table: ON UPDATE %s',
    async (action) => {
      await drill.client.query(
        `ALTER TABLE shared ADD UNIQUE (n); CREATE TABLE child (n numeric REFERENCES shared (n) ON UPDATE ${action}); INSERT INTO child VALUES (3)`,
      );
      expect(await doctor()).toMatchObject({
        detail: expect.stringContaining('foreign key of child follows the updates') as string,
      });
      expect(await refusal()).toMatch(/writing 3 rows of public.shared .* change rows of child/);
      expect((await drill.client.query('SELECT n FROM child')).rows).toEqual([{ n: '3' }]);
      await drill.client.query('DROP TABLE child');
    },
  );

  it('is committed if a foreign key ON UPDATE CASCADE references its key, which no update changes', async () => {
    await drill.client.query('CREATE TABLE child (id int REFERENCES shared ON UPDATE CASCADE)');
    expect(await doctor()).toBe(`${STREAM} can become the only writer of the table`);
    expect(await refusal()).toBeNull();
    await drill.client.query('DROP TABLE child');
  });

  it.each([
    ['is committed, and doctor passes it', 'no update changes', '', null],
    [
      'is not committed',
      'a trigger may change',
      trigger('BEFORE UPDATE', 'RETURN NEW;'),
      /writing 3 rows of public.shared .* change rows of child/,
    ],
  ])('%s if a foreign key ON UPDATE CASCADE references a column that %s', async (...given) => {
    const [, , meddle, why] = given;
    await drill.client.query(
      `ALTER TABLE shared ADD UNIQUE (serial); ${meddle};
       CREATE TABLE child (serial bigint REFERENCES shared (serial) ON UPDATE CASCADE)`,
    );
    if (why === null) expect(await doctor()).toContain('can become the only writer of the table');
    const refused = await refusal();
    await drill.client.query('DROP TABLE child');
    if (why === null) expect(refused).toBeNull();
    else expect(refused).toMatch(why);
  });
});
