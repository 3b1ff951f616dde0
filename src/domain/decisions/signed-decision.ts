// Defines a signed decision. It names the person, the decision, the evidence, the run, and the time
// until which it is valid. clients/signatures.ts makes and checks the signatures.

/**
 * Decisions that need two people: ending the soak early, and breaking the glass, which relaxes the
 * approval rules for an hour.
 */
export const CO_SIGNED = ['complete-early', 'break-glass'] as const;
export type CoSigned = (typeof CO_SIGNED)[number];

export type SignedDecision = 'approve' | 'reject' | 'rollback' | 'rehearse' | 'edit' | CoSigned;

/** The roles that the worker's operator can give to a key. They say which decisions it may sign. */
export const KEY_ROLES = ['approve', 'complete', 'break-glass'] as const;
export type KeyRole = (typeof KEY_ROLES)[number];

/** The roles of a key that lists no roles. */
export const USUAL_ROLES: readonly KeyRole[] = ['approve', 'complete'];

/**
 * The roles that may sign each decision. A key needs only one of them. A key that may break the
 * glass may also approve, because one of the people who broke the glass must approve afterwards.
 */
export const ROLES_FOR: Readonly<Record<SignedDecision, readonly KeyRole[]>> = {
  approve: ['approve', 'break-glass'],
  reject: ['approve', 'break-glass'],
  rehearse: ['approve', 'break-glass'],
  edit: ['approve'],
  rollback: ['approve', 'complete', 'break-glass'],
  'complete-early': ['complete'],
  'break-glass': ['break-glass'],
};

/** The one run, in one namespace, for which a token is valid. */
export interface SignedFor {
  readonly namespace: string;
  readonly workflowId: string;
  /**
   * The first run id, which stays the same across continue-as-new. Temporal creates it at random,
   * so no run of another cluster has the same id.
   */
  readonly run: string;
}

export interface TokenClaims extends SignedFor {
  readonly decision: SignedDecision;
  readonly approver: string;
  readonly evidenceId: string | null;
  /** ISO time, at most an hour after the signature. */
  readonly notAfter: string;
  /** Makes a token usable only once. */
  readonly nonce: string;
}

/** The result when the worker verifies a token. */
export type Verified =
  | { readonly valid: true; readonly claims: TokenClaims }
  | { readonly valid: false; readonly reason: string };

export const TOKEN_LIFE_MS = 3_600_000;
export const TOKEN_MAX_LENGTH = 2000;
