import { describe, expect, it } from 'vitest';
import { classify } from '../../src/activities/runtime/application-failure.js';
import { remedyOf } from '../../src/domain/capture/connector-causes.js';

describe('what made a connector fail', () => {
  it.each([
    [
      'org.apache.kafka.common.errors.RecordTooLargeException: The message is 3200700 bytes when serialized which is larger than 1048576',
      'too large',
    ],
    [
      'org.postgresql.util.PSQLException: ERROR: canceling statement due to statement timeout',
      'statement_timeout',
    ],
    ['FATAL: password authentication failed for user "x"', 'log in'],
    ['ERROR: permission denied for table t', 'grant'],
  ])('%s has a remedy of its own', (cause, remedy) => {
    expect(remedyOf(cause)).toContain(remedy);
  });

  it('that says nothing known has none', () => {
    expect(remedyOf('java.lang.NullPointerException')).toBeUndefined();
  });

  it('in our own copy: a record that Kafka refuses for its size is no broker that is away', () => {
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
