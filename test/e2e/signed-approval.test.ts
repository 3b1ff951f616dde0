// If a spec names approvers, only a signed decision counts. The tests cover the whole path, from
// the command line through Temporal to the public keys that the worker knows.
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { accounts, dismantle, live, objects } from '../support/live.js';
import { get, sluice, startMigration, waitFor, withDatabase } from '../support/sluice.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('sluice-keys-');
const keyOf = (name: string): { file: string; publicKey: string } => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const file = join(dir, `${name}.pem`);
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return { file, publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
};
const [ann, bob, eve, gil, hal] = [
  keyOf('ann'),
  keyOf('bob'),
  keyOf('eve'),
  keyOf('gil'),
  keyOf('hal'),
];
process.env['SLUICE_APPROVERS_FILE'] = join(dir, 'approvers.yaml');
writeFileSync(
  process.env['SLUICE_APPROVERS_FILE'],
  stringify([
    { name: 'ann', publicKey: ann.publicKey },
    { name: 'bob', publicKey: bob.publicKey },
    { name: 'gil', publicKey: gil.publicKey, roles: ['break-glass'] },
    { name: 'hal', publicKey: hal.publicKey, roles: ['break-glass'] },
  ]),
);

const { aDatabase } = live();
const approve = (...more: string[]) =>
  sluice('approve', 'signed', '--approver', 'ann', '--reason', 'green', '--yes', ...more);

describe('a migration whose spec names its approvers', () => {
  it('accepts only a signed approval, and records for each approval whether it was authenticated', async () => {
    const database = await aDatabase(accounts(200));
    const cutover = { approval: { approvers: ['ann', 'bob'], quorum: 2 } };
    startMigration('signed', database.name, ['public.accounts'], { cutover });
    await waitFor('signed', 'approval');
    expect(approve()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('unauthenticated: the spec names approvers') as string,
    });
    expect(approve('--key', eve.file)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("the signature is not ann's") as string,
    });
    expect(approve('--key', join(dir, 'none.pem')).code).toBe(2);
    expect(approve('--key', ann.file).code).toBe(0);
    const { approvals } = await get('signed');
    expect(approvals.map((a) => [a.accepted, a.authenticated])).toEqual([
      [false, false],
      [false, false],
      [true, true],
    ]);
    const rollback = (...more: string[]) =>
      sluice('rollback', 'signed', '--reason', 'test', '--by', 'ann', '--yes', ...more);
    expect(rollback()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('must sign') as string,
    });
    expect(rollback('--key', ann.file).code).toBe(0);
    await waitFor('signed', 'outcome=rolled-back');
    expect(sluice('audit', 'signed', '-o', 'json').stdout).toContain(
      'ann (unauthenticated): refused',
    );
    expect(await objects(database.client)).toEqual([]);
  });
});

describe('two people', () => {
  it('with the role break-glass may open the gate, and evidence names them; two approvers end the soak', async () => {
    const database = await aDatabase(accounts(200));
    const cutover = {
      approval: { approvers: ['ann', 'bob'], quorum: 2, notBefore: '2099-01-01T00:00:00Z' },
    };
    const soak = { for: '30d', passes: 1 };
    startMigration('glass', database.name, ['public.accounts'], {
      cutover,
      soak,
      validation: { every: '2s', passesInARow: 1 },
    });
    await waitFor('glass', 'approval');
    const ask = (verb: string, approver: string, ...more: string[]) =>
      sluice(
        verb,
        'glass',
        '--approver',
        approver,
        '--reason',
        'the batch is down',
        '--yes',
        ...more,
      );
    expect(ask('break-glass', 'gil')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('must sign') as string,
    });
    expect(ask('break-glass', 'ann', '--key', ann.file)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('the key of ann has no role break-glass') as string,
    });
    expect(ask('break-glass', 'gil', '--key', gil.file)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 of 2') as string,
    });
    expect(ask('break-glass', 'gil', '--key', gil.file).code).toBe(1);
    expect(ask('break-glass', 'hal', '--key', hal.file)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('2 of 2') as string,
    });
    expect(ask('approve', 'ann', '--key', ann.file)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not one of the approvers gil, hal') as string,
    });
    expect(ask('approve', 'hal', '--key', hal.file).code).toBe(0);
    await waitFor('glass', 'phase=soak');
    // breaking the glass and ending the soak need different roles
    expect(ask('complete', 'gil', '--key', gil.file).code).toBe(1);
    expect(ask('complete', 'ann', '--key', ann.file).code).toBe(0);
    expect(ask('complete', 'bob', '--key', bob.file).code).toBe(0);
    await waitFor('glass', 'outcome=migrated');
    expect(sluice('report', 'glass', '-o', 'md').stdout).toContain(
      'the glass was broken by gil and hal',
    );
    const ledger = new URL(process.env['SLUICE_LEDGER_URL']!).pathname.slice(1);
    const { rows } = await withDatabase(ledger, (client) =>
      client.query<{ glass: { by: string[] } | null }>(
        "SELECT document->'brokenGlass' AS glass FROM sluice.evidence WHERE name = 'glass' ORDER BY number",
      ),
    );
    expect([rows[0]!.glass, rows.at(-1)!.glass?.by]).toEqual([null, ['gil', 'hal']]);
    await dismantle(database.client, 'glass');
  });
});
