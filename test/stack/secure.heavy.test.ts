// Tests the certificates of a secured stack, which is a local stack with TLS and logins.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeCertificate } from '../../stack/certificates.js';
import type { StackHome } from '../../stack/paths.js';
import { makeSecured } from '../../stack/secure.js';
import { temporaryFolder } from '../support/temporary-folder.js';

it('a secured stack gets a new CA if a certificate has expired, because the CA then expires, too', () => {
  const dir = temporaryFolder('sluice-secured-');
  const home = { name: 'secured', dir } as StackHome;
  const { folder, ca } = makeSecured(home);
  const first = readFileSync(ca, 'utf8');
  makeSecured(home);
  expect(readFileSync(ca, 'utf8')).toBe(first);

  makeCertificate(folder, 'postgres', { days: -1 });
  makeSecured(home);
  expect(readFileSync(ca, 'utf8')).not.toBe(first);
  for (const name of ['kafka', 'connect', 'postgres', 'registry', 'client']) {
    const verify = ['verify', '-CAfile', ca, join(folder, `${name}.crt`)];
    expect(execFileSync('openssl', verify, { encoding: 'utf8' })).toContain('OK');
  }
});
