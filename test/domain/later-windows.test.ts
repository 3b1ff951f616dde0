// Tests `validation.laterWindows: witness`. With it, later windows find changed rows through a
// witness, which is a temporary replication slot. A spec is refused if its other fields make a
// witness impossible.
import { describe, expect, it } from 'vitest';
import { buildPlan } from '../../src/manifest/build-plan.js';
import { formatProblem, parseSpecObject } from '../../src/manifest/parse.js';
import { aSpecInput } from '../support/builders.js';

const parsed = (laterWindows: string, spec: object = {}, validation: object = {}) =>
  parseSpecObject(aSpecInput({ spec: { ...spec, validation: { laterWindows, ...validation } } }));

const problems = (...args: Parameters<typeof parsed>): string => {
  const result = parsed(...args);
  return result.ok ? '' : result.problems.map(formatProblem).join('\n');
};

describe('validation.laterWindows', () => {
  it('adds a note to the plan only if its value is `witness`', () => {
    const notes = (laterWindows: string): string => {
      const result = parsed(laterWindows);
      return result.ok ? JSON.stringify(buildPlan(result.spec)) : '';
    };
    expect(notes('witness')).toContain('the worker keeps a temporary replication slot of its own');
    expect(notes('scan')).not.toContain('temporary replication slot');
  });

  it('must have a known value, which is not `witness` if tables are polled or Flink compares them', () => {
    const polled = {
      type: 'jdbc-source',
      mode: 'incrementing',
      incrementingColumn: 'id',
      deletes: 'none',
      url: 'http://127.0.0.1:8083',
    };
    expect(problems('witness', { connector: polled })).toMatch(
      /laterWindows.*these tables are polled/,
    );
    const flink = { engine: 'flink', gateway: 'http://127.0.0.1:8084' };
    expect(problems('witness', {}, flink)).toMatch(/reads every row in every window/);
    expect(problems('scan', {}, flink)).toBe('');
    expect(problems('slot')).toMatch(/laterWindows/);
  });
});
