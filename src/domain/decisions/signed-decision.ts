// A decision that its maker signed: who says what about which evidence of which migration, for how
// long. Only the shape; signatures are clients/signatures.ts.

/** Decisions that need two people: ending the soak early, and breaking the glass. */
export const CO_SIGNED = ['complete-early', 'break-glass'] as const;
export type CoSigned = (typeof CO_SIGNED)[number];

export type SignedDecision = 'approve' | 'reject' | 'rollback' | 'rehearse' | CoSigned;

/** Decisions that a key may sign, as the worker's operator configures it. */
export const KEY_ROLES = ['approve', 'complete', 'break-glass'] as const;
export type KeyRole = (typeof KEY_ROLES)[number];

/** The default roles of a key that lists none. */
export const USUAL_ROLES: readonly KeyRole[] = ['approve', 'complete'];

/**
 * The roles that may sign each decision; one is enough. A key that may break the glass may also
 * approve, because the gate asks one of its signers.
 */
export const ROLES_FOR: Readonly<Record<SignedDecision, readonly KeyRole[]>> = {
  approve: ['approve', 'break-glass'],
  reject: ['approve', 'break-glass'],
  rehearse: ['approve', 'break-glass'],
  rollback: ['approve', 'complete', 'break-glass'],
  'complete-early': ['complete'],
  'break-glass': ['break-glass'],
};

/** The scope of a token: one namespace and one run. */
export interface SignedFor {
  readonly namespace: string;
  readonly workflowId: string;
  /**
   * First run id: Temporal makes it, so no other cluster or ledger has it. The same across
   * continue-as-new.
   */
  readonly run: string;
}

export interface TokenClaims extends SignedFor {
  readonly decision: SignedDecision;
  readonly approver: string;
  readonly evidenceId: string | null;
  /** ISO; at most an hour after it was signed. */
  readonly notAfter: string;
  /** Used once. */
  readonly nonce: string;
}

/** The worker's verdict on a token. */
export type Verified =
  | { readonly valid: true; readonly claims: TokenClaims }
  | { readonly valid: false; readonly reason: string };

export const TOKEN_LIFE_MS = 3_600_000;
export const TOKEN_MAX_LENGTH = 2000;
