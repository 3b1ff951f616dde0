// A decision that its maker signed: who says what about which evidence of which migration, for how long. Only the shape; signatures are clients/token.ts.

export interface TokenClaims {
  readonly workflowId: string;
  readonly decision: 'approve' | 'reject';
  readonly approver: string;
  readonly evidenceId: string | null;
  /** ISO; at most an hour after it was signed. */
  readonly notAfter: string;
  /** Used once. */
  readonly nonce: string;
}

/** What the worker says of a token. */
export type Verified = { readonly valid: true; readonly claims: TokenClaims } | { readonly valid: false; readonly reason: string };

export const TOKEN_LIFE_MS = 3_600_000;
export const TOKEN_MAX_LENGTH = 2000;
