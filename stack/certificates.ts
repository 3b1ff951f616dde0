// Makes a private certificate authority and certificates with openssl. They are for a local stack
// and for tests, and are valid for a month by default.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DAYS = 30;
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export interface CertificateOptions {
  /** The name in the certificate. */
  readonly subject?: string;
  /** Names and addresses of the server, such as `DNS:localhost` and `IP:127.0.0.1`. */
  readonly names?: readonly string[];
  /**
   * The number of days for which the certificate is valid. A negative number makes an expired
   * certificate.
   */
  readonly days?: number;
}

/** Makes the folder and the authority's files: `NAME.crt` and `NAME.key`. */
export function makeAuthority(folder: string, name = 'ca'): void {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const files = ['-keyout', `${name}.key`, '-out', `${name}.crt`];
  openssl(folder, 'req', '-x509', ...NEW_KEY, '-days', `${DAYS}`, '-subj', `/CN=${name}`, ...files);
}

/**
 * Makes `NAME.crt`, `NAME.key` (PKCS #8) and `NAME.pem`, which contains both. The authority of the
 * same folder signs the certificate.
 */
export function makeCertificate(
  folder: string,
  name: string,
  { subject = name, names = [], days = DAYS }: CertificateOptions = {},
  authority = 'ca',
): void {
  const request = ['-keyout', `${name}.key`, '-out', `${name}.csr`];
  openssl(folder, 'req', ...NEW_KEY, '-subj', `/CN=${subject}`, ...request);
  const extension = `${name}.ext`;
  writeFileSync(
    join(folder, extension),
    names.length > 0 ? `subjectAltName=${names.join(',')}\n` : 'extendedKeyUsage=clientAuth\n',
  );
  const signer = ['-CA', `${authority}.crt`, '-CAkey', `${authority}.key`, '-CAcreateserial'];
  const out = ['-days', `${days}`, '-extfile', extension, '-out', `${name}.crt`];
  openssl(folder, 'x509', '-req', '-in', `${name}.csr`, ...signer, ...out);
  const text = (ending: string): string => readFileSync(join(folder, `${name}.${ending}`), 'utf8');
  writeFileSync(join(folder, `${name}.pem`), text('key') + text('crt'), { mode: 0o600 });
}

/** Returns whether the folder has this certificate, and it stays valid for at least a day. */
export function isValid(folder: string, name: string): boolean {
  if (!existsSync(join(folder, `${name}.crt`))) return false;
  try {
    openssl(folder, 'x509', '-in', `${name}.crt`, '-noout', '-checkend', '86400');
    return true;
  } catch {
    return false;
  }
}

function openssl(folder: string, ...args: string[]): void {
  try {
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new Error('openssl is missing; install it, because it makes the certificates', {
        cause: error,
      });
    throw error;
  }
}
