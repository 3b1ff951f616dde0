// Tests the classes of differences: a wrong type, an older version, a repeated record. None of them
// counts as a match.
import { describe, expect, it } from 'vitest';
import { Comparison, joinRow, type Shape } from '../../src/compare/row-comparison.js';
import { HashFold } from '../../src/compare/hash-fold.js';
import { KeyHistory, explainByHistory } from '../../src/compare/key-history.js';
import { OutputFold } from '../../src/compare/output-fold.js';
import { SettledComparison } from '../../src/compare/settled.js';
import { parseSnapshot } from '../../src/domain/values/position.js';
import type { Difference } from '../../src/domain/evidence/window.js';
import { feed } from '../support/rows.js';

const SHAPE: Shape = {
  key: ['id'],
  columns: [
    { name: 'id', type: 'int4' },
    { name: 'total', type: 'numeric' },
    { name: 'ok', type: 'bool' },
  ],
};

function compareWith(value: object) {
  const fold = new OutputFold(SHAPE);
  fold.add(Buffer.from('{"id":1}'), Buffer.from(JSON.stringify(value)));
  const comparison = new Comparison(SHAPE, fold.rows, 1);
  comparison.add(joinRow(['1']), joinRow(['1', '2.5', 't']));
  return comparison.finish();
}

describe('a value of a wrong type', () => {
  it.each([
    [
      'a boolean as text',
      { id: 1, total: '2.5', ok: 'true' },
      'ok',
      't',
      'expected a boolean: "true"',
    ],
    [
      'an object for a number',
      { id: 1, total: { value: 2.5 }, ok: true },
      'total',
      '2.5',
      'expected a decimal as a string: {"value":2.5}',
    ],
  ])(
    'is reported as a difference, with its column and value: %s',
    (_what, value, column, batch, stream) => {
      const { counts, differences } = compareWith(value);
      expect(counts).toMatchObject({ mismatched: 1, matched: 0, unknown: 0 });
      expect(differences).toEqual([{ class: 'type', key: { id: '1' }, column, batch, stream }]);
    },
  );

  it('counts as a difference, but an absent field and a rounded double count only as unknown', () => {
    expect(compareWith({ id: 1, total: '2.5' })).toMatchObject({
      counts: { unknown: 1 },
      differences: [{ class: 'undecodable', column: 'ok' }],
    });
    expect(compareWith({ id: 1, total: 0.1234567890123456, ok: true })).toMatchObject({
      counts: { unknown: 1 },
      differences: [
        {
          class: 'undecodable',
          column: 'total',
          batch: '2.5',
          stream: expect.stringContaining('may have rounded') as string,
        },
      ],
    });
  });
});

describe('an older version of a row', () => {
  const settledWith = (rewritten: boolean): Difference[] => {
    const key = joinRow(['1']);
    const fold = new OutputFold(SHAPE);
    const write = (total: string): void =>
      void fold.add(
        Buffer.from('{"id":1}'),
        Buffer.from(JSON.stringify({ id: 1, total, ok: true })),
      );
    const round = (comparison: SettledComparison, total: string): void =>
      comparison.add({
        expected: new Map([[key, joinRow(['1', total, 't'])]]),
        actual: fold.rows,
        touched: new Set(),
      });
    write('1');
    const first = new SettledComparison(SHAPE);
    round(first, '1');
    round(first, '1');
    expect(first.counts()).toMatchObject({ matched: 1 });
    if (rewritten) write('1');
    const second = new SettledComparison(SHAPE);
    round(second, '2');
    round(second, '2');
    expect(second.counts()).toMatchObject({ mismatched: 1 });
    return second.report();
  };

  it('has class stale in a result if its record was proven, and mismatched if it was written again', () => {
    expect(settledWith(false)).toMatchObject([
      { class: 'stale', column: 'total', batch: '2', stream: '1' },
    ]);
    expect(settledWith(true)).toMatchObject([{ class: 'mismatched', column: 'total' }]);
  });

  it('is recognized in a table if its key was proven and the topic has not changed the key since', () => {
    const fold = new HashFold(SHAPE, 10);
    expect(fold.wasProven('0,1')).toBe(false);
    fold.proven(parseSnapshot('10:10:'));
    expect(fold.wasProven('0,1')).toBe(true);
    fold.proven(null); // a later window failed, but earlier proofs stay valid
    // a range scan calls this before it compares rows; the call itself proves nothing
    fold.rememberFrom(parseSnapshot('11:11:'));
    expect(fold.wasProven('0,1')).toBe(true);
    const record = Buffer.from(
      '{"before":null,"after":{"id":1,"total":"2","ok":true},"source":{"txId":3},"op":"u"}',
    );
    feed(fold, '{"id":1}', record, parseSnapshot('10:10:'));
    expect(fold.wasProven('0,1')).toBe(false);
  });

  it('is stale if the last record is older than an earlier one; a repeated position adds a duplicate', () => {
    const mismatch: Difference = {
      class: 'mismatched',
      key: { id: '1' },
      column: 'total',
      batch: '3',
      stream: '2',
    };
    const explained = (...lsns: number[]): string[] => {
      const history = new KeyHistory();
      for (const lsn of lsns) history.add({ lsn, txId: 7 }, false);
      return explainByHistory(
        SHAPE,
        [mismatch, { ...mismatch, column: 'ok' }],
        new Map([[joinRow(['1']), history]]),
      ).map((d) => d.class);
    };
    expect(explained(1, 2)).toEqual(['mismatched', 'mismatched']);
    expect(explained(2, 1)).toEqual(['stale', 'stale']);
    expect(explained(2, 1, 3)).toEqual(['mismatched', 'mismatched']);
    expect(explained(1, 2, 2)).toEqual(['mismatched', 'duplicate', 'mismatched']);
  });
});
