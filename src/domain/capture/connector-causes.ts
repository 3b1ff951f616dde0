// Suggests a remedy for a failed connector task when its cause names one. PURE.

const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [
    /RecordTooLarge|max\.request\.size|larger than the max|MESSAGE_TOO_LARGE/i,
    'a record is too large for a message: shorten the value, or raise producer.max.request.size of the Connect workers and max.message.bytes of the topic; then: sluice retry. A long value that the log holds already stays long: only larger limits help there, or sluice rollback and a new start',
  ],
  [
    /statement timeout|canceling statement/i,
    'a statement_timeout of the database or role ended the load: ALTER ROLE (the role of the connector) SET statement_timeout = 0; then: sluice retry',
  ],
  [
    /password authentication failed|no pg_hba\.conf entry/i,
    'let the Connect workers log in: their secret, and pg_hba.conf; then: sluice retry',
  ],
  [/permission denied/i, 'grant what the connector lacks; see sluice doctor; then: sluice retry'],
];

/** Undefined where the general remedy of the failure is the better one. */
export const remedyOf = (cause: string): string | undefined =>
  REMEDIES.find(([pattern]) => pattern.test(cause))?.[1];
