// Suggests a remedy for a failed connector task, or for a request that Kafka Connect answers with an
// error, if the cause is known.

const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [
    /RecordTooLarge|max\.request\.size|larger than the max|MESSAGE_TOO_LARGE/i,
    'a record is too large for a message; shorten the value, or raise producer.max.request.size of the Connect workers and max.message.bytes of the topic; then: sluice retry. If the log already contains the long value, shortening it does not help: raise the limits, or run sluice rollback and start again',
  ],
  [
    /statement timeout|canceling statement/i,
    'a statement_timeout of the database or role ended the load; ALTER ROLE (the role of the connector) SET statement_timeout = 0; then: sluice retry',
  ],
  [
    /password authentication failed|no pg_hba\.conf entry/i,
    'check the password that the Connect workers use, and pg_hba.conf; then: sluice retry',
  ],
  [
    /row-level security/i,
    'row security hides rows from the connector; ALTER ROLE (the role of the connector) BYPASSRLS; then: sluice retry',
  ],
  [
    /permission denied/i,
    'grant the privilege that the connector lacks (sluice doctor names it), then: sluice retry',
  ],
  [
    /before adding callbacks for this zombie fencing/i,
    'Kafka Connect 4.3 can no longer fence the earlier tasks of this connector, because a rebalance interrupted an earlier fencing. Only a restart of the Connect worker that leads the group ends this state. Restart that worker, or all Connect workers one after the other; then: sluice retry',
  ],
];

/**
 * Returns the remedy for a cause. Undefined if no cause is known; then the failure's general remedy
 * applies.
 */
export const remedyOf = (cause: string): string | undefined =>
  REMEDIES.find(([pattern]) => pattern.test(cause))?.[1];
