// Tests the comparison of a result by hashes. It must have the same counts as a comparison of whole
// rows.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Shape } from '../../src/compare/row-comparison.js';
import { TooManySuspects, examine } from '../../src/compare/examine-suspects.js';
import { HashedRows } from '../../src/compare/hashed-rows.js';
import { OutputHashes } from '../../src/compare/output-hashes.js';
import { ResultComparison } from '../../src/compare/result-comparison.js';
import { runResultCanary } from '../../src/compare/result-canary.js';
import { compareHashed, compareWhole, type OutputRecord } from '../support/hashed-result.js';
import { cases } from '../support/result-cases.js';
import { binaryRow, type Value } from '../support/rows.js';

const outcome = <T>(run: () => T): T | string => {
  try {
    return run();
  } catch (error) {
    return (error as Error).message;
  }
};

describe('a result compared by hashes', () => {
  it('has the same counts, differences and refusals as a comparison of whole rows', () => {
    fc.assert(
      fc.property(cases, ({ shape, rows, records }) => {
        const hashed = outcome(() => compareHashed(shape, rows, records));
        const whole = outcome(() => compareWhole(shape, rows, records));
        if (typeof hashed === 'string' || typeof whole === 'string') expect(hashed).toBe(whole);
        else if (whole.duplicates > 0) expect(hashed.duplicates).toBe(whole.duplicates);
        else expect(hashed).toEqual(whole);
      }),
      { numRuns: 150 },
    );
  });

  it('has exact counts even if there are more suspects than the limits allow, and shows a sample', () => {
    const shape: Shape = {
      key: ['id'],
      columns: [
        { name: 'id', type: 'int4' },
        { name: 'v', type: 'text' },
      ],
    };
    const row = (id: number, v: string): Value[] => [id, v];
    const rows = Array.from({ length: 400 }, (_, id) => row(id, 'x'.repeat(2000)));
    const records = rows.slice(100).map(([id], at) => ({
      partition: 0,
      key: `{"id":${Number(id)}}`,
      value: `{"id":${Number(id)},"v":"${at < 200 ? 'y' : 'x'.repeat(2000)}"}`,
    }));
    const extra = Array.from({ length: 50 }, (_, at) => ({
      partition: 0,
      key: `{"id":${9000 + at}}`,
      value: '{"v":"z"}',
    }));
    const all = [...records, ...extra];
    const whole = compareWhole(shape, rows, all);
    for (const limits of [
      { suspects: 30, bytes: 32 << 20, onlyStream: 30 },
      { suspects: 5000, bytes: 1, onlyStream: 0 },
      { suspects: 5000, bytes: 9000, onlyStream: 5000 },
    ]) {
      const { counts, differences } = compareHashed(shape, rows, all, limits);
      expect(counts).toEqual(whole.counts);
      expect(differences.length).toBeGreaterThan(0);
      expect(whole.differences).toEqual(expect.arrayContaining([...differences]));
    }
  });

  it('has a canary that finds every planted difference, even if the key of one row is NULL', () => {
    const shape: Shape = { key: ['id'], columns: [{ name: 'id', type: 'int4' }] };
    const rows = [1, 2, null, 4, 5].map((id) => binaryRow(['int4'], [id]));
    const { planted, found } = runResultCanary(shape, rows);
    expect([planted, found]).toEqual([found, planted]);
    expect(planted).toBeGreaterThan(1);
  });
});

describe('a result with a tolerance', () => {
  const shape: Shape = {
    key: ['id'],
    columns: [
      { name: 'id', type: 'int4' },
      { name: 'v', type: 'numeric', toleranceAbs: '0.01' },
    ],
  };
  const rows = Array.from({ length: 300 }, (_, id): Value[] => [id, `${id}.00`]);
  const record = (id: number, v: string): OutputRecord => ({
    partition: 0,
    key: `{"id":${id}}`,
    value: `{"id":${id},"v":"${v}"}`,
  });
  const near = rows.map((_, id) => record(id, id % 3 === 0 ? `${id}.01` : `${id}.00`));

  it('counts rows within the tolerance as equal, and all others as different', () => {
    const far = [...near.slice(0, 290), record(299, '300')];
    const { counts } = compareHashed(shape, rows, far);
    expect(counts).toEqual(compareWhole(shape, rows, far).counts);
    expect(counts).toMatchObject({ matched: 290, missing: 9, mismatched: 1 });
  });

  it('causes TooManySuspects, so that whole rows are compared, if the suspects exceed the limit', () => {
    const limits = { suspects: 50, bytes: 32 << 20, onlyStream: 50 };
    expect(() => compareHashed(shape, rows, near, limits)).toThrow(TooManySuspects);
    const lost = near.slice(0, 10);
    const { counts } = compareHashed(shape, rows, lost, { ...limits, suspects: 200 });
    expect(counts).toEqual(compareWhole(shape, rows, lost).counts);
  });

  it('reports a different row as stale if an earlier window proved its record equal within tolerance', () => {
    const fold = new OutputHashes(shape);
    fold.readFrom(0, 0);
    fold.add(Buffer.from('{"id":1}'), Buffer.from('{"id":1,"v":"1.01"}'), 0);
    const window = (v: string): readonly string[] => {
      const comparison = new ResultComparison(fold.table);
      const hashed = new HashedRows(shape, comparison.judge.bind(comparison));
      hashed.add(binaryRow(['int4', 'numeric'], [1, v]), 0);
      hashed.flush();
      const { found, suspects } = comparison.finish();
      const raw = new Map([[suspects[0]!.key, { key: ['1'], values: ['1', '1.01'] }]]);
      const prove = comparison.prove.bind(comparison);
      return examine(shape, found, suspects, raw, prove).differences.map((d) => d.class);
    };
    expect(window('2.00')).toEqual(['mismatched']);
    expect(window('1.00')).toEqual([]);
    expect(window('2.00')).toEqual(['stale']);
  });
});
