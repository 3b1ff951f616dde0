// Defines the variants of the validation benchmark. The variant `clean` changes nothing. The others
// change the table, and the last one also appends records to the topic. Each says how many rows
// really differ afterwards.
import type pg from 'pg';
import { append, envelope } from './data.js';

export interface Variant {
  readonly name: string;
  /** Makes the change, and returns how many keys differ afterwards. */
  readonly apply: (client: pg.Client, rows: number) => Promise<number>;
  /** Restores the table. The last variant has no `undo`, because nothing runs after it. */
  readonly undo?: (client: pg.Client) => Promise<void>;
}

async function updated(client: pg.Client, set: string, where: string): Promise<number> {
  return (await client.query(`UPDATE wide SET ${set} WHERE ${where}`)).rowCount!;
}

/** Restores the rows for which the condition `where` (over `id`) is true. */
const restore =
  (where: string) =>
  async (client: pg.Client): Promise<void> => {
    await client.query(
      `DELETE FROM wide WHERE ${where}; INSERT INTO wide SELECT * FROM base WHERE ${where}`,
    );
    await client.query('VACUUM ANALYZE wide');
  };

/** Makes one kind of change on every thousandth row. */
const scattered = (name: string, remainder: number, set: string, differs = true): Variant => ({
  name,
  apply: async (client) => {
    const rows = await updated(client, set, `id % 1000 = ${remainder}`);
    return differs ? rows : 0;
  },
  undo: restore(`id % 1000 = ${remainder}`),
});

const SHIFT = (hours: number): string => `ordered_at = ordered_at + interval '${hours} h'`;

export const VARIANTS: readonly Variant[] = [
  { name: 'clean', apply: () => Promise.resolve(0), undo: () => Promise.resolve() },
  {
    name: '1,100 scattered',
    apply: async (client, rows) => {
      const step = Math.floor(rows / 1000);
      await updated(
        client,
        'customer_id = customer_id + 1',
        `id % ${step} = 3 AND id <= ${step * 1000}`,
      );
      await client.query(
        `DELETE FROM wide WHERE id IN (SELECT id FROM wide WHERE id % ${Math.floor(rows / 50)} = 17 ORDER BY id LIMIT 50)`,
      );
      await client.query(
        `INSERT INTO wide SELECT id + 100000000, customer_id, status, city, note, code, price, rate, ok, ordered_at, ref, doc FROM base ORDER BY id LIMIT 50`,
      );
      return 1100;
    },
    undo: async (client) => {
      await client.query('DELETE FROM wide WHERE id > 100000000');
      await client.query(
        'DELETE FROM wide w USING base b WHERE w.id = b.id AND w.customer_id <> b.customer_id',
      );
      await client.query(
        'INSERT INTO wide SELECT * FROM base b WHERE NOT EXISTS (SELECT FROM wide w WHERE w.id = b.id)',
      );
      await client.query('VACUUM ANALYZE wide');
    },
  },
  {
    name: 'a cluster of 10,000',
    apply: (client, rows) =>
      updated(
        client,
        `status = 'lost'`,
        `id BETWEEN ${Math.floor(rows / 2)} AND ${Math.floor(rows / 2) + 9999}`,
      ),
    undo: async (client) => {
      await client.query(
        `UPDATE wide w SET status = b.status FROM base b WHERE w.id = b.id AND w.status = 'lost'`,
      );
      await client.query('VACUUM ANALYZE wide');
    },
  },
  {
    name: 'one column 7 h off, all rows',
    apply: (client) => updated(client, SHIFT(7), 'true'),
    undo: async (client) => {
      await updated(client, SHIFT(-7), 'true');
      await client.query('VACUUM FULL ANALYZE wide');
    },
  },
  {
    name: `'', 'NULL', '<null>' for NULL`,
    apply: (client) => updated(client, 'note = NULL', 'id % 1000 IN (7, 8, 9)'),
    undo: restore('id % 1000 IN (7, 8, 9)'),
  },
  scattered('a separator moved to the next column', 10, `status = 'a', city = 'b|c'`),
  scattered('a space at the end', 11, `status = status || ' '`),
  scattered('10⁻¹³ in a numeric', 12, 'price = price + 0.0000000000001'),
  scattered('10⁻¹² in a double', 13, 'rate = rate + rate * 1e-12'),
  scattered(
    'the same number spelled otherwise: 1.10 for 1.1',
    14,
    'price = trim_scale(price)',
    false,
  ),
  scattered('the same number spelled otherwise: −0 for 0', 5, `rate = '-0'`, false),
  {
    name: 'one event dropped, one twice, two swapped, a delete lost',
    apply: async (client) => {
      const images = async (
        id: number,
        ...prices: string[]
      ): Promise<{ id: number; value: string }[]> => {
        const made: { id: number; value: string }[] = [];
        for (const price of prices) {
          await client.query(`UPDATE wide SET price = ${price} WHERE id = ${id}`);
          made.push({
            id,
            value: (
              await client.query<{ v: string }>(
                `SELECT ${envelope('u')} AS v FROM wide WHERE id = ${id}`,
              )
            ).rows[0]!.v,
          });
        }
        return made;
      };
      await images(111, '1'); // its event is dropped
      const twice = await images(112, '2');
      const [first, second] = await images(113, '3', '4');
      await client.query('DELETE FROM wide WHERE id = 114');
      await append([...twice, ...twice, second!, first!]);
      return 3;
    },
  },
];
