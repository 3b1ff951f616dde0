// 50 seeded corruptions through the whole stack, each behind the stream's back, and a clean window
// after each: real Postgres, Debezium, Kafka, worker.
import { describe, expect, it } from 'vitest';
import { sleepUntil } from '../support/builders.js';
import { live } from '../support/live.js';
import { get, sluice, specFile, waitFor } from '../support/sluice.js';

const { aDatabase } = live();
const ROWS = 1000;
/** All by default; fewer for a first look. */
const ROUNDS = Number(process.env['SLUICE_CORRUPTIONS'] ?? 50);

const SETUP = `CREATE TABLE ledger (id int PRIMARY KEY, account text NOT NULL, amount numeric NOT NULL, rate float8 NOT NULL, open bool NOT NULL,
  booked timestamptz NOT NULL, day date NOT NULL, note text, doc jsonb NOT NULL, raw bytea NOT NULL, tags text[] NOT NULL, ref uuid NOT NULL);
CREATE FUNCTION a_row(g int) RETURNS ledger LANGUAGE sql AS $$ SELECT g, 'Acc ' || g % 40, g * 1.10, g / 7.0, g % 2 = 0, timestamptz '2026-03-29 00:00Z' + g * interval '17.000003 min',
  date '2026-02-20' + g % 20, CASE g % 3 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'né ' || g END, jsonb_build_object('n', g, 'z', NULL), decode(md5(g::text), 'hex'), ARRAY['x', g::text], md5(g::text)::uuid $$;
INSERT INTO ledger SELECT (a_row(g)).* FROM generate_series(1, ${ROWS}) g;`;

/**
 * Each changes the rows of `id = $` in a way of its own; the number is how many keys then differ.
 */
const CORRUPTIONS: readonly (readonly [what: string, sql: string, keys?: number])[] = [
  ['a cent', 'UPDATE ledger SET amount = amount + 0.01 WHERE id = $'],
  ['the sign', 'UPDATE ledger SET amount = -amount WHERE id = $'],
  ['the twentieth digit', 'UPDATE ledger SET amount = amount + 1e-20 WHERE id = $'],
  ['a factor of ten', 'UPDATE ledger SET amount = amount * 10 WHERE id = $'],
  ['the last bit of a double', 'UPDATE ledger SET rate = rate + rate * 2e-16 WHERE id = $'],
  ['a double that is none', `UPDATE ledger SET rate = 'NaN' WHERE id = $`],
  ['a boolean', 'UPDATE ledger SET open = NOT open WHERE id = $'],
  ['a microsecond', `UPDATE ledger SET booked = booked + interval '1 us' WHERE id = $`],
  ['a time zone', `UPDATE ledger SET booked = booked + interval '7 h' WHERE id = $`],
  ['a day', 'UPDATE ledger SET day = day - 1 WHERE id = $'],
  ['NULL for a text', `UPDATE ledger SET note = CASE WHEN note IS NULL THEN '' END WHERE id = $`],
  ['the word NULL', `UPDATE ledger SET note = 'NULL' WHERE id = $`],
  ['a space at the end', `UPDATE ledger SET account = account || ' ' WHERE id = $`],
  ['the case', 'UPDATE ledger SET account = upper(account) WHERE id = $'],
  [
    'another form of the same letter',
    `UPDATE ledger SET account = account || E'e\\u0301' WHERE id = $`,
  ],
  ['a number in a document', `UPDATE ledger SET doc = jsonb_set(doc, '{n}', '-1') WHERE id = $`],
  ['a member of a document that is NULL', `UPDATE ledger SET doc = doc - 'z' WHERE id = $`],
  ['a byte', `UPDATE ledger SET raw = set_byte(raw, 3, (get_byte(raw, 3) + 1) % 256) WHERE id = $`],
  ['the order of a list', 'UPDATE ledger SET tags = ARRAY[tags[2], tags[1]] WHERE id = $'],
  ['an element that is NULL', `UPDATE ledger SET tags = tags || NULL::text WHERE id = $`],
  [
    'one digit of a uuid',
    `UPDATE ledger SET ref = overlay(ref::text placing CASE left(ref::text, 1) WHEN 'a' THEN 'b' ELSE 'a' END from 1)::uuid WHERE id = $`,
  ],
  ['a deleted row', 'DELETE FROM ledger WHERE id = $'],
  ['a new row', 'INSERT INTO ledger SELECT (a_row(100000 + $)).*'],
  ['another key', 'UPDATE ledger SET id = 100000 + id WHERE id = $', 2],
  [
    'two rows exchanged',
    'UPDATE ledger a SET amount = b.amount FROM ledger b WHERE a.id IN ($, $ + 1) AND b.id = 2 * $ + 1 - a.id',
    2,
  ],
];

