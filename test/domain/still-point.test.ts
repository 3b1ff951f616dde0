// Tests the decisions about a still point, for example whether the topics stayed unchanged, and who
// paused a connector. At a still point, the pipeline has processed its whole input, and no new
// records arrive.
import { describe, expect, it } from 'vitest';
import { movedBetween, pausedBy, type Ends } from '../../src/domain/evidence/still-point.js';
import { subjectsOf } from '../../src/domain/plan/planned-subjects.js';
import { resolve } from '../../src/domain/plan/resolve.js';
import { BATCH_PARTS, aRef, aSpec } from '../support/builders.js';

const ends = (high: number, committed = high): Ends =>
  new Map([['t', [{ partition: 0, high, committed }]]]);

describe('topics between two readings of their ends', () => {
  it('did not change if every partition has the same end in both readings', () => {
    expect(movedBetween(ends(5), ends(5))).toBeNull();
    expect(movedBetween(ends(5), ends(6))).toBe('t/0 ended at 5 and then at 6');
    expect(movedBetween(new Map(), ends(6))).toBe('t/0 ended at no offset and then at 6');
  });

  it('may still change if a transaction is open at the end of a partition', () => {
    expect(movedBetween(ends(5), ends(5, 3))).toBe(
      'a transaction is open in t/0 (stable up to offset 3 of 5)',
    );
  });
});

describe('a paused connector', () => {
  const open = { id: '1', isOverdue: false, closedBy: null, closedMs: null };

  it('was paused by a window if the recorded pause is not over', () => {
    expect(pausedBy([open])).toEqual({ kind: 'window' });
  });

  it('was paused by a window that has ended if the recorded pause is overdue', () => {
    expect(pausedBy([{ ...open, isOverdue: true }])).toEqual({ kind: 'ended-window', id: '1' });
  });

  it('was paused by a window that has ended if the guard closed its recorded pause a short time ago', () => {
    const ended = { ...open, closedBy: 'guard' as const, closedMs: 1000 };
    expect(pausedBy([ended])).toEqual({ kind: 'ended-window', id: '1' });
    expect(pausedBy([{ ...ended, closedMs: 600_000 }])).toEqual({ kind: 'person' });
  });

  it('was paused by a person if no window has a pause, or if the window ended its own pause', () => {
    expect(pausedBy([])).toEqual({ kind: 'person' });
    expect(pausedBy([{ ...open, closedBy: 'window', closedMs: 1000 }])).toEqual({ kind: 'person' });
  });
});

describe('results', () => {
  const modeOf = (validation: object, connector: object = {}): unknown =>
    subjectsOf(
      aSpec({
        spec: {
          ...BATCH_PARTS,
          validation,
          connector: { type: 'debezium-postgres', url: 'http://127.0.0.1:8083', ...connector },
        },
      }),
    ).filter(({ subject }) => subject.startsWith('result'));

  it('are compared exactly, in the output and in the sink, unless the spec says settled', () => {
    expect(modeOf({})).toEqual([
      { subject: 'result', mode: 'exact' },
      { subject: 'result@sink', mode: 'exact' },
    ]);
    expect(modeOf({ results: 'settled' })).toMatchObject([{ mode: 'settled' }, {}]);
  });

  it('are compared in settled mode if tables are polled, regardless of the spec', () => {
    const polled = {
      type: 'jdbc-source',
      mode: 'incrementing',
      incrementingColumn: 'id',
      snapshot: undefined,
    };
    expect(modeOf({ results: 'exact' }, polled)).toMatchObject([{ mode: 'settled' }, {}]);
    expect(modeOf({}, polled)).toMatchObject([{ mode: 'settled' }, {}]);
  });

  it('get a note in the plan if exact windows may pause the connector after the commit', () => {
    const notesOf = (validation: object): string[] =>
      resolve(aRef({ spec: { ...BATCH_PARTS, validation } })).notes.filter((note) =>
        note.startsWith('stillPoint.inSoak'),
      );
    expect(notesOf({ stillPoint: { inSoak: true, maxPause: '5s' } })).toMatchObject([
      expect.stringContaining('at most 5s each time'),
    ]);
    expect(notesOf({ stillPoint: { inSoak: true }, results: 'settled' })).toEqual([]);
    expect(notesOf({})).toEqual([]);
  });
});
