// Implements `sslmode` as libpq does. Decides which kinds of connection to try, in which order, and
// what each connection verifies.
import { SQLSTATE } from '../../domain/values/sqlstate.js';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { Problem } from '../../domain/failure.js';
import type { PostgresAddress } from '../../domain/migration/spec.js';
import { certificate, type ReadSecret } from '../tls-files.js';

/** The TLS options of one connection. False means no TLS. */
export type Tls = false | ConnectionOptions;

const usualRoot = (): string => join(homedir(), '.postgresql/root.crt');

/**
 * Returns the kinds of connection in the order in which they are tried. Throws Problem
 * `permission-denied` for a file that is missing or not allowed.
 */
export function connectionsToTry(address: PostgresAddress, secret: ReadSecret): Tls[] {
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
 * Returns whether the server refused this kind of connection before it checked a password. The next
 * kind may then be tried.
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
 * Returns the options of an encrypted connection. As in libpq, `require` verifies the server's
 * certificate if a root certificate exists.
 */
function encrypted(address: PostgresAddress, secret: ReadSecret): ConnectionOptions {
  const root = address.sslmode === 'require' ? rootOf(address) : undefined;
  return root === undefined
    ? { ...ownCertificate(address, secret), rejectUnauthorized: false }
    : verified(address, secret, root);
}

function verified(address: PostgresAddress, secret: ReadSecret, root: string): ConnectionOptions {
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
    `sslmode ${sslmode} needs a root certificate, but the spec names none (sslrootcert) and there is no ${usualRoot()}`,
    'set sslrootcert to the CA that signed the server’s certificate',
  );
}

function ownCertificate(
  { host, sslcert, sslkey }: PostgresAddress,
  secret: ReadSecret,
): ConnectionOptions {
  return sslcert === undefined || sslkey === undefined
    ? {}
    : { cert: certificate(sslcert), key: secret({ file: sslkey }, [host]) };
}
