// Tests which causes of a connector's failure have a remedy of their own. The file also tests the
// remedy if Kafka refuses a record that Sluice itself writes.
import { describe, expect, it } from 'vitest';
import { classify } from '../../src/activities/runtime/application-failure.js';
import { remedyOf } from '../../src/domain/capture/connector-remedies.js';

describe('the cause of a failure', () => {
  it.each([
    [
      'org.apache.kafka.common.errors.RecordTooLargeException: The message is 3200700 bytes when serialized which is larger than 1048576',
      'too large',
    ],
    [
      'org.postgresql.util.PSQLException: ERROR: canceling statement due to statement timeout',
      'statement_timeout',
    ],
    ['FATAL: password authentication failed for user "x"', 'check the password'],
    ['ERROR: permission denied for table t', 'grant'],
    [
      'ERROR: query would be affected by row-level security policy for table "t" (SQLSTATE 42501)',
      'BYPASSRLS',
    ],
    [
      'java.lang.IllegalStateException: The start() method must be invoked before adding callbacks for this zombie fencing',
      'Restart that worker',
    ],
  ])('%s has its own remedy', (cause, remedy) => {
    expect(remedyOf(cause)).toContain(remedy);
  });

  it('has no remedy if it is unknown', () => {
    expect(remedyOf('java.lang.NullPointerException')).toBeUndefined();
  });

  it('is an oversized record, not a missing broker, if Kafka refuses a record of Sluice for its size', () => {
    const error = Object.assign(
      new Error(
        'The request included a message larger than the max message size the server will accept',
      ),
      {
        name: 'KafkaJSProtocolError',
        type: 'MESSAGE_TOO_LARGE',
      },
    );
    expect(classify(error)).toMatchObject({
      code: 'unsupported',
      remedy: expect.stringContaining('shorten the value'),
    });
  });
});
