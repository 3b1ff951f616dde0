// A spec that names approvers: only a signature counts, from the command line through Temporal to the worker's keys.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { accounts, live, objects } from '../support/live.js';
import { get, sluice, specFile, waitFor } from '../support/sluice.js';

const dir = mkdtempSync(join(tmpdir(), 'sluice-keys-'));
const keyOf = (name: string): { file: string; publicKey: string } => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const file = join(dir, `${name}.pem`);
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return { file, publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
};
const [ann, eve] = [keyOf('ann'), keyOf('eve')];
process.env['SLUICE_APPROVERS_FILE'] = join(dir, 'approvers.yaml');
writeFileSync(process.env['SLUICE_APPROVERS_FILE'], stringify([{ name: 'ann', publicKey: ann.publicKey }]));

const { aDatabase } = live();
const approve = (...more: string[]) => sluice('approve', 'signed', '--approver', 'ann', '--reason', 'green', '--yes', ...more);

describe('a migration whose spec names its approvers', () => {
  it('takes a signed approval and no other, and says of each whether it was authenticated', async () => {
    const database = await aDatabase(accounts(200));
    const cutover = { approval: { approvers: ['ann', 'bob'], quorum: 2 } };
    expect(sluice('start', '-f', specFile('signed', database.name, ['public.accounts'], { cutover })).code).toBe(0);
    waitFor('signed', 'approval');
    expect(approve()).toMatchObject({ code: 1, stderr: expect.stringContaining('unauthenticated: the spec names approvers') as string });
    expect(approve('--key', eve.file)).toMatchObject({ code: 1, stderr: expect.stringContaining("the signature is not ann's") as string });
    expect(approve('--key', join(dir, 'none.pem')).code).toBe(2);
    expect(approve('--key', ann.file).code).toBe(0);
    const { approvals } = get('signed');
    expect(approvals.map((a) => [a.accepted, a.authenticated])).toEqual([
      [false, false],
      [false, false],
      [true, true],
    ]);
    expect(sluice('rollback', 'signed', '--reason', 'test', '--yes').code).toBe(0);
    waitFor('signed', 'outcome=rolled-back');
    expect(sluice('audit', 'signed', '-o', 'json').stdout).toContain('ann (unauthenticated): refused');
    expect(await objects(database.client)).toEqual([]);
  });
});
