// Makes private CAs and certificates, in a temporary folder of the test file.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './temporary-folder.js';

/** The folder of all certificates. It is removed after the last test of the file. */
export const certificates = temporaryFolder('sluice-tls-');
/** Returns the path of a file in the folder. */
export const file = (name: string): string => join(certificates, name);
const openssl = (...args: string[]): void =>
  void execFileSync('openssl', args, { cwd: certificates, stdio: 'pipe' });

export function makeCa(name: string): void {
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.crt`,
  );
}

/** Makes a certificate that the CA `ca` signs. */
export function makeCertificate(name: string, subject: string, extension: string): void {
  openssl(
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    subject,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
  );
  writeFileSync(file(`${name}.ext`), extension);
  openssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    '-CA',
    'ca.crt',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    `${name}.ext`,
    '-out',
    `${name}.crt`,
  );
}