const KEPT = 500; // rows up to here are written by the application all the while; corruptions lie behind

describe('corruptions behind the back of a real stream', () => {
  it(
    'are all flagged, exactly, and no clean window is, while the application writes',
    { timeout: 1_800_000 },
    async () => {
      const { name, client } = await aDatabase(SETUP);
      const spec = specFile('corrupted', name, ['public.ledger'], {
        validation: { every: '1s', passesInARow: 1000 },
      });
      expect(sluice('start', '-f', spec).code).toBe(0);
      waitFor('corrupted', 'phase=validate');
      const hidden = (sql: string) =>
        client.query(
          `BEGIN; ALTER PUBLICATION sluice_corrupted DROP TABLE ledger; COMMIT; ${sql}; ALTER PUBLICATION sluice_corrupted ADD TABLE ledger`,
        );
      const latest = () => get('corrupted').windows.at(-1);
      const aWindowAfter = async (number: number, verdict: string, what: string) => {
        await sleepUntil(
          `${what}: a ${verdict} window after ${number}`,
          () => (latest()?.number ?? 0) > number && latest()!.verdict === verdict,
          60_000,
        );
        return latest()!;
      };
      const flagged: string[] = [];
      const clean: number[] = [];
      await aWindowAfter(0, 'passed', 'start');
      for (let round = 0; round < ROUNDS; round += 1) {
        const [what, sql, keys = 1] = CORRUPTIONS[round % CORRUPTIONS.length]!;
        const id = KEPT + 2 + ((round * 37) % (ROWS - KEPT - 4));
        const restore = `DELETE FROM ledger WHERE id > ${KEPT}; INSERT INTO ledger SELECT (a_row(g)).* FROM generate_series(${KEPT + 1}, ${ROWS}) g`;
        await hidden(sql.replaceAll('$', String(id)));
        const bad = await aWindowAfter(latest()!.number, 'failed', what);
        const differing = bad.missing! + bad.extraneous! + bad.mismatched!;
        if (differing === keys && bad.unknown === 0) flagged.push(what);
        else
          expect
            .soft({ what, differing, unknown: bad.unknown })
            .toEqual({ what, differing: keys, unknown: 0 });
        await hidden(restore);
        await client.query(
          `UPDATE ledger SET amount = amount + 1, note = 'seen ${round}' WHERE id <= ${KEPT} AND id % 7 = ${round % 7}`,
        );
        const restored = latest()!.number;
        const good = await aWindowAfter(restored, 'passed', `${what}, restored`);
        // The window that was running while the rows were restored may still have seen the old
        // ones; any later one may not.
        const wrong = get('corrupted').windows.filter(
          (w) => w.number > restored + 1 && w.number <= good.number && w.verdict !== 'passed',
        );
        expect.soft(wrong, what).toEqual([]);
        expect(good).toMatchObject({ compared: ROWS, matched: ROWS });
        clean.push(good.number);
      }
      expect([flagged.length, new Set(clean).size]).toEqual([ROUNDS, ROUNDS]);
      expect(sluice('cancel', 'corrupted', '--yes').code).toBe(0);
      waitFor('corrupted', 'outcome=aborted');
    },
  );
});
