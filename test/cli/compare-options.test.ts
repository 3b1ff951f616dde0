// Tests that `sluice compare` refuses a wrong time limit, or one that is too long for a snapshot,
// before it contacts a system.
import { describe, expect, it } from 'vitest';
import { compare } from '../../src/cli/compare.js';

const options = (more: object) =>
  ({ file: 'no-such-file.yaml', within: '60s', limit: '9', output: 'text', ...more }) as const;

describe('sluice compare', () => {
  it.each([
    ['5m', /--within 5m is longer than 60s/],
    ['soon', /--within soon is not a duration/],
    ['60s', /cannot read no-such-file/],
  ])('with --within %s and a missing file ends with exit 2: %s', async (within, message) => {
    await expect(compare(options({ within }))).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(message) as string,
    });
  });
});
