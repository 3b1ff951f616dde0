// Tests which secrets a spec may use. A spec is not trusted. The worker's operator decides which
// secrets it may use, and which hosts may receive them.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../src/wiring/config.js';
import { allowSecret, readSecret } from '../src/wiring/secrets.js';
import { temporaryFolder } from './support/temporary-folder.js';

const home = temporaryFolder('sluice-secrets-');
const folder = join(home, 'sluice/secrets');
mkdirSync(join(folder, 'deep'), { recursive: true });
writeFileSync(join(folder, 'shop'), 'from-file\n');
writeFileSync(join(folder, 'deep/many'), 'a=1\nshop=with=sign\n');
writeFileSync(join(home, 'outside'), 'not for specs');
symlinkSync(join(home, 'outside'), join(folder, 'link'));
symlinkSync(join(folder, 'shop'), join(folder, 'link-inside'));
mkdirSync(join(folder, 'kubernetes.io'));
writeFileSync(join(folder, 'kubernetes.io/token'), 'the pod');

const env = {
  XDG_CONFIG_HOME: home,
  PGHOST: 'db.internal',
  PGPASSWORD: 'pw',
  SLUICE_SECRET_SHOP: 'shop',
  SLUICE_LEDGER_URL: 'postgres://u:p@h/l',
  AWS_SECRET_ACCESS_KEY: 'aws',
};
const file = (path: string) => ({ file: path });

describe('without SLUICE_SECRETS', () => {
  it.each([
    ['SLUICE_SECRET_*, for any host', { env: 'SLUICE_SECRET_SHOP' }, 'db.anywhere', 'shop'],
    ['PGPASSWORD, for this machine', { env: 'PGPASSWORD' }, '127.0.0.1', 'pw'],
    ['PGPASSWORD, for localhost', { env: 'PGPASSWORD' }, 'LOCALHOST', 'pw'],
    ['PGPASSWORD, for PGHOST', { env: 'PGPASSWORD' }, 'db.internal', 'pw'],
    ['a file in the default folder', file(join(folder, 'shop')), 'db.anywhere', 'from-file'],
    ['a key of a file', file(`${join(folder, 'deep/many')}:shop`), 'db.anywhere', 'with=sign'],
    [
      'a link that stays in the folder',
      file(join(folder, 'link-inside')),
      'db.anywhere',
      'from-file',
    ],
  ])('a spec can use %s', (_what, secret, host, value) =>
    expect(readSecret(secret, [host], env)).toBe(value),
  );

  it.each([
    ['the ledger’s URL', { env: 'SLUICE_LEDGER_URL' }, 'SLUICE_SECRETS does not name it'],
    ['another variable', { env: 'AWS_SECRET_ACCESS_KEY' }, 'SLUICE_SECRETS does not name it'],
    ["the worker's own environment", file('/proc/self/environ'), 'SLUICE_SECRETS does not name it'],
    [
      'a file outside of the default folder',
      file(join(home, 'outside')),
      'SLUICE_SECRETS does not name it',
    ],
    [
      'a file through a path with dots',
      file(join(folder, 'deep') + '/../../../outside'),
      'SLUICE_SECRETS does not name it',
    ],
    [
      'a link that leaves the folder',
      file(join(folder, 'link')),
      'SLUICE_SECRETS does not name it',
    ],
    [
      'a token that Kubernetes mounts for the pod',
      file(join(folder, 'kubernetes.io/token')),
      'SLUICE_SECRETS does not name it',
    ],
    ['a folder', file(join(folder, 'deep')), 'not a plain file'],
    ['a relative path', file('secrets/shop'), 'SLUICE_SECRETS does not name it'],
  ])('a spec cannot use %s', (_what, secret, why) =>
    expect(() => readSecret(secret, ['127.0.0.1'], env)).toThrow(why),
  );

  it.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.1'])(
    'PGPASSWORD does not go to %s',
    (host) => {
      expect(() => readSecret({ env: 'PGPASSWORD' }, [host], env)).toThrow(
        `the variable PGPASSWORD must not be sent to ${host}`,
      );
    },
  );

  it('a secret for several hosts is refused if one of them is not allowed', () => {
    expect(() => readSecret({ env: 'PGPASSWORD' }, ['127.0.0.1', 'evil.example'], env)).toThrow(
      'must not be sent to evil.example',
    );
  });

  it('a secret that Kafka Connect resolves follows the same rules, and can be missing on the worker', () => {
    expect(() => allowSecret({ env: 'SLUICE_SECRET_ELSEWHERE' }, ['h'], env)).not.toThrow();
    expect(() => allowSecret({ env: 'AWS_SECRET_ACCESS_KEY' }, ['h'], env)).toThrow(
      'SLUICE_SECRETS',
    );
    expect(() => allowSecret(file('/etc/passwd:root'), ['h'], env)).toThrow('SLUICE_SECRETS');
    expect(() => allowSecret(file(`${folder}/../../outside:x`), ['h'], env)).toThrow(
      'SLUICE_SECRETS',
    );
  });
});

describe('SLUICE_SECRETS', () => {
  const rules = {
    ...env,
    SLUICE_SECRETS: `env:SLUICE_SECRET_SHOP@db.shop.internal,*.replicas.internal; file:${home}`,
  };
  it('says which hosts can receive each secret', () => {
    expect(readSecret({ env: 'SLUICE_SECRET_SHOP' }, ['db.shop.internal'], rules)).toBe('shop');
    expect(readSecret({ env: 'SLUICE_SECRET_SHOP' }, ['r1.replicas.internal'], rules)).toBe('shop');
    for (const host of [
      'replicas.internal',
      'xdb.shop.internal',
      'db.shop.internal.evil.example',
      '127.0.0.1',
    ])
      expect(() => readSecret({ env: 'SLUICE_SECRET_SHOP' }, [host], rules), host).toThrow(
        `must not be sent to ${host}`,
      );
  });
  it('replaces the default rules', () => {
    expect(() => readSecret({ env: 'PGPASSWORD' }, ['127.0.0.1'], rules)).toThrow(
      'SLUICE_SECRETS does not name it',
    );
    expect(readSecret(file(join(home, 'outside')), ['h'], rules)).toBe('not for specs');
    expect(() =>
      readSecret({ env: 'SLUICE_SECRET_SHOP' }, ['h'], { ...env, SLUICE_SECRETS: '' }),
    ).toThrow('does not name it');
  });
  it('causes an error that names the remedy and does not contain the secret', () => {
    let error: unknown;
    try {
      readSecret({ env: 'PGPASSWORD' }, ['h'], rules);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({
      code: 'permission-denied',
      remedy: expect.stringContaining('"env:PGPASSWORD@h"') as string,
    });
    expect(JSON.stringify(error)).not.toContain('"pw"');
  });
  it.each([
    'PGPASSWORD',
    'env:A-B',
    'env:*',
    'file:relative',
    'file:/',
    'env:A@',
    'env:A@h/x',
    'command:msk',
  ])('is refused if its value is %s', (text) => {
    expect(() => loadConfig({ SLUICE_SECRETS: text })).toThrow('SLUICE_SECRETS');
  });
});
