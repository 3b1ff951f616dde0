// If two Temporal namespaces share a ledger, a run of one must not count as dead in the other.
import { describe, expect, it } from 'vitest';
import { otherNamespace } from '../../src/activities/runtime/deps.js';

const recorded = { namespace: 'prod', namespace_id: 'id-1' };

describe('a run that the ledger knows', () => {
  it.each([
    ['the same namespace', recorded, { name: 'prod', id: 'id-1' }, null],
    ['a different name', recorded, { name: 'staging', id: 'id-2' }, 'namespace prod'],
    [
      'the same name on a different cluster',
      recorded,
      { name: 'prod', id: 'id-9' },
      'namespace prod of another Temporal cluster',
    ],
    ['the same name, and this namespace has no id', recorded, { name: 'prod', id: null }, null],
    [
      'a different name, and this namespace has no id',
      recorded,
      { name: 'staging', id: null },
      'namespace prod',
    ],
    [
      'a run whose worker did not know its namespace',
      { namespace: null, namespace_id: null },
      { name: 'staging', id: 'id-2' },
      null,
    ],
    ['this process does not use Temporal', recorded, undefined, null],
  ])(
    'counts as foreign only if its namespace is known to differ: %s',
    (_what, run, here, expected) => expect(otherNamespace(run, here)).toBe(expected),
  );
});
