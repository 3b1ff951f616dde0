// Tests two checks. One refuses a role whose transactions are read-only, because a migration
// writes. The other refuses an encoding with which different texts may look equal.
import { describe, expect, it } from 'vitest';
import { mayCreate, serverQuestions } from '../../src/activities/checks/server-questions.js';
import { applyWaivers, type Check } from '../../src/domain/evidence/check.js';
import { aSpec } from '../support/builders.js';

const { postgres } = aSpec().spec.source;
const ask = (answer: Record<string, string>) => () => Promise.resolve(answer);
const encoding = async (name: string): Promise<Check> => {
  const questions = serverQuestions(ask({ server_encoding: name }), 'source');
  const checks = await Promise.all(questions.map((question) => question()));
  return checks.find((check) => check.name === 'source.encoding')!;
};

describe('the encoding of a database', () => {
  it.each(['UTF8', 'LATIN1'])('may be %s', async (name) =>
    expect(await encoding(name)).toMatchObject({ status: 'passed' }),
  );
  it('must not be SQL_ASCII, and no waiver allows it', async () => {
    const check = await encoding('SQL_ASCII');
    const waiver = { check: 'source.encoding', reason: 'r', until: '2099-01-01T00:00:00Z' };
    expect(applyWaivers([check], [waiver], '2026-01-01T00:00:00Z')[0]).toMatchObject({
      status: 'failed',
      detail: expect.stringContaining('not UTF-8') as string,
      remedy: expect.stringContaining('UTF8') as string,
    });
  });
});

describe('a role whose transactions are read-only', () => {
  it('fails the check of its right to create, and the remedy is the statement that allows writes', async () => {
    const texts = { may: 'may', mayNot: 'may not' };
    const answer = { can: 't', read_only: 'on' };
    expect(await mayCreate(ask(answer), 'source', postgres, texts)()).toMatchObject({
      name: 'source.create',
      status: 'failed',
      detail: expect.stringContaining('default_transaction_read_only is on') as string,
      remedy: 'ALTER ROLE sluice IN DATABASE bank SET default_transaction_read_only = off',
    });
  });
});
