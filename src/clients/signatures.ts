// Signs and verifies decisions with Ed25519. A signal can claim any name. A signature proves the
// name, because only the person with that name has the private key.
import {
  createPrivateKey,
  createPublicKey,
  randomUUID,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { Problem } from '../domain/failure.js';
import {
  ROLES_FOR,
  TOKEN_LIFE_MS,
  USUAL_ROLES,
  type KeyRole,
  type SignedFor,
  type TokenClaims,
  type Verified,
} from '../domain/decisions/signed-decision.js';

export interface ApproverKey {
  readonly key: KeyObject;
  readonly roles: readonly KeyRole[];
}

/** The approvers' public keys, by the approver's name. The worker's operator configures them. */
export type ApproverKeys = ReadonlyMap<string, ApproverKey>;

/**
 * Signs a decision, and returns it as a token. `pem` is a private key (PKCS #8, Ed25519). Throws
 * Problem `spec-invalid` if `pem` is not such a key.
 */
export function signDecision(
  pem: string,
  claims: Omit<TokenClaims, 'notAfter' | 'nonce'>,
  now: number,
): string {
  const key = keyOf(() => createPrivateKey(pem), 'the key is not a private key in PEM');
  const whole: TokenClaims = {
    ...claims,
    notAfter: new Date(now + TOKEN_LIFE_MS).toISOString(),
    nonce: randomUUID(),
  };
  const payload = Buffer.from(JSON.stringify(whole)).toString('base64url');
  return `${payload}.${sign(null, Buffer.from(payload), key).toString('base64url')}`;
}

/**
 * Verifies a token. It never throws, even for a malformed token. `here` (workflow, namespace and
 * run) and `now` (milliseconds since 1970) are the verifier's own values, not the token's.
 */
export function verifyToken(
  token: string,
  keys: ApproverKeys,
  here: SignedFor,
  now: number,
): Verified {
  const refuse = (reason: string): Verified => ({ valid: false, reason });
  const [payload, signature, ...more] = token.split('.');
  if (!payload || !signature || more.length > 0)
    return refuse('the token does not have the form payload.signature');
  const claims = claimsOf(payload);
  if (!claims) return refuse('the token contains no decision');
  const known = keys.get(claims.approver);
  if (!known)
    return refuse(
      keys.size === 0
        ? 'this worker has no approver keys (SLUICE_APPROVERS_FILE)'
        : `this worker has no key of ${claims.approver}`,
    );
  if (!verify(null, Buffer.from(payload), known.key, Buffer.from(signature, 'base64url')))
    return refuse(`the signature is not ${claims.approver}'s`);
  if (!ROLES_FOR[claims.decision].some((role) => known.roles.includes(role)))
    return refuse(
      `the key of ${claims.approver} has no role ${ROLES_FOR[claims.decision][0]}; its roles are ${known.roles.join(', ') || 'none'}`,
    );
  for (const field of ['workflowId', 'namespace', 'run'] as const)
    if (claims[field] !== here[field])
      return refuse(`the signature is for ${field} ${claims[field]}, not for ${here[field]}`);
  const left = Date.parse(claims.notAfter) - now;
  if (!(left > 0)) return refuse(`the token expired at ${claims.notAfter}`);
  if (left > TOKEN_LIFE_MS)
    return refuse(`the token is valid for longer than ${TOKEN_LIFE_MS / 60_000} minutes`);
  return { valid: true, claims };
}

/** Reads a person's public key. Throws Problem `spec-invalid` if `pem` is no Ed25519 key in PEM. */
export const approverKey = (
  name: string,
  pem: string,
  roles: readonly KeyRole[] = USUAL_ROLES,
): ApproverKey => ({
  key: keyOf(() => createPublicKey(pem), `publicKey of ${name} is not a public key in PEM`),
  roles,
});

function keyOf(read: () => KeyObject, problem: string): KeyObject {
  let key: KeyObject;
  try {
    key = read();
  } catch {
    throw new Problem(
      'spec-invalid',
      problem,
      'create one with: openssl genpkey -algorithm ed25519',
    );
  }
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new Problem(
    'spec-invalid',
    `${problem}: it is ${key.asymmetricKeyType}, not ed25519`,
    'create one with: openssl genpkey -algorithm ed25519',
  );
}

function claimsOf(payload: string): TokenClaims | null {
  try {
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Partial<
      Record<keyof TokenClaims, unknown>
    > | null;
    const isText = (value: unknown): value is string =>
      typeof value === 'string' && value.length > 0;
    if (
      !claims ||
      !isText(claims.workflowId) ||
      !isText(claims.namespace) ||
      !isText(claims.run) ||
      !isText(claims.approver) ||
      !isText(claims.notAfter) ||
      !isText(claims.nonce)
    )
      return null;
    if (!isText(claims.decision) || !Object.hasOwn(ROLES_FOR, claims.decision)) return null;
    if (claims.evidenceId !== null && !isText(claims.evidenceId)) return null;
    return claims as TokenClaims;
  } catch {
    return null;
  }
}
