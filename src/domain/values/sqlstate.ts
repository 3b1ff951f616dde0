// The SQLSTATEs of Postgres that Sluice acts on, and the SQLSTATE that its own triggers raise.

export const SQLSTATE = {
  insufficientPrivilege: '42501',
  undefinedTable: '42P01',
  undefinedColumn: '42703',
  syntaxError: '42601',
  undefinedFunction: '42883',
  datatypeMismatch: '42804',
  invalidSchemaName: '3F000',
  /** The database does not exist. */
  invalidCatalogName: '3D000',
  invalidAuthorization: '28000',
  /** A text is not a date or a time. */
  invalidTime: '22007',
  lockNotAvailable: '55P03',
  deadlockDetected: '40P01',
  /** A person cancelled the statement, or it reached its time limit. */
  queryCanceled: '57014',
  idleInTransactionTimeout: '25P03',
  transactionTimeout: '25P04',
  /** For example, an extension is not in shared_preload_libraries. */
  notInPrerequisiteState: '55000',
  /**
   * Sluice's triggers refuse writes with this state. In Postgres, it means a read-only transaction.
   */
  readOnly: '25006',
} as const;

export type SqlState = (typeof SQLSTATE)[keyof typeof SQLSTATE];

/** Returns the `code` of an error, or an empty text. For Postgres' errors, it is the SQLSTATE. */
export function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
}

/** Returns whether the error has one of these SQLSTATEs. */
export const hasState = (error: unknown, ...states: readonly SqlState[]): boolean =>
  (states as readonly string[]).includes(codeOf(error));

/**
 * Returns whether Postgres refused the text of a statement. The text then has a mistake (class 42,
 * except for a missing privilege), or uses something that Postgres does not support (0A000).
 */
export function isTextRefused(error: unknown): boolean {
  const code = codeOf(error);
  return (code.startsWith('42') && code !== SQLSTATE.insufficientPrivilege) || code === '0A000';
}
