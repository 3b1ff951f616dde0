// Tests a real migration. Its topic gets a record with NUL bytes, which no text in Postgres can
// contain.
import { describe, expect, it } from 'vitest';
import { accounts, live, objects, produceRecord } from '../support/live.js';
import { reach, sluice, startMigration, waitFor } from '../support/sluice.js';

const { aDatabase } = live();
const NAME = 'binary';

describe('a binary record in a topic of JSON', () => {
  it('makes one key unknown, and diff shows its NUL bytes as escapes', async () => {
    const database = await aDatabase(accounts(100));
    startMigration(NAME, database.name, ['public.accounts']);
    await reach(NAME, 'a passed window', (s) => s.windows.some((w) => w.verdict === 'passed'));
    await produceRecord(`${NAME}.public.accounts`, '{"id":1}', Buffer.from([0, 0, 0, 0, 1, 2]));
    await reach(NAME, 'an inconclusive window', (s) =>
      s.windows.some((w) => w.verdict === 'inconclusive' && w.unknown === 1),
    );
    expect(sluice('diff', NAME, '-o', 'json').stdout).toContain('value \\\\u0000');
    expect(sluice('rollback', NAME, '--reason', 'test', '--yes').code).toBe(0);
    await waitFor(NAME, 'outcome=rolled-back');
    expect(await objects(database.client)).toEqual([]);
  });
});
