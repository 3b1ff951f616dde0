// One row is changed without the stream seeing it, in every way in which a value can be wrong.
import { STRANGE, rowsAgain } from './ledger-table.js';
import type { CountsWanted, Kind } from './kinds.js';

const VALUES: readonly (readonly [what: string, sql: string, counts?: CountsWanted])[] = [
  ['a cent', 'UPDATE ledger SET amount = amount + 0.01 WHERE id = $'],
  ['the sign', 'UPDATE ledger SET amount = -amount WHERE id = $'],
  ['the twentieth digit', 'UPDATE ledger SET amount = amount + 1e-20 WHERE id = $'],
  ['a factor of ten', 'UPDATE ledger SET amount = amount * 10 WHERE id = $'],
  ['the last bit of a double', 'UPDATE ledger SET rate = rate + rate * 2e-16 WHERE id = $'],
  ['a double that is not a number', `UPDATE ledger SET rate = 'NaN' WHERE id = $`],
  ['a boolean', 'UPDATE ledger SET open = NOT open WHERE id = $'],
  ['a microsecond', `UPDATE ledger SET booked = booked + interval '1 us' WHERE id = $`],
  ['a time zone', `UPDATE ledger SET booked = booked + interval '7 h' WHERE id = $`],
  ['a day', 'UPDATE ledger SET day = day - 1 WHERE id = $'],
  [
    'NULL instead of a text',
    `UPDATE ledger SET note = CASE WHEN note IS NULL THEN '' END WHERE id = $`,
  ],
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
  ['a deleted row', 'DELETE FROM ledger WHERE id = $', { extraneous: 1 }],
  ['a new row', `INSERT INTO ledger SELECT (a_row(${STRANGE} + $)).*`, { missing: 1 }],
  [
    'another key',
    `UPDATE ledger SET id = ${STRANGE} + id WHERE id = $`,
    { missing: 1, extraneous: 1 },
  ],
  [
    'two rows exchanged',
    'UPDATE ledger a SET amount = b.amount FROM ledger b WHERE a.id IN ($, $ + 1) AND b.id = 2 * $ + 1 - a.id',
    { mismatched: 2 },
  ],
];

export const VALUE_KINDS: readonly Kind[] = VALUES.map(([what, sql, counts]) => ({
  what,
  corrupt: async ({ hidden }, id) => {
    await hidden(sql.replaceAll('$', String(id)));
    return {
      wanted: { counts: counts ?? { mismatched: 1 } },
      undo: () =>
        hidden(
          `DELETE FROM ledger WHERE id IN (${id}, ${id} + 1, ${STRANGE} + ${id}); ${rowsAgain(id, id + 1)}`,
        ),
    };
  },
}));
