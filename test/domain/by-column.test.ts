// Tests the summary of differences by column, which says what the differing rows have in common.
import { describe, expect, it } from 'vitest';
import { byColumn } from '../../src/domain/evidence/by-column.js';
import type { Difference } from '../../src/domain/evidence/window.js';

const differ = (
  column: string,
  batch: string | null,
  stream: string | null,
  kind: Difference['class'] = 'mismatched',
): Difference => ({
  class: kind,
  key: { id: `${batch}` },
  column,
  batch,
  stream,
});

describe('differences by column', () => {
  it.each([
    [
      'a wrong time zone',
      [
        ['2026-01-01 00:00:00', '2026-01-01 07:00:00'],
        ['2026-02-28 20:30:00.5', '2026-03-01 03:30:00.5'],
      ],
      'stream = batch + 7 h',
    ],
    [
      'a day too early',
      [
        ['2026-03-01', '2026-02-28'],
        ['2024-03-01', '2024-02-29'],
      ],
      'stream = batch − 1 d',
    ],
    [
      'no rule if a cent is missing in rows of different scales',
      [
        ['10.00', '9.99'],
        ['-0.005', '-0.015'],
      ],
      null,
    ],
    [
      'a cent too little in rows of one scale',
      [
        ['10.00', '9.99'],
        ['0.00', '-0.01'],
      ],
      'stream = batch − 0.01',
    ],
    [
      'numbers beyond a double',
      [
        ['9007199254740993', '9007199254740994'],
        ['1', '2'],
      ],
      'stream = batch + 1',
    ],
    [
      'lost values',
      [
        ['a', null],
        ['b', null],
      ],
      'stream is NULL',
    ],
    [
      'unexpected values',
      [
        [null, 'a'],
        [null, 'b'],
      ],
      'batch is NULL',
    ],
    [
      'upper case and lower case, or spaces at the end',
      [
        ['Paid', 'PAID '],
        ['x', 'X'],
      ],
      'equal except for case or spaces at the ends',
    ],
    [
      'no rule if numbers differ by different amounts',
      [
        ['1', '2'],
        ['1', '3'],
      ],
      null,
    ],
    [
      'no rule for different texts',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
      null,
    ],
  ] as const)('say what all differing rows have in common: %s', (_what, pairs, always) => {
    expect(byColumn(pairs.map(([batch, stream]) => differ('c', batch, stream)))).toEqual([
      { column: 'c', rows: 2, always },
    ]);
  });

  it('list the most frequent column first, derive a rule only from several rows, and omit undecodable rows', () => {
    const list = [
      differ('a', '1', '2'),
      differ('b', '1', '2'),
      differ('b', '2', '3'),
      differ('b', null, 'x', 'undecodable'),
    ];
    expect(byColumn(list)).toEqual([
      { column: 'b', rows: 2, always: 'stream = batch + 1' },
      { column: 'a', rows: 1, always: null },
    ]);
  });
});
