// Tests which columns a window compares, and to which of them a tolerance applies.
import { describe, expect, it } from 'vitest';
import { columnsToCompare } from '../../src/activities/windows/columns-to-compare.js';
import type { Column } from '../../src/clients/postgres/catalog.js';
import { compareRows, joinRow } from '../../src/compare/row-comparison.js';
import { aSpec } from '../support/builders.js';

const TYPES = { id: 'int4', amount: 'numeric', code: 'text', flags: 'bit', seen: 'timestamptz' };
const COLUMNS = Object.entries(TYPES).map(([name, type]) => ({ name, type })) as Column[];

const compared = (compare: object, subject = 'public.accounts') =>
  columnsToCompare(aSpec({ spec: { validation: { compare } } }), COLUMNS, ['id'], subject);

const tolerant = (names: readonly string[], subject?: string): string[] =>
  compared({ tolerances: Object.fromEntries(names.map((name) => [name, { abs: '10' }])) }, subject)
    .filter(({ toleranceAbs }) => toleranceAbs !== undefined)
    .map(({ name }) => name);

describe('a tolerance', () => {
  it('applies only to numbers that are not part of the key', () => {
    expect(tolerant(Object.keys(TYPES))).toEqual(['amount']);
  });

  it('does not make different texts equal, even if both consist of digits', () => {
    const tolerances = { code: { abs: '0' } };
    const shape = { key: ['id'], columns: compared({ tolerances, ignore: ['amount', 'seen'] }) };
    const row = (code: string): string => joinRow(['1', code, '101']);
    const outcome = compareRows(shape, joinRow(['1']), row('007'), row('7'), () => undefined);
    expect(outcome).toBe('mismatched');
  });

  it('applies to only one subject if it is named `subject.column`', () => {
    expect(tolerant(['result.amount'], 'result')).toEqual(['amount']);
    expect(tolerant(['result.amount'])).toEqual([]);
    expect(tolerant(['public.accounts.amount'])).toEqual(['amount']);
  });
});

describe('an ignored column', () => {
  it('is left out of every subject, or of one if named `subject.column`; a key column is never left out', () => {
    const names = (ignore: string[], subject?: string): string[] =>
      compared({ ignore }, subject).map(({ name }) => name);
    expect(names(['id', 'code', 'flags'])).toEqual(['id', 'amount', 'seen']);
    expect(names(['result.code'], 'result')).toEqual(['id', 'amount', 'flags', 'seen']);
    expect(names(['result.code'])).toContain('code');
  });
});
