// Tests two reasons to refuse the commit or the rollback of a shared table: the table would not get
// exactly the rows that it must have, or a different table would change with it.
import { describe, expect, it } from 'vitest';
import { STREAM } from '../support/shared-drill.js';
import { SharedTableFixture } from '../support/shared-table-fixture.js';

const shared = new SharedTableFixture('shared_followers');

/** Returns SQL that creates a row trigger on the shared table. `body` is its function's body. */
const trigger = (when: string, body: string): string =>
  `CREATE OR REPLACE FUNCTION meddles() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN ${body} END$$;
   CREATE TRIGGER meddles ${when} ON shared FOR EACH ROW EXECUTE FUNCTION meddles()`;

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
    const before = await shared.rows();
    await shared.drill.client.query(trigger(when, body));
    const refused = await shared.refusal();
    expect(refused).toMatch(why);
    expect(refused).toMatch(/public.shared does not keep the stream's rows.*meddles/);
    expect(await shared.rows()).toEqual(before);
  });

  it('is not committed if a rule of the table drops rows', async () => {
    await shared.drill.client.query(
      'CREATE RULE meddles AS ON INSERT TO shared WHERE NEW.id = 4 DO INSTEAD NOTHING',
    );
    const before = await shared.rows();
    expect(await shared.refusal()).toMatch(/1 row differs .* triggers or rules: meddles/);
    expect(await shared.rows()).toEqual(before);
  });

  it('is not committed if a deferred trigger removes rows at the end of the transaction', async () => {
    const deferred = trigger('AFTER INSERT', 'DELETE FROM shared WHERE id = 4; RETURN NULL;')
      .replace('CREATE TRIGGER', 'CREATE CONSTRAINT TRIGGER')
      .replace('FOR EACH ROW', 'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW');
    await shared.drill.client.query(deferred);
    const before = await shared.rows();
    expect(await shared.refusal()).toMatch(/1 row differs .* triggers or rules: meddles/);
    expect(await shared.rows()).toEqual(before);
  });

  it('is committed if a trigger changes only columns that the query does not compute', async () => {
    await shared.drill.client.query(
      'ALTER TABLE shared ADD COLUMN at timestamptz; ' +
        trigger('BEFORE INSERT OR UPDATE', 'NEW.at := now(); RETURN NEW;'),
    );
    expect(await shared.refusal()).toBeNull();
  });

  it('is not rolled back while a trigger discards rows of the batch, but is after the trigger is removed', async () => {
    await shared.drill.client.query(
      trigger('BEFORE INSERT', 'IF NEW.id = 9 THEN RETURN NULL; END IF; RETURN NEW;'),
    );
    expect(await shared.refusal()).toBeNull();
    await expect(shared.routeBack()).rejects.toThrow(
      /public.shared does not take back 1 of the rows that the commit removed/,
    );
    expect(await shared.drill.cutover.isSwitched(shared.ref)).toBe(true);
    await shared.drill.client.query('DROP TRIGGER meddles ON shared');
    await shared.routeBack();
    expect(await shared.rows()).toContainEqual([9, '9', '{"only": "here"}']);
  });

  it.each(['CASCADE', 'SET NULL'])(
    'is not committed, and doctor refuses it, if its commit would change another table: ON DELETE %s',
    async (action) => {
      await shared.drill.client.query(
        `CREATE TABLE child (id int REFERENCES shared ON DELETE ${action}); INSERT INTO child VALUES (9)`,
      );
      expect(await shared.doctor()).toMatchObject({
        detail: expect.stringContaining('foreign key of child follows the deletes') as string,
      });
      expect(await shared.refusal()).toMatch(
        /removing 1 row of public.shared .* change rows of child/,
      );
      expect((await shared.drill.client.query('SELECT id FROM child')).rows).toEqual([{ id: 9 }]);
      await shared.drill.client.query('DROP TABLE child');
    },
  );

  it.each(['CASCADE', 'SET NULL'])(
    'is not rolled back if a new foreign key would change another table: ON DELETE %s',
    async (action) => {
      expect(await shared.refusal()).toBeNull();
      const before = await shared.rows();
      await shared.drill.client.query(
        `CREATE TABLE child (id int REFERENCES shared ON DELETE ${action}); INSERT INTO child VALUES (4)`,
      );
      await expect(shared.routeBack()).rejects.toThrow(
        /removing 2 rows of public.shared .* change rows of child/,
      );
      expect((await shared.drill.client.query('SELECT id FROM child')).rows).toEqual([{ id: 4 }]);
      expect(await shared.rows()).toEqual(before);
      await shared.drill.client.query('DROP TABLE child');
      await shared.routeBack();
      expect(await shared.rows()).not.toEqual(before);
    },
  );

  it.each(['CASCADE', 'SET NULL'])(
    'is not committed, and doctor refuses it, if it would change another table: ON UPDATE %s',
    async (action) => {
      await shared.drill.client.query(
        `ALTER TABLE shared ADD UNIQUE (n); CREATE TABLE child (n numeric REFERENCES shared (n) ON UPDATE ${action}); INSERT INTO child VALUES (3)`,
      );
      expect(await shared.doctor()).toMatchObject({
        detail: expect.stringContaining('foreign key of child follows the updates') as string,
      });
      expect(await shared.refusal()).toMatch(
        /writing 3 rows of public.shared .* change rows of child/,
      );
      expect((await shared.drill.client.query('SELECT n FROM child')).rows).toEqual([{ n: '3' }]);
      await shared.drill.client.query('DROP TABLE child');
    },
  );

  it('is committed if a foreign key ON UPDATE CASCADE references its key, which no update changes', async () => {
    await shared.drill.client.query(
      'CREATE TABLE child (id int REFERENCES shared ON UPDATE CASCADE)',
    );
    expect(await shared.doctor()).toBe(`${STREAM} can become the only writer of the table`);
    expect(await shared.refusal()).toBeNull();
    await shared.drill.client.query('DROP TABLE child');
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
    await shared.drill.client.query(
      `ALTER TABLE shared ADD UNIQUE (serial); ${meddle};
       CREATE TABLE child (serial bigint REFERENCES shared (serial) ON UPDATE CASCADE)`,
    );
    if (why === null)
      expect(await shared.doctor()).toContain('can become the only writer of the table');
    const refused = await shared.refusal();
    await shared.drill.client.query('DROP TABLE child');
    if (why === null) expect(refused).toBeNull();
    else expect(refused).toMatch(why);
  });
});
