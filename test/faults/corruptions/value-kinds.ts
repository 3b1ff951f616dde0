// Lists changes of one or two rows that the stream does not see. After each change, a value or a
// row of the table differs from the topic in a different way.
import { STRANGE, rowsAgain } from './ledger-table.js';
import type { CountsWanted, Kind } from './kinds.js';

const VALUES: readonly (readonly [what: string, sql: string, counts?: CountsWanted])[] = [
  ['an amount that is a cent higher', 'UPDATE ledger SET amount = amount + 0.01 WHERE id = $'],
  ['an amount with the opposite sign', 'UPDATE ledger SET amount = -amount WHERE id = $'],
  [
    'an amount that differs in its twentieth decimal place',
    'UPDATE ledger SET amount = amount + 1e-20 WHERE id = $',
  ],
  ['an amount ten times as large', 'UPDATE ledger SET amount = amount * 10 WHERE id = $'],
  [
    'a double that differs in its last bit',
    'UPDATE ledger SET rate = rate + rate * 2e-16 WHERE id = $',
  ],
  ['a double that is not a number', `UPDATE ledger SET rate = 'NaN' WHERE id = $`],
  ['an inverted boolean', 'UPDATE ledger SET open = NOT open WHERE id = $'],
  [
    'a time that is a microsecond later',
    `UPDATE ledger SET booked = booked + interval '1 us' WHERE id = $`,
  ],
  [
    'a time that is seven hours later',
    `UPDATE ledger SET booked = booked + interval '7 h' WHERE id = $`,
  ],
  ['a date that is a day earlier', 'UPDATE ledger SET day = day - 1 WHERE id = $'],
  [
    'NULL instead of a text, or a text instead of NULL',
    `UPDATE ledger SET note = CASE WHEN note IS NULL THEN '' END WHERE id = $`,
  ],
  ['the word NULL as a text', `UPDATE ledger SET note = 'NULL' WHERE id = $`],
  ['a text with a space at its end', `UPDATE ledger SET account = account || ' ' WHERE id = $`],
  ['a text in upper case', 'UPDATE ledger SET account = upper(account) WHERE id = $'],
  [
    'a text with an accented letter added',
    `UPDATE ledger SET account = account || E'e\\u0301' WHERE id = $`,
  ],
  [
    'a document with a different number',
    `UPDATE ledger SET doc = jsonb_set(doc, '{n}', '-1') WHERE id = $`,
  ],
  ['a document without its NULL member', `UPDATE ledger SET doc = doc - 'z' WHERE id = $`],
  [
    'bytes of which one is different',
    `UPDATE ledger SET raw = set_byte(raw, 3, (get_byte(raw, 3) + 1) % 256) WHERE id = $`,
  ],
  ['a list in a different order', 'UPDATE ledger SET tags = ARRAY[tags[2], tags[1]] WHERE id = $'],
  ['a list with a NULL added', `UPDATE ledger SET tags = tags || NULL::text WHERE id = $`],
  [
    'a uuid with a different first digit',
    `UPDATE ledger SET ref = overlay(ref::text placing CASE left(ref::text, 1) WHEN 'a' THEN 'b' ELSE 'a' END from 1)::uuid WHERE id = $`,
  ],
  ['a deleted row', 'DELETE FROM ledger WHERE id = $', { extraneous: 1 }],
  ['a new row', `INSERT INTO ledger SELECT (a_row(${STRANGE} + $)).*`, { missing: 1 }],
  [
    'a row under a different key',
    `UPDATE ledger SET id = ${STRANGE} + id WHERE id = $`,
    { missing: 1, extraneous: 1 },
  ],
  [
    'the amounts of two rows exchanged',
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
