// Explains why a TLS connection failed: which certificate is wrong, and what a person can do.
import { Problem } from '../domain/failure.js';

/** Describes the connection that failed, for the error message. */
export interface TlsLeg {
  /** The server, such as `Kafka at kafka:9093`. */
  readonly server: string;
  /** The part of the spec that names the TLS files, such as `kafka.tls`. */
  readonly field: string;
  /** The CA that the spec names. If undefined, the system's CAs are used. */
  readonly ca: string | undefined;
}

interface Trouble {
  /** Matches the error's code or message, which come from Node or OpenSSL. */
  readonly pattern: RegExp;
  readonly cause: (leg: TlsLeg, message: string) => string;
  readonly remedy: (leg: TlsLeg) => string;
}

const signedBy = ({ ca }: TlsLeg): string => (ca === undefined ? 'a CA of this system' : ca);

const TROUBLES: readonly Trouble[] = [
  {
    pattern: /CERT_HAS_EXPIRED|certificate has expired/i,
    cause: ({ server }) => `the certificate of ${server} has expired`,
    remedy: () => 'renew the certificate of the server, and check the clock of this machine',
  },
  {
    pattern: /CERT_NOT_YET_VALID|certificate is not yet valid/i,
    cause: ({ server }) => `the certificate of ${server} is not yet valid`,
    remedy: () => 'check the clocks of the server and of this machine',
  },
  {
    pattern: /ERR_TLS_CERT_ALTNAME_INVALID|does not match certificate's altnames/i,
    cause: ({ server }, message) =>
      `the certificate of ${server} is for another name: ${message.replace(/^.*?altnames: /i, '')}`,
    remedy: () =>
      "use a host name from the certificate in the spec, and for brokers also in advertised.listeners; or add the current name to the certificate's subjectAltName",
  },
  {
    pattern:
      /SELF_SIGNED_CERT|self-signed certificate|UNABLE_TO_(VERIFY|GET_ISSUER)|unable to (verify|get)|certificate signature failure|CERT_SIGNATURE_FAILURE/i,
    cause: (leg) => `the certificate of ${leg.server} is not signed by ${signedBy(leg)}`,
    remedy: ({ field }) => `set ${field}.ca to the CA that signed it`,
  },
  {
    pattern:
      /alert (number \d+|bad certificate|certificate required|unknown ca|certificate unknown|handshake failure)|(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_UNKNOWN|HANDSHAKE_FAILURE)/i,
    cause: ({ server, field }) =>
      `${server} refused the client certificate, or ${field} names none`,
    remedy: ({ field }) =>
      `set ${field}.cert to a certificate that the server's CA signed, and ${field}.key to its key`,
  },
  {
    pattern: /wrong version number|WRONG_VERSION_NUMBER|packet length too long|EPROTO/i,
    cause: ({ server }) => `${server} does not speak TLS on this port`,
    remedy: ({ field }) => `use the port of the TLS listener, or remove ${field}`,
  },
];

/** Returns the Problem for a TLS error. Returns null if the error has a different cause. */
export function tlsTrouble(error: unknown, leg: TlsLeg): Problem | null {
  const { code = '', message = '' } = (error ?? {}) as { code?: unknown; message?: string };
  const text = `${String(code)} ${message}`;
  const trouble = TROUBLES.find(({ pattern }) => pattern.test(text));
  return trouble
    ? new Problem('unreachable', trouble.cause(leg, message), trouble.remedy(leg))
    : null;
}
