// Tests the table of differences that `sluice diff` and `sluice compare` print.
import { describe, expect, it } from 'vitest';
import { differenceTable } from '../../src/cli/diff.js';

const STREAM = `partition 1, offset 71: ${'no change event with a readable key: '.repeat(2)}zero byte`;
const difference = { key: { id: '199' }, batch: null, stream: STREAM } as const;

describe('the table of differences', () => {
  it('shows why a record could not be read, however long the reason is', () => {
    const shown = differenceTable([{ ...difference, class: 'undecodable', column: null }]);
    expect(shown).toContain(STREAM);
  });

  it('cuts a long value of a difference whose record could be read', () => {
    const shown = differenceTable([{ ...difference, class: 'mismatched', column: 'note' }]);
    expect(shown).toContain(`${STREAM.slice(0, 57)}…`);
  });
});
