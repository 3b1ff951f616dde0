// Reads the PEM files that a spec names for TLS.
import { readFileSync, statSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { Problem } from '../domain/failure.js';
import type { TlsFiles } from '../domain/migration/cluster-access.js';
import type { SecretRef } from '../domain/migration/spec.js';

export type ReadSecret = (secret: SecretRef, hosts: readonly string[]) => string;

const MAX_BYTES = 1024 * 1024;

/**
 * Returns the TLS options for a connection to a server on one of `hosts`. Such a connection always
 * verifies the certificate chain and the name of the host. Throws Problem `permission-denied` for a
 * file that is missing or not allowed, and for a certificate file with other content.
 */
export function tlsOptions(
  { ca, cert, key }: TlsFiles,
  secret: ReadSecret,
  hosts: readonly string[],
): ConnectionOptions {
  return {
    ...(ca === undefined ? {} : { ca: certificate(ca) }),
    ...(cert === undefined || key === undefined
      ? {}
      : { cert: certificate(cert), key: secret({ file: key }, hosts) }),
  };
}

/**
 * Reads a PEM certificate. The spec chooses the path, so it could name any file. A file with other
 * content is therefore refused, and its content is never shown.
 */
export function certificate(path: string): string {
  let text = '';
  let why = 'it contains no PEM certificate';
  try {
    const about = statSync(path);
    if (about.isFile() && about.size <= MAX_BYTES) text = readFileSync(path, 'utf8');
  } catch (error) {
    why = (error as NodeJS.ErrnoException).code ?? 'unreadable';
  }
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new Problem(
    'permission-denied',
    `cannot use the certificate ${path}: ${why}`,
    'correct the path; the worker must be able to read the file',
  );
}
