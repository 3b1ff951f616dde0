// Turns an error that an activity throws into a Temporal failure. The failure has a code from the
// list in domain/failure.ts. Its text contains no values of rows. An error that is already a
// failure of Temporal, such as a cancellation, stays as it is.
import { SQLSTATE } from '../../domain/values/sqlstate.js';
import { CancelledFailure, ApplicationFailure, CompleteAsyncError } from '@temporalio/activity';
import { KafkaDenied } from '../../clients/kafka/kafka-denied.js';
import { remedyOf } from '../../domain/capture/connector-remedies.js';
import { FAILURES, Problem, type FailureCode } from '../../domain/failure.js';
import { errorText } from '../../domain/values/error-text.js';
import { quoteForeign, withoutQuotes } from '../../domain/values/foreign-text.js';

interface Coded {
  readonly code?: string | number;
  readonly name?: string;
  readonly severity?: string;
}

export function toFailure(error: unknown): Error {
  if (
    error instanceof CancelledFailure ||
    error instanceof CompleteAsyncError ||
    error instanceof ApplicationFailure
  )
    return error;
  const problem = classify(error);
  const { retryable } = FAILURES[problem.code];
  return ApplicationFailure.create({
    message: problem.message,
    type: problem.code,
    nonRetryable: !retryable,
    details: [{ code: problem.code, detail: problem.message, remedy: problem.remedy }],
  });
}

const HIDDEN_ROWS =
  'ALTER ROLE … BYPASSRLS for the role that Sluice logs in with, or use the role that owns the table; then: sluice retry';

const READ_ONLY =
  'ALTER ROLE … SET default_transaction_read_only = off for the role that Sluice logs in with, or use the primary if the server has become a standby; then: sluice retry';

/**
 * Returns the Problem for any error. Omits the DETAIL of Postgres errors, and the quoted text in
 * errors of class 22 (invalid data), because both can contain values of rows.
 */
export function classify(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { code, name = '', severity } = (error ?? {}) as Coded;
  const message = errorText(error);
  if (code === SQLSTATE.insufficientPrivilege && /row-level security/.test(message))
    return new Problem(
      'permission-denied',
      `Postgres: ${message}: row security hides rows from Sluice's role (${code})`,
      HIDDEN_ROWS,
    );
  if (code === SQLSTATE.readOnly && /read-only transaction/.test(message))
    return new Problem(
      'permission-denied',
      `Postgres: ${quoteForeign(message)} (${code})`,
      READ_ONLY,
    );
  if (severity !== undefined && typeof code === 'string')
    return new Problem(
      postgresCode(code),
      `Postgres: ${postgresMessage(error as PostgresError)} (${code})`,
    );
  if (
    typeof code === 'string' &&
    /^(ECONN|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|EPIPE|EAI_AGAIN)/.test(code)
  )
    return new Problem('unreachable', message);
  if (
    name.startsWith('KafkaJS') &&
    /MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE/.test(
      `${(error as { type?: string }).type} ${message}`,
    )
  )
    return new Problem(
      'unsupported',
      `Kafka: a record is larger than a message may be: ${message}`,
      remedyOf('MESSAGE_TOO_LARGE'),
    );
  if (name.startsWith('KafkaJS'))
    return /Authori[sz]ation|SASL/i.test(name + message)
      ? new KafkaDenied(`Kafka: ${message}`)
      : new Problem('unreachable', `Kafka: ${message}`);
  if (/not queryable/i.test(message))
    // the driver reports this for every query after the connection was lost
    return new Problem('unreachable', 'Postgres: the connection to the server was lost');
  if (/Connection terminated|timeout expired/i.test(message))
    return new Problem('unreachable', `Postgres: ${message}`);
  if (error instanceof SyntaxError)
    // the JavaScript engine's own message would quote the text that it could not parse
    return new Problem('unexpected', 'a text from another system could not be parsed');
  return new Problem('unexpected', quoteForeign(message, 2000));
}

interface PostgresError {
  readonly code: string;
  readonly message: string;
  readonly table?: string;
  readonly column?: string;
}

/** Returns the message without values, but with the table and the column that the server names. */
function postgresMessage({ code, message, table, column }: PostgresError): string {
  if (!code.startsWith('22')) return quoteForeign(message, 1000);
  const place = [table, column].filter((name) => name !== undefined).join('.');
  return `${quoteForeign(withoutQuotes(message), 1000)}${place ? ` in ${place}` : ''}`;
}

function postgresCode(code: string): FailureCode {
  if (code === SQLSTATE.lockNotAvailable) return 'lock-timeout';
  if (code === SQLSTATE.insufficientPrivilege || code.startsWith('28')) return 'permission-denied';
  if (code.startsWith('08') || code.startsWith('57P') || code.startsWith('53'))
    return 'unreachable';
  return 'unexpected';
}
