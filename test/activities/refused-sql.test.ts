// Tests the remedy of a check whose statement Postgres refuses.
import { describe, expect, it } from 'vitest';
import { attempt } from '../../src/activities/runtime/make-finding.js';

const remedyOf = async (code: string): Promise<string> => {
  const refusal = Object.assign(new Error('refused'), { code });
  return (await attempt('batch.query', () => Promise.reject(refusal))).remedy;
};

describe('the remedy of a check that could not run', () => {
  it.each(['42601', '42P01', '42703', '0A000'])(
    'asks for different SQL if Postgres refuses the text of the SQL (SQLSTATE %s)',
    async (code) => {
      expect(await remedyOf(code)).toContain('correct the SQL of the spec');
    },
  );

  it.each(['42501', '57014'])(
    'does not blame the SQL of the spec for SQLSTATE %s',
    async (code) => {
      expect(await remedyOf(code)).toContain('remove what prevents this check');
    },
  );
});
