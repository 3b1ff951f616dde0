// Tests the texts of errors, and how the failure of an activity names its cause.
import { describe, expect, it } from 'vitest';
import { classify } from '../../src/activities/runtime/application-failure.js';
import { causeText, errorText } from '../../src/domain/values/error-text.js';

const refused = (address: string): Error =>
  Object.assign(new Error(`connect ECONNREFUSED ${address}`), { code: 'ECONNREFUSED' });
const both = Object.assign(new AggregateError([refused('::1:5432'), refused('127.0.0.1:5432')]), {
  code: 'ECONNREFUSED',
});

describe('the text of an error', () => {
  it.each<[string, unknown, string]>([
    ['its message', new Error('no'), 'no'],
    [
      'each address of a host that does not answer',
      both,
      'connect ECONNREFUSED ::1:5432; connect ECONNREFUSED 127.0.0.1:5432',
    ],
    ['its code if it has no message', Object.assign(new Error(), { code: 'EPIPE' }), 'EPIPE'],
    ['its name if it has nothing else', new TypeError(), 'TypeError'],
    ['the thrown value if it is no error', 'text', 'text'],
  ])('is %s', (_what, error, text) => expect(errorText(error)).toBe(text));
  it('is that of its cause if fetch failed', () => {
    expect(causeText(new TypeError('fetch failed', { cause: both }))).toContain('::1:5432');
    expect(causeText(new Error('other'))).toBe('other');
  });
});

describe('the failure of an activity', () => {
  it('names each address of a host that does not answer', () =>
    expect(classify(both)).toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('127.0.0.1:5432') as string,
    }));
  it('says that a connection was lost, and not what the driver calls it', () => {
    const error = new Error('Client has encountered a connection error and is not queryable');
    expect(classify(error)).toMatchObject({
      code: 'unreachable',
      message: 'Postgres: the connection to the server was lost',
    });
  });
  it('says how a session may write if its transactions are read-only', () => {
    const message = 'cannot execute CREATE SCHEMA in a read-only transaction';
    const error = Object.assign(new Error(message), { severity: 'ERROR', code: '25006' });
    expect(classify(error)).toMatchObject({
      code: 'permission-denied',
      remedy: expect.stringContaining('default_transaction_read_only = off') as string,
    });
  });
});
