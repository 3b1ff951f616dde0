// Tests how the environment variables and the files that they name are read. One error reports all
// wrong variables at once.
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { loadConfig } from '../src/wiring/config.js';
import { temporaryFolder } from './support/temporary-folder.js';

const publicKey = generateKeyPairSync('ed25519')
  .publicKey.export({ type: 'spki', format: 'pem' })
  .toString();
const another = () =>
  generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();
function withApprovers(list: unknown): NodeJS.ProcessEnv {
  const file = join(temporaryFolder('sluice-config-'), 'approvers.yaml');
  writeFileSync(file, stringify(list));
  return { SLUICE_APPROVERS_FILE: file };
}

describe('the environment', () => {
  it('causes one error that names every wrong variable', () => {
    const wrong = {
      SLUICE_LEDGER_URL: 'mysql://x',
      TEMPORAL_ADDRESS: 'nowhere',
      SLUICE_WINDOW_MEMORY: 'much',
      SLUICE_SNAPSHOT_BYTES: '-1',
    };
    for (const name of Object.keys(wrong)) expect(() => loadConfig(wrong), name).toThrow(name);
  });
  it.each(['a%3Fb', 'a%2Fb', 'a%2Bb', 'ä%'])(
    'is refused if the Postgres client would not find the database of the ledger: %s',
    (database) => {
      const SLUICE_LEDGER_URL = `postgres://h/${database}`;
      expect(() => loadConfig({ SLUICE_LEDGER_URL })).toThrow('SLUICE_LEDGER_URL names a database');
    },
  );
  it.each(['a%20b', 'ä%25', 'a+b'])('accepts a ledger in the database %s', (database) => {
    const SLUICE_LEDGER_URL = `postgres://h/${database}`;
    expect(loadConfig({ SLUICE_LEDGER_URL })).toMatchObject({ ledgerUrl: SLUICE_LEDGER_URL });
  });
  it('takes each Temporal setting from its variable, from the profile (which must exist) or the default', () => {
    const TEMPORAL_CONFIG_FILE = join(temporaryFolder('sluice-config-'), 'temporal.toml');
    writeFileSync(
      TEMPORAL_CONFIG_FILE,
      '[profile.work]\naddress = "cloud:7233"\nnamespace = "prod"\napi_key = "k"\n',
    );
    const { temporal } = loadConfig({ TEMPORAL_CONFIG_FILE, TEMPORAL_PROFILE: 'work' });
    expect(temporal).toMatchObject({
      address: 'cloud:7233',
      namespace: 'prod',
      connectionOptions: { address: 'cloud:7233', apiKey: 'k', tls: true },
    });
    const staging = {
      TEMPORAL_CONFIG_FILE,
      TEMPORAL_PROFILE: 'work',
      TEMPORAL_NAMESPACE: 'staging',
    };
    expect(loadConfig(staging).temporal).toMatchObject({
      address: 'cloud:7233',
      namespace: 'staging',
    });
    expect(loadConfig({ TEMPORAL_CONFIG_FILE: '/nowhere.toml' }).temporal).toMatchObject({
      address: '127.0.0.1:7233',
      namespace: 'default',
    });
    expect(() => loadConfig({ TEMPORAL_CONFIG_FILE, TEMPORAL_PROFILE: 'none' })).toThrow(
      'TEMPORAL_PROFILE',
    );
  });
  it('gives the key of an approver the default roles if its entry lists none', () => {
    const { approvers } = loadConfig(
      withApprovers([
        { name: 'ann', publicKey },
        { name: 'gil', publicKey: another(), roles: ['break-glass'] },
      ]),
    );
    expect([...approvers].map(([name, { roles }]) => [name, ...roles])).toEqual([
      ['ann', 'approve', 'complete'],
      ['gil', 'break-glass'],
    ]);
  });
  it.each<[string, unknown, string]>([
    [
      'an unknown role',
      [{ name: 'ann', publicKey, roles: ['admin'] }],
      'roles of ann must be a list of approve, complete, break-glass',
    ],
    [
      'a name twice',
      [
        { name: 'ann', publicKey },
        { name: 'ann', publicKey },
      ],
      'ann is named twice',
    ],
    [
      'one key under two names',
      [
        { name: 'ann', publicKey },
        { name: 'bob', publicKey },
      ],
      'ann and bob have the same public key',
    ],
    ['no key', [{ name: 'ann' }], 'every entry needs name and publicKey'],
    ['a mapping instead of a list', { ann: publicKey }, 'it must be a list'],
    [
      'text that is not a key',
      [{ name: 'ann', publicKey: 'x' }],
      'publicKey of ann is not a public key',
    ],
  ])('refuses approvers with %s', (_what, list, why) =>
    expect(() => loadConfig(withApprovers(list))).toThrow(why),
  );
});
