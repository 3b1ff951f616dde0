// Implements `sslmode` as libpq does: which connections are tried in which order, and what each of
// them verifies.
import { SQLSTATE } from '../../domain/values/sqlstate.js';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { Problem } from '../../domain/failure.js';
import type { PostgresAddress, SecretRef } from '../../domain/migration/spec.js';

type ResolveSecret = (secret: SecretRef, hosts: readonly string[]) => string;

/** The TLS options of one connection. False means no TLS. */
export type Tls = false | ConnectionOptions;

const MAX_BYTES = 1024 * 1024;
const usualRoot = (): string => join(homedir(), '.postgresql/root.crt');

/**
 * Returns the kinds of connection in the order in which they are tried. Throws Problem
 * `permission-denied` for a file that is missing or not allowed.
 */
export function connectionsToTry(address: PostgresAddress, secret: ResolveSecret): Tls[] {
  switch (address.sslmode) {
    case 'disable':
      return [false];
    case 'allow':
      return [false, encrypted(address, secret)];
    case 'prefer':
      return [encrypted(address, secret), false];
    case 'require':
      return [encrypted(address, secret)];
    case 'verify-ca':
    case 'verify-full':
      return [verified(address, secret, rootOf(address) ?? noRoot(address))];
  }
}

/**
 * Returns whether the next kind of connection may be tried, because the server refused this kind
 * before it checked a password.
 */
export function refusedThisKind(error: unknown): boolean {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  return (
    code === SQLSTATE.invalidAuthorization ||
    /^(ERR_SSL|ERR_TLS|EPROTO|ECONNRESET)/.test(code) ||
    /does not support SSL|establishing an SSL connection/.test(message)
  );
}

/**
 * Returns the options of an encrypted connection. As in libpq, `require` verifies the server if a
 * root certificate exists.
 */
function encrypted(address: PostgresAddress, secret: ResolveSecret): ConnectionOptions {
  const root = address.sslmode === 'require' ? rootOf(address) : undefined;
  return root === undefined
    ? { ...ownCertificate(address, secret), rejectUnauthorized: false }
    : verified(address, secret, root);
}

function verified(
  address: PostgresAddress,
  secret: ResolveSecret,
  root: string,
): ConnectionOptions {
  const namesAreChecked = address.sslmode === 'verify-full';
  return {
    ...ownCertificate(address, secret),
    ca: certificate(root),
    rejectUnauthorized: true,
    ...(namesAreChecked ? {} : { checkServerIdentity: () => undefined }),
  };
}

const rootOf = ({ sslrootcert }: PostgresAddress): string | undefined =>
  sslrootcert ?? (existsSync(usualRoot()) ? usualRoot() : undefined);

function noRoot({ sslmode }: PostgresAddress): never {
  throw new Problem(
    'permission-denied',
    `sslmode ${sslmode} needs a root certificate, but source.postgres.sslrootcert names none and there is no ${usualRoot()}`,
    'name the CA that signed the server’s certificate as source.postgres.sslrootcert',
  );
}

function ownCertificate(
  { host, sslcert, sslkey }: PostgresAddress,
  secret: ResolveSecret,
): ConnectionOptions {
  return sslcert === undefined || sslkey === undefined
    ? {}
    : { cert: certificate(sslcert), key: secret({ file: sslkey }, [host]) };
}

/**
 * Reads a PEM certificate. The spec chooses the path, so any other content is refused and never
 * shown.
 */
function certificate(path: string): string {
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
    'correct the path; the file must be readable for the worker',
  );
}
